// Documents outlive every end of the process.
import { expect, test } from 'vitest';
import { documentsLoad } from '../support/kill-documents.ts';
import { prove, type MakeLoad } from '../support/kill-rounds.ts';

const load: MakeLoad = (server) => documentsLoad(server, ['novel', 'letter']);

test('[KILL3] an operation that was acknowledged or seen outlives kill after kill, once and in order', async () => {
  await prove(load, { signal: 'SIGKILL', times: 8, framesMax: 2_000 });
  expect.hasAssertions();
}, 300_000);

test('[KILL2] a drain loses no operation', async () => {
  await prove(load, { signal: 'SIGTERM', times: 2, framesMax: 2_000 });
  expect.hasAssertions();
}, 120_000);
