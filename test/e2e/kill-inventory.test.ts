// The inventory outlives every end of the process.
import { expect, test } from 'vitest';
import { inventoryLoad } from '../support/kill-inventory.ts';
import { prove, type MakeLoad } from '../support/kill-rounds.ts';

const load: MakeLoad = (server) => inventoryLoad(server, ['counted', 'apples', 'pears', 'plums']);

test('[KILL6] a change that was acknowledged or seen outlives kill after kill, once and in order', async () => {
  await prove(load, { signal: 'SIGKILL', times: 8, framesMax: 1_500 });
  expect.hasAssertions();
}, 300_000);

test('[KILL2] a drain loses no change of the inventory', async () => {
  await prove(load, { signal: 'SIGTERM', times: 2, framesMax: 1_500 });
  expect.hasAssertions();
}, 120_000);
