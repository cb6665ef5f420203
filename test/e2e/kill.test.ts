// Rooms and plain topics outlive every end of the process.
import { expect, test } from 'vitest';
import { prove } from '../support/kill-rounds.ts';
import { streamsLoad } from '../support/kill-streams.ts';

test('[KILL1] what was acknowledged or seen outlives kill after kill, once and in order', async () => {
  await prove(streamsLoad, { signal: 'SIGKILL', times: 22, framesMax: 900 });
  expect.hasAssertions();
}, 300_000);

test('[KILL2] a drain loses nothing either', async () => {
  await prove(streamsLoad, { signal: 'SIGTERM', times: 4, framesMax: 900 });
  expect.hasAssertions();
}, 120_000);
