// Orders outlive every end of the process.
import { expect, test } from 'vitest';
import { ordersLoad } from '../support/kill-orders.ts';
import { prove } from '../support/kill-rounds.ts';

test('[KILL4] a status that was answered or seen outlives kill after kill, once and in order', async () => {
  await prove(ordersLoad, { signal: 'SIGKILL', times: 8, framesMax: 500 });
  expect.hasAssertions();
}, 300_000);

test('[KILL2] a drain loses no change of an order', async () => {
  await prove(ordersLoad, { signal: 'SIGTERM', times: 2, framesMax: 500 });
  expect.hasAssertions();
}, 120_000);
