// Rows and writes with sensible values, of which a test names only what it is about.
import type { AppendedName, StorageError, Write } from '../../src/storage/storage.ts';
import type {
  ChatMessageRow,
  ChatReadPositionRow,
  ChatRoomMemberRow,
  ChatRoomRow,
  DurablePositionRow,
  IdempotencyKeyRow,
  TableName,
  Tables,
  TopicMessageRow,
  TopicRow,
} from '../../src/storage/tables.ts';

export const noon = Date.parse('2024-05-01T12:00:00.000Z');

export const room = (row: Partial<ChatRoomRow> = {}): ChatRoomRow => ({
  room_id: 'lobby',
  name: 'Lobby',
  created_by: 'ann',
  is_private: false,
  created_at: noon,
  updated_at: null,
  epoch: 'e1',
  ...row,
});

export const member = (row: Partial<ChatRoomMemberRow> = {}): ChatRoomMemberRow => ({
  room_id: 'lobby',
  user_id: 'ann',
  role: 'MEMBER',
  joined_at: noon,
  ...row,
});

export const message = (row: Partial<ChatMessageRow> = {}): ChatMessageRow => ({
  message_id: `m${row.seq ?? 1}`,
  room_id: 'lobby',
  sender_id: 'ann',
  content: 'hello',
  message_type: 'TEXT',
  status: 'SENT',
  created_at: noon,
  updated_at: null,
  seq: 1,
  ...row,
});

export const position = (row: Partial<ChatReadPositionRow> = {}): ChatReadPositionRow => ({
  room_id: 'lobby',
  user_id: 'ann',
  seq: 1,
  read_at: noon,
  ...row,
});

export const topic = (row: Partial<TopicRow> = {}): TopicRow => ({
  topic: 'news',
  epoch: 'e1',
  created_at: noon,
  ...row,
});

export const topicMessage = (row: Partial<TopicMessageRow> = {}): TopicMessageRow => ({
  topic: 'news',
  seq: 1,
  sender_id: 'ann',
  headers: null,
  body: Buffer.from('hello'),
  is_text: true,
  created_at: noon,
  ...row,
});

export const durable = (row: Partial<DurablePositionRow> = {}): DurablePositionRow => ({
  user_id: 'ann',
  name: 'phone',
  destination: '/topic/news',
  epoch: 'e1',
  seq: 1,
  updated_at: noon,
  ...row,
});

export const key = (row: Partial<IdempotencyKeyRow> = {}): IdempotencyKeyRow => ({
  actor: 'room/lobby',
  command: 'send',
  user_id: 'ann',
  idempotency_key: 'k1',
  created_at: noon,
  ...row,
});

export const insert = <Name extends TableName>(table: Name, row: Tables[Name]): Write =>
  ({ op: 'insert', table, row }) as unknown as Write;

export const upsert = <Name extends TableName>(table: Name, row: Tables[Name]): Write =>
  ({ op: 'upsert', table, row }) as unknown as Write;

export const remove = <Name extends TableName>(table: Name, where: Partial<Tables[Name]>): Write =>
  ({ op: 'delete', table, key: where }) as unknown as Write;

export const append = <Name extends AppendedName>(
  table: Name,
  stream: string,
  row: Tables[Name],
  epoch = 'e1',
): Write => ({ op: 'append', table, stream, epoch, row }) as unknown as Write;

/** Messages 1 to `count` of the lobby. */
export const messages = (count: number, row: Partial<ChatMessageRow> = {}): Write[] =>
  Array.from({ length: count }, (_, index) => insert('chat_messages', message({ ...row, seq: index + 1 })));

export const reasons = (outcomes: readonly (StorageError | null)[]): (string | null)[] =>
  outcomes.map((outcome) => outcome?.reason ?? null);
