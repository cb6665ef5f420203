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
  readonly headers?: Readonly<Record<string, string>>;
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
  const pushed = { userIds: ['alice', 'bob'], type: 'NEWS', message: 'hello' };
  const sent = await server.rest('POST', '/api/notifications', {
    user: 'shop',
    roles: ['service'],
    body: pushed,
  });
  const [first] = sent.body as { notificationId: string }[];
  return {
    steps: [
      ...roomSteps(roomId),
      ...documentSteps,
      ...orderSteps,
      ...notificationSteps(first?.notificationId ?? ''),
      ...marketSteps,
      ...inventorySteps,
      { door: 'GET /api/presence', path: '/api/presence?users=alice,nobody' },
    ],
  };
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

const service = { user: 'shop', roles: ['service'] } as const;

const orderSteps: readonly Step[] = [
  {
    door: 'POST /api/orders',
    ...service,
    body: { orderId: 'walked', userId: 'alice', status: 'NEW', currentLocation: 'Ulm' },
    status: 201,
  },
  {
    door: 'PATCH /api/orders/{id}',
    path: '/api/orders/walked',
    ...service,
    body: { status: 'SENT', estimatedDelivery: '2030-01-31T12:00:00Z' },
  },
  { door: 'GET /api/orders/{id}', path: '/api/orders/walked' },
];

function notificationSteps(notificationId: string): Step[] {
  const body = { userIds: ['alice'], type: 'NEWS', message: 'hello', referenceId: 'walked' };
  return [
    { door: 'POST /api/notifications', ...service, body, status: 201 },
    { door: 'GET /api/notifications', path: '/api/notifications?unread=true&limit=10' },
    {
      door: 'POST /api/notifications/{notificationId}/read',
      path: `/api/notifications/${notificationId}/read`,
    },
  ];
}

const ticks = [{ symbol: 'AAPL', price: '187.5', volume: 10 }];

const marketSteps: readonly Step[] = [
  { door: 'POST /api/prices/ticks', ...service, body: ticks },
  {
    door: 'POST /api/prices/ticks',
    ...service,
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${JSON.stringify(ticks[0])}\n`,
  },
  { door: 'GET /api/prices' },
  {
    door: 'PUT /api/portfolio',
    body: {
      holdings: [
        { symbol: 'AAPL', quantity: '2' },
        { symbol: 'NONE', quantity: '1' },
      ],
    },
  },
  { door: 'GET /api/portfolio' },
];

const inventorySteps: readonly Step[] = [
  {
    door: 'PUT /api/inventory/{id}',
    path: '/api/inventory/walked',
    ...service,
    body: { name: 'a product', quantity: 3 },
  },
  { door: 'PUT /api/inventory/{id}', path: '/api/inventory/nameless', ...service, body: { quantity: 0 } },
  { door: 'GET /api/inventory/{id}', path: '/api/inventory/walked' },
  { door: 'GET /api/inventory' },
];
