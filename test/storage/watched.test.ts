// A store that is watched: what is counted, and when the database counts as unavailable.
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

const room: Query = { name: 'room', args: { roomId: 'a' } };

beforeEach(() => {
  inner = new FakeStorage();
  inner.holdsCommits = true;
  clock = new FakeClock();
  counts = countsAlone(storageMetrics);
  storage = new WatchedStorage(inner, { counts, clock, monotonicMs: () => clock.now() });
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

describe('a claim that is lost', () => {
  const lost = new StorageError('FENCED', 'Somebody else has it.');
  const heard: StorageError[] = [];

  beforeEach(() => {
    heard.length = 0;
    const onFenced = (error: StorageError): void => void heard.push(error);
    storage = new WatchedStorage(inner, { counts, clock, monotonicMs: () => clock.now(), onFenced });
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
