// When actors get snapshots, where they are kept, and what a load makes of those that it finds.
import { describe, expect, test } from 'vitest';
import { FakeShared } from '../support/fake-shared.ts';
import { FakeStorage, unavailable, violated } from '../support/fake-storage.ts';
import { redisMs, roundMs, Snapshots } from './snapshot-shard.ts';
import { rounds } from './test-shard.ts';

const actor = 'document/d';
const databaseMs = 300_000;

describe('a snapshot', () => {
  test('[SNAP6] is taken some seconds after something was written, and not again before more is', async () => {
    const shard = new Snapshots();
    await shard.insert('one');
    await shard.pass(redisMs - 1);
    expect(shard.inRedis()).toBeNull();
    await shard.pass(roundMs);
    expect(shard.inRedis()).toMatchObject({ place: 1, data: { content: 'one' } });
    shard.shared.snapshots.clear();
    await shard.pass(10 * redisMs);
    expect(shard.inRedis()).toBeNull();
    await shard.insert('two ');
    await shard.pass(redisMs + roundMs);
    expect(shard.inRedis()).toMatchObject({ place: 2, data: { content: 'onetwo ' } });
  });

  test('[SNAP6] waits for the commit of all that is in it', async () => {
    const shard = new Snapshots();
    shard.storage.holdsCommits = true;
    await shard.insert('one');
    await shard.pass(redisMs + roundMs);
    expect(shard.inRedis()).toBeNull();
    shard.storage.nextCommit().settle();
    await rounds();
    expect(shard.inRedis()).toMatchObject({ place: 1 });
  });

  test('[SNAP6] is dropped with a commit that fails', async () => {
    const shard = new Snapshots();
    shard.storage.holdsCommits = true;
    await shard.insert('one');
    await shard.pass(redisMs + roundMs);
    shard.storage.nextCommit().settle(() => unavailable());
    await shard.pass(10 * redisMs);
    expect(shard.inRedis()).toBeNull();
  });

  test('[SNAP6] is taken of what leaves memory, and of all that is owed one when the node ends', async () => {
    const shard = new Snapshots();
    for (let number = 0; number < 2; number += 1) await shard.insert('x', `document/${number}`);
    await rounds();
    shard.shard.drain();
    await rounds();
    expect([shard.inRedis('document/0'), shard.inRedis('document/1')]).not.toContain(null);
    const tick = JSON.stringify({ symbol: 'A', price: '1' });
    await shard.answerOf('ticks', { actor: 'prices/', roles: ['service'], body: tick });
    await shard.pass(2 * redisMs);
    expect(await shard.inDatabase('prices/')).toBeNull();
    await shard.pass(3 * 60_000);
    expect(await shard.inDatabase('prices/')).toMatchObject({
      data: [['A', '1', '1', expect.any(Number), 0, expect.any(Number)]],
    });
  });

  test('[SNAP6] of which there are many at once are taken in bounded rounds', async () => {
    const shard = new Snapshots();
    const text = 'x'.repeat(48 * 1024);
    for (let number = 0; number < 100; number += 1) await shard.insert(text, `document/${number}`);
    await shard.pass(redisMs - roundMs);
    expect(shard.shared.snapshots.size).toBe(0);
    const sizes: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await shard.pass(roundMs);
      sizes.push(shard.shared.snapshots.size);
    }
    expect(sizes).toEqual([43, 86, 100]);
  });

  test('[SNAP7] comes into the database at longer intervals, beside all commits', async () => {
    const shard = new Snapshots();
    const tick = JSON.stringify({ symbol: 'A', price: '1' });
    await shard.answerOf('ticks', { actor: 'prices/', roles: ['service'], body: tick });
    // Somebody who looks keeps the book in memory.
    shard.subscribe({ actor: 'prices/', stream: 'all', destination: '/topic/prices' });
    for (let minute = 0; minute < 4; minute += 1) {
      await shard.pass(59_000);
      await shard.answerOf('list', { actor: 'prices/' });
    }
    expect(shard.inRedis('prices/')).not.toBeNull();
    expect(await shard.inDatabase('prices/')).toBeNull();
    await shard.pass(59_000);
    await shard.answerOf('list', { actor: 'prices/' });
    await shard.pass(databaseMs - 5 * 59_000 + roundMs);
    expect(await shard.inDatabase('prices/')).not.toBeNull();
    const last = shard.storage.commits.at(-1);
    expect(last?.map((writes) => writes.map(({ op }) => op))).toEqual([['upsert']]);
  });

  test.each([
    { because: 'it is refused', error: violated, warnings: ['snapshots could not be stored'] },
    // That is told once, and not by all that meets it.
    { because: 'the database is away', error: unavailable, warnings: [] },
  ])(
    '[SNAP7] that can not be stored as $because costs nothing but a warning',
    async ({ error, warnings }) => {
      const shard = new Snapshots();
      const tick = JSON.stringify({ symbol: 'A', price: '1' });
      await shard.answerOf('ticks', { actor: 'prices/', roles: ['service'], body: tick });
      await rounds();
      shard.storage.holdsCommits = true;
      shard.shard.drain();
      await rounds();
      expect(shard.shard.idle).toBe(false);
      shard.storage.nextCommit().settle(() => error());
      await rounds();
      expect(shard.shard.idle).toBe(true);
      expect(shard.warnings.map(({ msg }) => msg)).toEqual(warnings);
    },
  );

  test('[SNAP7] is neither taken nor kept by a server that another one has replaced', async () => {
    const shard = new Snapshots();
    await shard.insert('one');
    await rounds();
    shard.shard.fence();
    await shard.pass(10 * redisMs);
    shard.shard.drain();
    await rounds();
    expect(shard.shared.snapshots.size).toBe(0);
  });

  test('[SNAP8] spares what came before it; the farthest of those that lie anywhere is taken', async () => {
    const shard = new Snapshots();
    for (const text of ['a', 'b', 'c']) await shard.insert(text);
    await shard.pass(redisMs + roundMs);
    await shard.insert('d');
    await rounds();
    const next = shard.next();
    next.storage.queries.splice(0);
    expect(await next.content()).toBe('abcd');
    const names = next.storage.queries.map(({ name }) => name);
    expect(names).toEqual(['document', 'documentHead', 'documentOperationsAfter']);
    expect(next.storage.queries[2]?.args).toMatchObject({ after: 1 });
  });

  test('[SNAP8] is done without while Redis is away', async () => {
    const shard = new Snapshots();
    await shard.insert('one');
    await shard.pass(redisMs + roundMs);
    shard.shared.isAway = true;
    const next = shard.next();
    expect(await next.content()).toBe('one');
    expect(next.warnings).toEqual([]);
  });

  test('[SNAP5] of a history that the database does not have is ignored: one that was restored goes on another way', async () => {
    const shard = new Snapshots();
    for (const text of ['a', 'b']) await shard.insert(text);
    await rounds();
    const backup = await rowsOf(shard.storage);
    await shard.insert('lost');
    await shard.pass(redisMs + roundMs);
    const storage = new FakeStorage();
    await storage.commit([backup]);
    const restored = new Snapshots(storage, new FakeShared());
    await restored.insert('X');
    await restored.insert('Y');
    await rounds();
    const next = new Snapshots(storage, shard.shared);
    expect(await next.content()).toBe('abXY');
    expect(next.warnings).toMatchObject([
      { actor, what: 'snapshot in redis', why: 'it is of another history' },
    ]);
  });
});

