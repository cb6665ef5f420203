// The two kinds of destinations whose messages are kept for all, behind one interface: rooms and plain topics.
import type { DatabaseView } from './database.ts';
import { createRoom } from './rooms.ts';
import type { TestServer } from './server.ts';
import { parse, type ReceivedFrame } from './stomp.ts';

export interface TestStream {
  /** Where clients send. */
  readonly sendTo: string;
  /** Where clients subscribe. */
  readonly destination: string;
  /** The body of a SEND that says this text. */
  readonly body: (text: string) => string;
  /** What a MESSAGE says. */
  readonly textOf: (frame: ReceivedFrame) => string;
  /** All that the database holds of it, in the order of seq. */
  readonly stored: (database: DatabaseView) => { readonly seq: number; readonly text: string }[];
  readonly isStored: (database: DatabaseView, text: string) => boolean;
}

export async function roomStream(server: TestServer): Promise<TestStream> {
  const roomId = await createRoom(server, 'alice');
  return {
    sendTo: `/app/chat.send/${roomId}`,
    destination: `/topic/room.${roomId}`,
    body: (text) => JSON.stringify({ content: text }),
    textOf: (frame) => (frame.body === '' ? '' : String(parse(frame)['content'])),
    stored: (database) =>
      database.roomMessages(roomId).map(({ seq, content }) => ({ seq: Number(seq), text: String(content) })),
    isStored: (database, text) =>
      database.rows('SELECT 1 FROM chat_messages WHERE room_id = ? AND content = ?', roomId, text).length ===
      1,
  };
}

let topics = 0;
const hexOf = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();

export function topicStream(): Promise<TestStream> {
  topics += 1;
  const topic = `streams/${topics}`;
  const sql = 'SELECT 1 FROM topic_messages WHERE topic = ? AND hex(body) = ?';
  return Promise.resolve({
    sendTo: `/topic/${topic}`,
    destination: `/topic/${topic}`,
    body: (text) => text,
    textOf: ({ body }) => body,
    stored: (database) =>
      database
        .topicMessages(topic)
        .map(({ seq, body }) => ({ seq: Number(seq), text: (body as Buffer).toString() })),
    isStored: (database, text) => database.rows(sql, topic, hexOf(text)).length === 1,
  });
}

type MakeStream = (server: TestServer) => Promise<TestStream>;

/** For `test.each`. */
export const streamKinds: readonly (readonly [what: string, make: MakeStream])[] = [
  ['a room', roomStream],
  ['a plain topic', topicStream],
];
