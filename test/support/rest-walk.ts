// One request for each REST door, in an order in which each finds what it needs. A door that is added needs its step.
import type { TestServer } from './server.ts';
import { connectStomp } from './stomp.ts';

export interface Step {
  /** As it is described: `GET /api/rooms/{id}`. */
  readonly door: string;
  /** The path with its query, unless it has no placeholders. */
  readonly path?: string;
  readonly user?: string;
  readonly roles?: readonly string[];
  readonly body?: unknown;
  /** 200 unless given. */
  readonly status?: number;
}

export interface Walk {
  readonly steps: readonly Step[];
}

/** Makes on the server what the steps ask for. */
export async function walkOf(server: TestServer): Promise<Walk> {
  const created = await server.rest('POST', '/api/rooms', { user: 'alice', body: { name: 'walked' } });
  const { roomId } = created.body as { roomId: string };
  const alice = await connectStomp(server, { user: 'alice' });
  await alice.send(`/app/chat.send/${roomId}`, { content: 'hello' });
  await alice.send('/app/doc.operation/walked', {
    type: 'INSERT',
    position: 0,
    text: 'hello',
    revision: 0,
    operationId: 'one',
  });
  await alice.disconnect();
  return { steps: [...roomSteps(roomId), ...documentSteps] };
}

function roomSteps(roomId: string): Step[] {
  const room = `/api/rooms/${roomId}`;
  return [
    { door: 'POST /api/rooms', body: { name: 'a room', isPrivate: true }, status: 201 },
    { door: 'GET /api/rooms' },
    { door: 'GET /api/rooms/{id}', path: room },
    { door: 'GET /api/rooms/{id}/messages', path: `${room}/messages?limit=10` },
    { door: 'POST /api/rooms/{id}/members', path: `${room}/members`, body: { userId: 'bob' }, status: 201 },
    { door: 'GET /api/rooms/{id}/members', path: `${room}/members` },
    { door: 'DELETE /api/rooms/{id}/members/{userId}', path: `${room}/members/bob`, status: 204 },
  ];
}

const documentSteps: readonly Step[] = [
  { door: 'GET /api/documents/{id}', path: '/api/documents/walked' },
  { door: 'GET /api/documents/{id}/operations', path: '/api/documents/walked/operations?since=0' },
];