/** The rows of a document, as a backup has them. */
async function rowsOf(storage: FakeStorage) {
  const [document] = await storage.query({ name: 'document', args: { docId: 'd' } });
  const args = { docId: 'd', after: -1, limit: 100 };
  const operations = await storage.query({ name: 'documentOperationsAfter', args });
  if (!document) return expect.fail('there is no document');
  return [
    { op: 'insert', table: 'documents', row: document } as const,
    ...operations.map((row) => ({ op: 'insert', table: 'document_operations', row }) as const),
  ];
}

describe('prices', () => {
  const book = { actor: 'prices/', roles: ['service'] };
  const list = async (shard: Snapshots): Promise<unknown> =>
    JSON.parse((await shard.answerOf('list', book))?.slice('ok: '.length) ?? '');

  /** A book whose snapshot knows more than its rows do. */
  async function ahead(): Promise<Snapshots> {
    const shard = new Snapshots();
    const tick = (price: string): Promise<string | null> =>
      shard.answerOf('ticks', { ...book, body: JSON.stringify({ symbol: 'A', price }) });
    await tick('1');
    await shard.pass(1_000);
    const backup = await shard.storage.query({ name: 'prices', args: {} });
    await tick('2');
    await shard.pass(redisMs + roundMs);
    for (const row of backup) await shard.storage.commit([[{ op: 'upsert', table: 'prices', row }]]);
    return shard;
  }

  test('[SNAP9] go on from the newest value that is known, and store it', async () => {
    const next = (await ahead()).next();
    expect(await list(next)).toMatchObject([{ symbol: 'A', price: '2' }]);
    next.shard.drain();
    await rounds();
    expect(await next.storage.query({ name: 'prices', args: {} })).toMatchObject([{ price: '2' }]);
  });

  test('[SNAP9] that the database does not know any more do not come back', async () => {
    const shard = await ahead();
    await shard.storage.commit([[{ op: 'delete', table: 'prices', key: { symbol: 'A' } }]]);
    expect(await list(shard.next())).toEqual([]);
  });

  test('[SNAP9] of the future are not believed', async () => {
    const shard = await ahead();
    const early = new Snapshots(shard.storage, shard.shared);
    expect(await list(early)).toMatchObject([{ symbol: 'A', price: '1' }]);
    expect(early.warnings).toMatchObject([{ why: 'it is of the future' }]);
  });
});
