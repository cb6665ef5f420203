// Documents through the client, on a server with the rate limit that a server has unless it is told otherwise.
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { DocumentEvent } from '../../src/client/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { closeOurClients, connectOurs } from '../support/our-client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { rateLimit: '30/10s' } });
});
afterEach(closeOurClients);

const keyEveryMs = 70;
const pause = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.after(ms, resolve));

test('[CLIENT67] who types all the time stays within the default rate, and can talk meanwhile', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('typed'), await bob.opened('typed')];
  const { roomId } = await ann.rooms.create('lobby');
  const refusals: unknown[] = [];
  // Also those after which the client sends again by itself.
  ann.subscribe('/user/queue/errors', { message: ({ body }) => void refusals.push(body) });
  const operations: string[] = [];
  bob.subscribe('/topic/doc.typed', { message: ({ body }) => void operations.push(body) });
  let text = '';
  let saidMs = Number.POSITIVE_INFINITY;
  for (const started = systemClock.now(); systemClock.now() - started < 12_000;) {
    anns.insert(text.length, 'a');
    text += 'a';
    anns.placeCursor(text.length);
    if (text.length === 60) {
      const saidAt = systemClock.now();
      void ann.rooms
        .room(roomId)
        .send('hello')
        .then(() => (saidMs = systemClock.now() - saidAt));
    }
    await pause(keyEveryMs);
  }
  await anns.settled();
  await bob.shows(bobs, text);
  expect(refusals).toEqual([]);
  expect(ann.noted<DocumentEvent>('typed').filter(({ type }) => type === 'refused')).toEqual([]);
  expect(text.length).toBeGreaterThan(100);
  expect(operations.length).toBeLessThanOrEqual(27);
  expect(saidMs).toBeLessThan(400);
  await bob.until(() => bobs.cursors.length === 1 && bobs.cursors[0]?.position === text.length, 'the cursor');
}, 40_000);

test('[CLIENT75] a cursor that goes along with its own typing is not told, and is seen behind it', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('along'), await bob.opened('along')];
  const told: number[] = [];
  bob.subscribe('/topic/doc.along.cursors', {
    message: ({ body }) => void told.push((JSON.parse(body) as { position: number }).position),
  });
  anns.insert(0, 'one two');
  await anns.settled();
  anns.placeCursor(3);
  await bob.until(() => bobs.cursors.length === 1, 'a cursor');
  anns.insert(3, ' and a half');
  anns.placeCursor(14);
  await anns.settled();
  await bob.shows(bobs, 'one and a half two');
  expect(bobs.cursors).toMatchObject([{ userId: 'ann', position: 14 }]);
  bobs.insert(14, '!');
  expect(bobs.cursors).toMatchObject([{ userId: 'ann', position: 14 }]);
  await ann.shows(anns, 'one and a half! two');
  anns.placeCursor(0);
  await bob.until(() => bobs.cursors[0]?.position === 0, 'the cursor at the start');
  expect(told).toEqual([3, 0]);
});
