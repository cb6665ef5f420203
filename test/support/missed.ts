// What a test of replays says and expects.
import type { DatabaseRow, DatabaseView } from './database.ts';
import type { TestServer } from './server.ts';
import { connectStomp, parse, type ConnectOptions, type TestClient } from './stomp.ts';

export const replayQueue = '/user/queue/replay';

/** A client that gets its replays. */
export async function connectReplay(server: TestServer, options: ConnectOptions): Promise<TestClient> {
  const client = await connectStomp(server, options);
  await client.subscribe(replayQueue, { id: 'replay' });
  return client;
}

/** Asks for a replay; resolves with what it brought when its RECEIPT comes. */
export async function replayed(
  client: TestClient,
  asked: unknown,
): Promise<Readonly<Record<string, unknown>>[]> {
  const before = client.received(replayQueue).length;
  await client.send('/app/replay', asked);
  return client.received(replayQueue).slice(before).map(parse);
}

/** A row of chat_messages as its room shows it. */
export function viewOf(row: DatabaseRow): Readonly<Record<string, unknown>> {
  return {
    messageId: row['message_id'],
    roomId: row['room_id'],
    senderId: row['sender_id'],
    content: row['content'],
    messageType: row['message_type'],
    status: row['status'],
    createdAt: row['created_at'],
    seq: Number(row['seq']),
  };
}

/** All messages of some rooms, oldest first, as a replay has to bring them. */
export function messagesOf(
  database: DatabaseView,
  roomIds: readonly string[],
): Readonly<Record<string, unknown>>[] {
  const places = roomIds.map(() => '?').join(', ');
  const order = 'ORDER BY created_at, room_id, seq';
  const sql = `SELECT * FROM chat_messages WHERE room_id IN (${places}) ${order}`;
  return database.rows(sql, ...roomIds).map(viewOf);
}
