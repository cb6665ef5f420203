// Idempotency keys: a command that is sent again has no second effect.
import { expect, test } from 'vitest';
import { keyLifetimeMs, loadedKeysMax, Seen, seenKeysMax } from '../../src/actors/seen.ts';
import type { IdempotencyKeyRow } from '../../src/storage/tables.ts';
import { unavailable } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const log = '/probe/a';

test('[ACTOR15] a repeat is answered like the first and has no second effect', async () => {
  const shard = new TestShard();
  shard.subscribe();
  for (let repeat = 0; repeat < 3; repeat += 1) {
    expect(await shard.answerOf('write', { key: 'k', body: 'once' })).toBe('ok');
  }
  expect(shard.edge.texts(log)).toEqual(['once']);
  expect(await shard.answerOf('stored')).toBe('ok: [1]');
});

test('[ACTOR15] keys are of one user, one command and one actor', async () => {
  const shard = new TestShard();
  await shard.answerOf('write', { key: 'k' });
  await shard.answerOf('write', { key: 'k', user: 'bob' });
  await shard.answerOf('write', { key: 'k', actor: 'probe/b' });
  await shard.answerOf('writeAndRing', { key: 'k', body: '60000' });
  expect(await shard.answerOf('newest')).toBe('ok: 2');
  expect(await shard.answerOf('newest', { actor: 'probe/b' })).toBe('ok: 1');
  const stored = await shard.storage.query({
    name: 'idempotencyKeys',
    args: { actor: 'probe/a', since: 0, limit: 10 },
  });
  expect(stored.map(({ command, user_id: user }) => `${command} ${user}`)).toEqual([
    'write alice',
    'write bob',
    'writeAndRing alice',
  ]);
});

test('[ACTOR15] a repeat that comes while the first waits for its commit is answered after it', async () => {
  const shard = new TestShard();
  await shard.answerOf('write', { key: 'other' });
  shard.storage.holdsCommits = true;
  const asked = [shard.ask('write', { key: 'k' }), shard.ask('write', { key: 'k', edge: 1 })];
  await rounds();
  asked.push(shard.ask('write', { key: 'k' }));
  const answers = (): unknown =>
    asked.map((request, index) => shard.edges[index === 1 ? 1 : 0].answer(request));
  await rounds();
  expect(answers()).toEqual([null, null, null]);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(answers()).toEqual(['ok', 'ok', 'ok']);
  expect(await shard.answerOf('newest')).toBe('ok: 2');
});

test('[ACTOR15] a first attempt whose commit failed takes its repeats with it, and can be repeated', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest');
  shard.storage.holdsCommits = true;
  const asked = [shard.ask('write', { key: 'k' }), shard.ask('write', { key: 'k' })];
  await rounds();
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  shard.storage.holdsCommits = false;
  expect(await shard.answerOf('write', { key: 'k' })).toBe('ok');
  expect(await shard.answerOf('stored')).toBe('ok: [1]');
});

test('[ACTOR15] a command that was refused or broke can be repeated', async () => {
  const shard = new TestShard();
  for (const command of ['refuse', 'fault']) {
    const first = await shard.answerOf(command, { key: 'k' });
    expect(await shard.answerOf(command, { key: 'k' })).toBe(first);
  }
  expect(await shard.answerOf('write', { key: 'k' })).toBe('ok');
});

test('[ACTOR15] keys outlive the actor, and are forgotten after 24 hours', async () => {
  const shard = new TestShard({ idleMs: 60_000 });
  await shard.answerOf('write', { key: 'k' });
  shard.clock.advance(keyLifetimeMs - 1);
  await shard.answerOf('write', { key: 'k' });
  expect(await shard.answerOf('newest')).toBe('ok: 1');
  // It is in memory now: its time is that of the first attempt all the same.
  shard.clock.advance(2);
  await shard.answerOf('write', { key: 'k' });
  expect(await shard.answerOf('newest')).toBe('ok: 2');
});

test('[ACTOR15] with more keys than memory holds the database tells', async () => {
  const shard = new TestShard({ mailboxMax: 10_000, writesMax: 100_000 });
  const count = seenKeysMax + 50;
  for (let index = 0; index < count; index += 1) shard.ask('write', { key: `k${index}` });
  do await rounds();
  while (!shard.shard.idle);
  expect(await shard.answerOf('newest')).toBe(`ok: ${count}`);
  for (const key of ['k0', 'k49', `k${count - 1}`]) await shard.answerOf('write', { key });
  expect(await shard.answerOf('newest')).toBe(`ok: ${count}`);
  // Also after a reload, which reads the newest.
  await shard.answerOf('fault');
  for (const key of ['k0', 'k60', `k${count - 1}`]) await shard.answerOf('write', { key });
  expect(await shard.answerOf('newest')).toBe(`ok: ${count}`);
  await shard.answerOf('write', { key: 'new' });
  expect(await shard.answerOf('newest')).toBe(`ok: ${count + 1}`);
});

