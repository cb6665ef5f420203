// Proof by killing, for queues: clients put jobs into queues and work on them, the process is killed at a random moment
// and started again on the same file. STAGEWIRE_TEST_SEED=<seed> runs the same moments again.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { KillWorker, Ledger } from '../support/kill-workers.ts';
import { layoutOf } from '../support/layouts.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { killsOf } from '../support/store.ts';

const seed = Number(process.env['STAGEWIRE_TEST_SEED'] ?? Date.now() % 1_000_000);
const queues = ['/queue/kill/one', '/queue/kill/two', '/queue/kill/three'];

interface Moment {
  /** What is counted until the kill: jobs sent, or jobs given to somebody. */
  readonly counted: 'sent' | 'taken';
  readonly count: number;
}

const moment = fc.record<Moment>({
  counted: fc.constantFrom('sent', 'taken'),
  count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 500 })),
});

/** Everything in the queues, dead letters among it. */
function stored(server: TestServer): string[] {
  const database = new DatabaseView(server.databaseUrl);
  const rows = database.rows('SELECT body FROM queue_messages');
  database.close();
  return rows.map(({ body }) => (body as Buffer).toString());
}

async function workAndEnd(
  server: TestServer,
  workers: readonly KillWorker[],
  { counted, count }: Moment,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> {
  let open = count;
  const tick = (what: Moment['counted']) => (): void => {
    if (what !== counted) return;
    open -= 1;
    if (open === 0) server.signal(signal);
  };
  for (const worker of workers) worker.onJob = tick('taken');
  await Promise.all(workers.map((worker) => worker.sendUntilKilled(tick('sent'))));
  expect(await server.exit()).toEqual(
    signal === 'SIGKILL' ? { code: null, signal } : { code: 0, signal: null },
  );
}

async function prove(signal: 'SIGKILL' | 'SIGTERM', times: number): Promise<void> {
  process.stdout.write(`queues, ${signal} with STAGEWIRE_TEST_SEED=${seed}\n`);
  const ledger = new Ledger();
  const workers = range(1, 3).map((number) => new KillWorker(`user-${number}`, queues, ledger));
  let server = await startServer({ settings: layoutOf(0).settings });
  for (const [round, one] of fc.sample(moment, { seed, numRuns: killsOf(times) }).entries()) {
    await Promise.all(workers.map((worker) => worker.comeBack(server)));
    await workAndEnd(server, workers, one, signal);
    ledger.ended();
    const there = stored(server);
    expect(new Set(there).size, 'each job is there once').toBe(there.length);
    const kept = new Set(there);
    expect(
      ledger.left().filter((text) => !kept.has(text)),
      'receipted and lost',
    ).toEqual([]);
    expect(
      there.filter((text) => ledger.done.has(text)),
      'acknowledged and still there',
    ).toEqual([]);
    expect(ledger.faults).toEqual([]);
    server = await server.restart(layoutOf(round + 1).settings);
  }
  await server.stop();
  expect(ledger.done.size).toBeGreaterThan(0);
}

test('[KILL1] [QUEUES17] a queue outlives kill after kill: nothing is lost, done twice or with two', async () => {
  await prove('SIGKILL', 20);
  expect.hasAssertions();
}, 300_000);

test('[KILL2] [QUEUES17] [QUEUES18] a drain loses nothing of a queue either', async () => {
  await prove('SIGTERM', 4);
  expect.hasAssertions();
}, 120_000);
