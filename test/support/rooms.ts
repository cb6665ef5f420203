// Chat rooms as a client's programmer would set them up and use them.
import type { TestServer } from './server.ts';
import { parse, type ReceivedFrame, type TestClient } from './stomp.ts';

/** Creates a room by REST, adds the members and returns its id. */
export async function createRoom(
  server: TestServer,
  user: string,
  { isPrivate = false, members = [] }: { isPrivate?: boolean; members?: readonly string[] } = {},
): Promise<string> {
  const created = await server.rest('POST', '/api/rooms', { user, body: { name: 'a room', isPrivate } });
  if (created.status !== 201) throw new Error(`no room: ${created.status} ${JSON.stringify(created.body)}`);
  const { roomId } = created.body as { roomId: string };
  for (const member of members) {
    const added = await server.rest('POST', `/api/rooms/${roomId}/members`, {
      user,
      body: { userId: member },
    });
    if (added.status !== 201) throw new Error(`no member: ${added.status} ${JSON.stringify(added.body)}`);
  }
  return roomId;
}

/** Sends a chat message; resolves when it is durable. */
export function say(client: TestClient, roomId: string, content: string): Promise<void> {
  return client.send(`/app/chat.send/${roomId}`, { content });
}

export const contentOf = (frame: ReceivedFrame): unknown => parse(frame)['content'];

export const seqOf = (frame: ReceivedFrame): number => Number(frame.headers['seq']);

/** `from`..`to`, both of them included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_none, index) => from + index);
}

const burstFramesMax = 400;

/**
 * Sends many messages on one connection. Only the last of each burst asks for a receipt: a connection's commands
 * for one destination take effect in order. Resolves when all are durable.
 */
export async function sendMany(
  client: TestClient,
  destination: string,
  bodies: readonly string[],
): Promise<void> {
  for (let start = 0; start < bodies.length; start += burstFramesMax) {
    const burst = bodies.slice(start, start + burstFramesMax);
    for (const body of burst.slice(0, -1)) client.sendFrame('SEND', { destination }, body);
    await client.send(destination, burst.at(-1));
  }
}
