// The tables as the rest of the server sees them: names and columns of the database, times as milliseconds.
// Column kinds are what each store needs to translate a value into its own type and back.

export interface ChatRoomRow {
  room_id: string;
  name: string;
  created_by: string;
  is_private: boolean;
  created_at: number;
  updated_at: number | null;
  /** Names the life of the room's message stream; see `resume`. */
  epoch: string;
}

export interface ChatRoomMemberRow {
  /** A room that is there; its rows go with it. */
  room_id: string;
  user_id: string;
  role: string;
  joined_at: number;
}

export interface ChatMessageRow {
  message_id: string;
  /** A room that is there; its rows go with it. */
  room_id: string;
  sender_id: string;
  content: string;
  message_type: string;
  status: string;
  created_at: number;
  updated_at: number | null;
  /** +1 per message of the room; unique in the room. */
  seq: number;
}

/** How far a user has read a room. */
export interface ChatReadPositionRow {
  /** A room that is there; its rows go with it. */
  room_id: string;
  user_id: string;
  seq: number;
  read_at: number;
}

/** One plain destination that holds messages. */
export interface TopicRow {
  topic: string;
  epoch: string;
  created_at: number;
}

export interface TopicMessageRow {
  /** A topic that is there; its rows go with it. */
  topic: string;
  seq: number;
  sender_id: string;
  /** Headers of the SEND that go out with the message: a JSON object of strings, or null for none. */
  headers: string | null;
  body: Uint8Array;
  /** Whether the body is UTF-8 text. */
  is_text: boolean;
  created_at: number;
}

/** How far a durable subscription has been acknowledged. */
export interface DurablePositionRow {
  user_id: string;
  name: string;
  destination: string;
  epoch: string;
  seq: number;
  updated_at: number;
}

/** A command already applied; a repeat of it is answered and has no second effect. */
export interface IdempotencyKeyRow {
  /** `kind/id` of the actor that applied it. */
  actor: string;
  command: string;
  user_id: string;
  idempotency_key: string;
  created_at: number;
}

export interface Tables {
  chat_rooms: ChatRoomRow;
  chat_room_members: ChatRoomMemberRow;
  chat_messages: ChatMessageRow;
  chat_read_positions: ChatReadPositionRow;
  topics: TopicRow;
  topic_messages: TopicMessageRow;
  durable_positions: DurablePositionRow;
  idempotency_keys: IdempotencyKeyRow;
}

export type TableName = keyof Tables;

export type ColumnKind = 'text' | 'integer' | 'boolean' | 'time' | 'bytes';

export interface TableSchema<Row> {
  readonly columns: { readonly [Column in keyof Row]: ColumnKind };
  /** The columns that name a row: what `upsert` and `delete` go by. */
  readonly key: readonly (keyof Row & string)[];
}

export const tables: { readonly [Name in TableName]: TableSchema<Tables[Name]> } = {
  chat_rooms: {
    columns: {
      room_id: 'text',
      name: 'text',
      created_by: 'text',
      is_private: 'boolean',
      created_at: 'time',
      updated_at: 'time',
      epoch: 'text',
    },
    key: ['room_id'],
  },
  chat_room_members: {
    columns: { room_id: 'text', user_id: 'text', role: 'text', joined_at: 'time' },
    key: ['room_id', 'user_id'],
  },
  chat_messages: {
    columns: {
      message_id: 'text',
      room_id: 'text',
      sender_id: 'text',
      content: 'text',
      message_type: 'text',
      status: 'text',
      created_at: 'time',
      updated_at: 'time',
      seq: 'integer',
    },
    key: ['message_id'],
  },
  chat_read_positions: {
    columns: { room_id: 'text', user_id: 'text', seq: 'integer', read_at: 'time' },
    key: ['room_id', 'user_id'],
  },
  topics: {
    columns: { topic: 'text', epoch: 'text', created_at: 'time' },
    key: ['topic'],
  },
  topic_messages: {
    columns: {
      topic: 'text',
      seq: 'integer',
      sender_id: 'text',
      headers: 'text',
      body: 'bytes',
      is_text: 'boolean',
      created_at: 'time',
    },
    key: ['topic', 'seq'],
  },
  durable_positions: {
    columns: {
      user_id: 'text',
      name: 'text',
      destination: 'text',
      epoch: 'text',
      seq: 'integer',
      updated_at: 'time',
    },
    key: ['user_id', 'name', 'destination'],
  },
  idempotency_keys: {
    columns: {
      actor: 'text',
      command: 'text',
      user_id: 'text',
      idempotency_key: 'text',
      created_at: 'time',
    },
    key: ['actor', 'command', 'user_id', 'idempotency_key'],
  },
};