test('[ACTOR15] when the database can not tell whether a command is a repeat, it is refused', async () => {
  const shard = new TestShard();
  await shard.answerOf('write', { key: 'k' });
  await shard.answerOf('fault');
  shard.storage.brokenQueries.add('idempotencyKeys');
  expect(await shard.answerOf('write', { key: 'k' })).toBe('UNAVAILABLE');
  expect(await shard.answerOf('write', {})).toBe('ok');
  shard.storage.brokenQueries.clear();
  expect(await shard.answerOf('write', { key: 'k' })).toBe('ok');
  expect(await shard.answerOf('newest')).toBe('ok: 2');
});

test('[ACTOR15] what memory says of a key is what it was told, or that it does not know', () => {
  const keyOf = (key: string) => ({ command: 'c', user: 'u', key });
  const row = (index: number): IdempotencyKeyRow => ({
    actor: 'a',
    command: 'c',
    user_id: 'u',
    idempotency_key: `old${index}`,
    created_at: 1_000_000 - index,
  });
  const few = new Seen([row(0), row(1)]);
  expect([few.has(keyOf('old1'), 1_000_000), few.has(keyOf('new'), 1_000_000)]).toEqual([true, false]);

  const lots = new Seen(Array.from({ length: seenKeysMax + 10 }, (_, index) => row(index)));
  expect([lots.has(keyOf('old1'), 1_000_000), lots.has(keyOf('new'), 1_000_000)]).toEqual([true, false]);
  // One that made way has left a trace, which another might have left.
  expect(lots.has(keyOf(`old${seenKeysMax + 9}`), 1_000_000)).toBeNull();
  lots.add(keyOf('new'), 1_000_001);
  expect(lots.has(keyOf('new'), 1_000_001)).toBe(true);
  expect(lots.has(keyOf('new'), 1_000_001 + keyLifetimeMs)).toBe(false);

  const all = new Seen(Array.from({ length: loadedKeysMax }, (_, index) => row(index)));
  expect(all.has(keyOf('new'), 1_000_000)).toBeNull();
  expect(all.has(keyOf('new'), 1_000_000 + keyLifetimeMs)).toBe(false);
});

test('[ACTOR15] no key that counts is ever taken for a new one, however many there are and however long it goes on', () => {
  const seen = new Seen([]);
  const keyOf = (index: number) => ({ command: 'c', user: 'u', key: `k${index}` });
  const everyMs = 2_000;
  const kept = keyLifetimeMs / everyMs;
  let asked = 0;
  for (let index = 0; index < 4 * kept; index += 1) {
    const now = index * everyMs;
    if (seen.has(keyOf(index), now) === null) asked += 1;
    seen.add(keyOf(index), now);
    const old = index - 1 - (index % (kept - 1));
    if (old >= 0) expect(seen.has(keyOf(old), now)).not.toBe(false);
  }
  // Only those that left the same trace as another.
  expect(asked).toBeLessThan(50);
});

test('[ACTOR15] keys that were too old when they made way are not asked for in the database', () => {
  const seen = new Seen([]);
  for (let index = 0; index < seenKeysMax; index += 1)
    seen.add({ command: 'c', user: 'u', key: `k${index}` }, 0);
  const later = keyLifetimeMs + 1;
  seen.add({ command: 'c', user: 'u', key: 'new' }, later);
  expect(seen.has({ command: 'c', user: 'u', key: 'k0' }, later)).toBe(false);
});

test('[ACTOR15] commands whose keys only the database can tell share their commits, and are applied once', async () => {
  const shard = new TestShard();
  const keys = Array.from({ length: loadedKeysMax }, (_, index) => ({
    op: 'upsert' as const,
    table: 'idempotency_keys' as const,
    row: {
      actor: 'probe/a',
      command: 'write',
      user_id: 'alice',
      idempotency_key: `old${index}`,
      created_at: shard.clock.now(),
    },
  }));
  await shard.storage.commit([keys]);
  expect(await shard.answerOf('write', { key: 'old7' })).toBe('ok');
  expect(await shard.answerOf('newest')).toBe('ok: 0');
  shard.storage.holdsCommits = true;
  const before = shard.storage.commits.length;
  const asked = [1, 2, 3, 4, 5, 1, 3].map((key) => shard.ask('write', { key: `new${key}` }));
  await rounds(30);
  for (let commit = 0; commit < 2 && shard.storage.heldCommits.length > 0; commit += 1) {
    shard.storage.nextCommit().settle();
    await rounds(10);
  }
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(asked.map(() => 'ok'));
  expect(shard.storage.commits.length - before).toBeLessThanOrEqual(2);
  shard.storage.holdsCommits = false;
  expect(await shard.answerOf('newest')).toBe('ok: 5');
});
