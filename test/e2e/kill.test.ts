// Proof by killing: clients send and read, the process is killed at a random moment and started again on the same
// file, and every promise is held against what is there. STAGEWIRE_TEST_SEED=<seed> runs the same moments again.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { Participant } from '../support/kill-load.ts';
import { layouts } from '../support/layouts.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';
import { roomStream, topicStream, type TestStream } from '../support/streams.ts';

const seed = Number(process.env['STAGEWIRE_TEST_SEED'] ?? Date.now() % 1_000_000);

interface Moment {
  /** What is counted until the kill: frames that clients send, or frames that they get. */
  readonly counted: 'sent' | 'received';
  readonly count: number;
}

interface Ending {
  readonly signal: 'SIGKILL' | 'SIGTERM';
}

const moment = fc.record<Moment>({
  counted: fc.constantFrom('sent', 'received'),
  count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 900 })),
});

/** Lets the participants send until the moment has come, and the process die at it. */
async function sendAndEnd(
  server: TestServer,
  participants: readonly Participant[],
  { counted, count, signal }: Moment & Ending,
): Promise<void> {
  let open = count;
  const tick = (what: Moment['counted']) => (): void => {
    if (what !== counted) return;
    open -= 1;
    if (open === 0) server.signal(signal);
  };
  for (const participant of participants) participant.onFrame = tick('received');
  await Promise.all(participants.map((one) => one.sendUntilKilled(tick('sent'))));
  const exit = signal === 'SIGKILL' ? { code: null, signal } : { code: 0, signal: null };
  expect(await server.exit()).toEqual(exit);
}

/** What the database holds against what was promised. */
function check(
  server: TestServer,
  participants: readonly Participant[],
  streams: readonly TestStream[],
): void {
  const database = new DatabaseView(server.databaseFile);
  const texts: string[] = [];
  for (const stream of streams) {
    const stored = stream.stored(database);
    expect(stored.map(({ seq }) => seq)).toEqual(range(1, stored.length));
    texts.push(...stored.map(({ text }) => text));
  }
  expect(new Set(texts).size).toBe(texts.length);
  const stored = new Set(texts);
  for (const participant of participants) {
    const lost = [...participant.acknowledged].filter((text) => !stored.has(text));
    expect(lost, 'acknowledged and lost').toEqual([]);
    participant.check(database);
    expect(participant.faults).toEqual([]);
  }
  database.close();
}

/** All of them come back before anybody sends, so what each gets is exactly what it missed. */
async function comeBack(
  server: TestServer,
  participants: readonly Participant[],
  streams: readonly TestStream[],
): Promise<void> {
  const database = new DatabaseView(server.databaseFile);
  const heads = streams.map((stream) => stream.stored(database).length);
  database.close();
  await Promise.all(participants.map((one) => one.comeBack(server)));
  for (const participant of participants) {
    expect(participant.faults).toEqual([]);
    expect(streams.map((stream) => participant.seqOf(stream))).toEqual(heads);
  }
}

/** Ends the server that often, at random moments, and starts it again. */
async function prove({ signal }: Ending, times: number): Promise<void> {
  process.stdout.write(`${signal} with STAGEWIRE_TEST_SEED=${seed}\n`);
  let server = await startServer({ settings: layouts[0]?.settings ?? {} });
  const streams = [
    await roomStream(server),
    await roomStream(server),
    await topicStream(),
    await topicStream(),
  ];
  const first = await connectStomp(server, { user: 'alice' });
  for (const stream of streams) await first.send(stream.sendTo, stream.body(`first of ${stream.sendTo}`));
  const participants = range(1, 4).map((number) => new Participant(`user-${number}`, streams));

  for (const [round, one] of fc.sample(moment, { seed, numRuns: times }).entries()) {
    await comeBack(server, participants, streams);
    await Promise.all(participants.map((participant) => participant.repeat()));
    await sendAndEnd(server, participants, { ...one, signal });
    server = await server.restart(layouts[(round + 1) % layouts.length]?.settings);
    check(server, participants, streams);
  }

  await comeBack(server, participants, streams);
  await Promise.all(participants.map((participant) => participant.repeat()));
  await Promise.all(participants.map((participant) => participant.leave()));
  await server.stop();
  check(server, participants, streams);
  const seen = participants.map((participant) => streams.map((stream) => participant.sights.get(stream)));
  for (const other of seen) expect(other).toEqual(seen[0]);
}

test('[KILL1] what was acknowledged or seen outlives 22 kills, once and in order', async () => {
  await prove({ signal: 'SIGKILL' }, 22);
  expect.hasAssertions();
}, 120_000);

test('[KILL2] a drain loses nothing either', async () => {
  await prove({ signal: 'SIGTERM' }, 4);
  expect.hasAssertions();
}, 60_000);
