// A store that is watched: what is counted, and when the database counts as unavailable.
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { countsAlone } from '../../src/lib/metrics.ts';
import { storageMetrics, type StorageCounts } from '../../src/storage/storage-metrics.ts';
import { StorageError, type Query, type Transaction } from '../../src/storage/storage.ts';
import { WatchedStorage } from '../../src/storage/watched.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeStorage, unavailable, violated } from '../support/fake-storage.ts';

let inner: FakeStorage;
let clock: FakeClock;
let counts: StorageCounts;
let storage: WatchedStorage;
/** Lines of the log, without their times. */
let lines: Record<string, unknown>[];

const room: Query = { name: 'room', args: { roomId: 'a' } };

const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });

beforeEach(() => {
  lines = [];
  inner = new FakeStorage();
  inner.holdsCommits = true;
  clock = new FakeClock();
  counts = countsAlone(storageMetrics);
  storage = new WatchedStorage(inner, { counts, clock, monotonicMs: () => clock.now(), log });
});

const insert = (topic: string): Transaction[number] => ({
  op: 'insert',
  table: 'topics',
  row: { topic, epoch: 'e', created_at: clock.now() },
});

/** Lets what was answered reach those who wait for it. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function commit(refuse?: () => ReturnType<typeof unavailable> | null): Promise<void> {
  const done = storage.commit([[insert('a'), insert('b')], [insert('c')]]);
  clock.advance(250);
  inner.nextCommit().settle(refuse);
  await done;
}

const values = (): number[] => [counts.commits.value, counts.commitFailures.value, counts.writes.value];

describe('what is counted', () => {
  test('commits, their writes and how long they took', async () => {
    await commit();
    expect(values()).toEqual([1, 0, 3]);
    await commit(violated);
    // What the data refuses is no failure of the database.
    expect(values()).toEqual([2, 0, 3]);
    await commit(unavailable);
    expect(values()).toEqual([3, 1, 3]);
  });

  test('queries, and those that fail', async () => {
    await storage.query(room);
    inner.brokenQueries.add('room');
    await expect(storage.query(room)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect([counts.queries.value, counts.queryFailures.value]).toEqual([2, 1]);
  });
});

describe('a database that fails', () => {
  test('[METRIC5] a commit tells, and only a commit that is made heals it, tried once a second', async () => {
    await commit(violated);
    expect(counts.unavailable.value).toBe(0);
    await commit(unavailable);
    expect(counts.unavailable.value).toBe(1);
    await storage.query(room);
    expect(counts.unavailable.value).toBe(1);

    clock.advance(1_000);
    // The next second does not pile up on one that is not answered.
    clock.advance(5_000);
    expect(inner.heldCommits).toHaveLength(1);
    inner.nextCommit().settle(unavailable);
    await settled();
    expect(counts.unavailable.value).toBe(1);

    clock.advance(1_000);
    inner.nextCommit().settle();
    await settled();
    expect(counts.unavailable.value).toBe(0);
    clock.advance(10_000);
    expect(inner.heldCommits).toHaveLength(0);
  });

  test('[METRIC5] a query tells, and is tried again until it is answered', async () => {
    inner.brokenQueries.add('room');
    await expect(storage.query(room)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect(counts.unavailable.value).toBe(1);
    clock.advance(1_000);
    await settled();
    expect([inner.queries.length, counts.unavailable.value]).toEqual([2, 1]);
    inner.brokenQueries.clear();
    clock.advance(1_000);
    await settled();
    expect([inner.queries.length, counts.unavailable.value]).toEqual([3, 0]);
    clock.advance(10_000);
    expect(inner.queries).toHaveLength(3);
  });

  test('[METRIC5] a store that is closed is not tried any more', async () => {
    await commit(unavailable);
    await storage.close();
    clock.advance(10_000);
    expect(inner.heldCommits).toHaveLength(0);
  });
});

describe('a database that owes an answer', () => {
  const since = (): number => counts.unansweredSinceMs.value;

  test('[METRIC7] it is known since when, of the oldest', async () => {
    inner.holdsQueries = true;
    expect(since()).toBe(0);
    clock.advance(100);
    const startMs = Math.ceil(clock.now() / 100) * 100;
    const first = storage.query(room);
    const second = storage.query(room);
    expect(since()).toBe(startMs);
    clock.advance(200);
    const third = storage.commit([[insert('a')]]);
    inner.heldQueries[1]?.answer();
    await second;
    expect(since()).toBe(startMs);
    inner.heldQueries[0]?.fail();
    await expect(first).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect(since()).toBe(startMs + 200);
    inner.nextCommit().settle();
    await third;
    expect(since()).toBe(0);
  });

  test('[LOG1] a late answer is an outage to the log, also where nothing was refused', async () => {
    const done = storage.commit([[insert('a')]]);
    clock.advance(2_900);
    expect(lines).toEqual([]);
    clock.advance(1_000);
    const away = {
      level: 50,
      reason: 'it has not answered for 3 s',
      msg: 'the database is away',
    };
    expect(lines).toEqual([away]);
    inner.nextCommit().settle();
    await done;
    clock.advance(999);
    expect(lines).toEqual([away]);
    clock.advance(1);
    expect(lines).toEqual([
      away,
      { level: 30, awayMs: 3_900, failedCommits: 0, failedQueries: 0, msg: 'the database is back' },
    ]);
  });

  test('[LOG1] [METRIC7] a thread that the database blocks tells when it goes on', async () => {
    // As a store that is called and does not return.
    inner.holdsCommits = false;
    const make = inner.commit.bind(inner);
    inner.commit = (transactions) => {
      expect(since()).toBeGreaterThan(0);
      clock.skip(5_000);
      return make(transactions);
    };
    await storage.commit([[insert('a')]]);
    expect(since()).toBe(0);
    clock.advance(1_000);
    expect(lines.map(({ msg }) => msg)).toEqual(['the database is away', 'the database is back']);
    expect(lines[1]?.['awayMs']).toBeGreaterThanOrEqual(4_900);
  });
});

describe('what the log says of a database that fails', () => {
  test('[LOG1] one line when it begins and one when it is over, with what failed meanwhile', async () => {
    await commit(violated);
    await commit(unavailable);
    inner.brokenQueries.add('room');
    for (let count = 0; count < 3; count += 1) await storage.query(room).catch(() => undefined);
    await commit(unavailable);
    inner.brokenQueries.clear();
    // It works for a moment, which is not taken for its end.
    await storage.query(room);
    await commit();
    clock.advance(500);
    await commit(unavailable);
    await commit();
    expect(lines).toMatchObject([{ level: 50, reason: 'SQL says no.' }]);
    clock.advance(1_000);
    expect(lines.slice(1)).toEqual([
      { level: 30, awayMs: 1_750, failedCommits: 3, failedQueries: 3, msg: 'the database is back' },
    ]);
    clock.advance(10_000);
    await commit(unavailable);
    expect(lines).toHaveLength(3);
  });
});

describe('a claim that is lost', () => {
  const lost = new StorageError('FENCED', 'Somebody else has it.');
  const heard: StorageError[] = [];

  beforeEach(() => {
    heard.length = 0;
    const onFenced = (error: StorageError): void => void heard.push(error);
    storage = new WatchedStorage(inner, { counts, clock, monotonicMs: () => clock.now(), log, onFenced });
  });

  async function expectFenced(): Promise<void> {
    expect(heard).toEqual([lost]);
    expect(counts.unavailable.value).toBe(1);
    const asked = [inner.commits.length, inner.queries.length];
    expect(await storage.commit([[insert('d')], []])).toEqual([lost, lost]);
    await expect(storage.query(room)).rejects.toBe(lost);
    clock.advance(10_000);
    await settled();
    // Nobody asks the store any more, and nobody is told again.
    expect([inner.commits.length, inner.queries.length]).toEqual(asked);
    expect(heard).toEqual([lost]);
    expect(counts.unavailable.value).toBe(1);
    await storage.close();
  }

  test('[FENCE8] a commit tells, before whoever made it hears of it, and it is for good', async () => {
    const done = storage.commit([[insert('a')]]).then(() => expect(heard).toEqual([lost]));
    inner.nextCommit().settle(() => lost);
    await done;
    await expectFenced();
  });

  test('[FENCE8] whoever writes nothing asks once a second', async () => {
    clock.advance(1_000);
    expect(inner.nextCommit().transactions).toEqual([[]]);
    inner.nextCommit().settle();
    await settled();
    expect(counts.unavailable.value).toBe(0);
    clock.advance(1_000);
    // The next second does not pile up on one that is not answered.
    clock.advance(5_000);
    expect(inner.heldCommits).toHaveLength(1);
    inner.nextCommit().settle(() => lost);
    await settled();
    await expectFenced();
  });

  test('[FENCE8] what could not be asked counts as unavailable, and heals', async () => {
    clock.advance(1_000);
    inner.nextCommit().settle(unavailable);
    await settled();
    expect(counts.unavailable.value).toBe(1);
    clock.advance(1_000);
    expect(inner.heldCommits.map(({ transactions }) => transactions.flat().length)).toEqual([1]);
    inner.nextCommit().settle();
    await settled();
    expect(counts.unavailable.value).toBe(0);
    expect(heard).toEqual([]);
  });

  test('[FENCE8] it is found by what is tried while the database fails', async () => {
    await commit(unavailable);
    clock.advance(1_000);
    inner.nextCommit().settle(() => lost);
    await settled();
    await expectFenced();
  });

  test('[FENCE8] closing asks a last time, and nobody asks afterwards', async () => {
    const closing = storage.close();
    inner.nextCommit().settle(() => lost);
    await closing;
    expect(heard).toEqual([lost]);
    clock.advance(10_000);
    expect(inner.commits).toEqual([[[]]]);
  });
});
