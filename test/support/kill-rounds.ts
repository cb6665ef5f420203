// Proof by killing: participants follow and ask, the process is ended at a random moment and started again on the same
// database, and every promise is held against what is there. STAGEWIRE_TEST_SEED=<seed> runs the same moments again.
import fc from 'fast-check';
import { expect } from 'vitest';
import { DatabaseView } from './database.ts';
import { layoutOf } from './layouts.ts';
import type { AnyParticipant, Shift } from './participant.ts';
import { range } from './rooms.ts';
import { startServer, type TestServer } from './server.ts';
import { killsOf } from './store.ts';

export interface Load {
  readonly participants: readonly AnyParticipant[];
  /** Holds what was answered, and what was heard of what is not resumable, against what the database holds. */
  readonly check: (database: DatabaseView) => void;
}

/** Makes what the participants use. */
export type MakeLoad = (server: TestServer) => Promise<Load>;

export interface Ending {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly times: number;
  /** The latest moment, in frames. */
  readonly framesMax: number;
}

interface Moment {
  /** What is counted until the end: what participants ask for, or the frames that they get. */
  readonly counted: 'asked' | 'received';
  readonly count: number;
}

const seed = Number(process.env['STAGEWIRE_TEST_SEED'] ?? Date.now() % 1_000_000);

const moments = (framesMax: number): fc.Arbitrary<Moment> =>
  fc.record({
    counted: fc.constantFrom('asked', 'received'),
    count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: framesMax })),
  });

/** Lets the participants work until the moment has come, and the process end at it. */
async function workAndEnd(
  server: TestServer,
  { participants }: Load,
  { counted, count, signal }: Moment & Ending,
): Promise<void> {
  let open = count;
  const tick = (what: Moment['counted']) => (): void => {
    if (what !== counted) return;
    open -= 1;
    if (open === 0) server.signal(signal);
  };
  const shift: Shift = { onSend: tick('asked'), isOver: () => false, mayBeUnavailable: false };
  for (const participant of participants) participant.onFrame = tick('received');
  await Promise.all(participants.map((one) => one.work(shift)));
  const exit = signal === 'SIGKILL' ? { code: null, signal } : { code: 0, signal: null };
  expect(await server.exit()).toEqual(exit);
}

/** Each is there once. */
export function expectOnce<Value>(stored: readonly Value[]): ReadonlySet<Value> {
  const values = new Set(stored);
  expect(values.size, 'once each').toBe(stored.length);
  return values;
}

export function expectKept<Value>(promised: Iterable<Value>, stored: ReadonlySet<Value>): void {
  const lost = [...promised].filter((value) => !stored.has(value));
  expect(lost, 'promised and lost').toEqual([]);
}

/** What the database holds against what was promised. */
export function check(server: TestServer, load: Load): void {
  const database = new DatabaseView(server.databaseUrl);
  for (const participant of load.participants) {
    for (const follower of participant.followers) {
      const stored = follower.followed.stored(database);
      expect(stored.map(({ seq }) => seq)).toEqual(range(1, stored.length));
      follower.check(stored);
    }
    expect(participant.faults).toEqual([]);
  }
  load.check(database);
  database.close();
}

/** All of them come back before anybody asks for anything, so what each gets is exactly what it missed. */
export async function comeBack(server: TestServer, { participants }: Load): Promise<void> {
  await Promise.all(participants.map((one) => one.comeBack(server)));
  const database = new DatabaseView(server.databaseUrl);
  for (const { followers, faults } of participants) {
    expect(faults).toEqual([]);
    for (const { followed, seq } of followers) expect(seq).toBe(followed.stored(database).length);
  }
  database.close();
}

/** Everything that was asked for has been answered, and all have seen everything. */
export async function finish(server: TestServer, load: Load): Promise<void> {
  const { participants } = load;
  await Promise.all(participants.map((one) => one.repeat()));
  await Promise.all(participants.map((one) => one.leave()));
  await comeBack(server, load);
  await Promise.all(participants.map((one) => one.leave()));
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  check(server, load);
  for (const { pending } of participants) expect([...pending.keys()]).toEqual([]);
}

/** Ends the server that often (less often on MySQL), at random moments, and starts it again. */
export async function prove(makeLoad: MakeLoad, ending: Ending): Promise<void> {
  const { signal, times, framesMax } = ending;
  process.stdout.write(`${signal} with STAGEWIRE_TEST_SEED=${seed}\n`);
  let server = await startServer({ settings: layoutOf(0).settings });
  const load = await makeLoad(server);
  for (const [round, moment] of fc.sample(moments(framesMax), { seed, numRuns: killsOf(times) }).entries()) {
    await comeBack(server, load);
    await Promise.all(load.participants.map((one) => one.repeat()));
    await workAndEnd(server, load, { ...moment, ...ending });
    server = await server.restart(layoutOf(round + 1).settings);
    check(server, load);
  }
  await comeBack(server, load);
  await finish(server, load);
}
