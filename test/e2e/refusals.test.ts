// What every refusal says of the thing it is about, whoever refuses it.
import { expect, test } from 'vitest';
import { startServer } from '../support/server.ts';
import { connectStomp, type RefusedError } from '../support/stomp.ts';

const subjects = [
  ['/app/chat.send/r1', 'roomId', 'r1'],
  ['/app/doc.operation/d1', 'docId', 'd1'],
  ['/app/inventory.update/p1', 'productId', 'p1'],
  ['/app/order.untrack/o1', 'orderId', 'o1'],
] as const;

test('[FRAME28] a refusal names the room, document, product or order, also when the rate limit refuses it', async () => {
  const server = await startServer({ settings: { rateLimit: '1/1h' } });
  const alice = await connectStomp(server, { user: 'alice' });
  await alice.send('/topic/first', 'x');
  for (const [destination, field, id] of subjects) {
    const refused = (await alice.send(destination, '{}').catch((error: unknown) => error)) as RefusedError;
    expect(refused.refusal).toMatchObject({ code: 'RATE_LIMITED', destination, [field]: id });
  }
});

test('[FRAME28] a refusal of what only the server writes to names it too', async () => {
  const server = await startServer();
  const alice = await connectStomp(server, { user: 'alice' });
  for (const [destination, field, id] of [
    ['/topic/room.r1', 'roomId', 'r1'],
    ['/topic/room.r1.events', 'roomId', 'r1'],
    ['/topic/doc.d1', 'docId', 'd1'],
  ] as const) {
    const refused = (await alice.send(destination, 'x').catch((error: unknown) => error)) as RefusedError;
    expect(refused.refusal).toMatchObject({ code: 'FORBIDDEN', destination, [field]: id });
  }
  const plain = (await alice.send('/app/nothing', 'x').catch((error: unknown) => error)) as RefusedError;
  expect(Object.keys(plain.refusal).toSorted()).toEqual([
    'code',
    'destination',
    'message',
    'receipt',
    'timestamp',
  ]);
});
