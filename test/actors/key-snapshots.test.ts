// Snapshots of the keys that an actor has seen: they spare reading those of a whole day, and decide nothing.
import { expect, test } from 'vitest';
import { keysName } from '../../src/actors/remembering.ts';
import { keyLifetimeMs, Seen } from '../../src/actors/seen.ts';
import type { IdempotencyKeyRow } from '../../src/storage/tables.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { redisMs, roundMs, Snapshots } from './snapshot-shard.ts';
import { rounds } from './test-shard.ts';

const name = keysName('room/r');
const few = 1_024;
/** So many messages that what is remembered of them is worth a snapshot. */
const many = few + 200;

async function room(count: number, storage = new FakeStorage()): Promise<Snapshots> {
  const shard = new Snapshots(storage);
  const create = JSON.stringify({ name: 'Room', isPrivate: false });
  await shard.answerOf('create', { actor: 'room/r', body: create });
  for (let number = 1; number <= count; number += 1) {
    const body = JSON.stringify({ content: `m${number}`, clientMessageId: `k${number}` });
    shard.ask('send', { actor: 'room/r', body });
    if (number % 100 === 0) await rounds();
    shard.clock.advance(1);
  }
  await rounds();
  return shard;
}

const head = async (storage: FakeStorage): Promise<number | undefined> =>
  (await storage.query({ name: 'roomHead', args: { roomId: 'r' } }))[0]?.seq;

test('[SNAP10] keys have a snapshot, which spares a load to read them all', async () => {
  const shard = await room(many);
  await shard.pass(redisMs + roundMs);
  await shard.send('more', 'later');
  const next = shard.next();
  next.storage.queries.splice(0);
  for (const key of ['k1', `k${many}`, 'later', 'new', 'new'])
    expect(await next.send('again', key)).toBe('ok');
  expect(await head(next.storage)).toBe(many + 2);
  expect(next.warnings).toEqual([]);
  const asked = next.storage.queries.filter(({ name: of }) => of === 'idempotencyKeys');
  // From the newest key of the snapshot on, and not those of a whole day.
  expect(asked.map(({ args }) => args)).toMatchObject([{ since: shard.inRedis(name)?.place }]);
});

test('[SNAP10] few keys have none', async () => {
  const shard = await room(few - 100);
  shard.shard.drain();
  await rounds();
  expect([shard.inRedis(name), await shard.inDatabase(name)]).toEqual([null, null]);
});

test('[SNAP10] those of keys are found in the database where there is no Redis', async () => {
  const shard = await room(many);
  shard.shard.drain();
  await rounds();
  shard.shared.snapshots.clear();
  const next = shard.next();
  next.storage.queries.splice(0);
  for (const key of ['k1', 'new', 'new']) await next.send('again', key);
  expect(await head(next.storage)).toBe(many + 1);
  const asked = next.storage.queries.filter(({ name: of }) => of === 'idempotencyKeys');
  expect(asked[0]?.args).toMatchObject({ since: (await shard.inDatabase(name))?.place });
});

test('[SNAP11] keys that the database does not have are not taken for applied, nor those for new that it has', async () => {
  const shard = await room(many);
  await shard.pass(redisMs + roundMs);
  // Restored from a backup of before, it has gone on in its own way.
  const restored = await room(few + 1);
  restored.clock.advance(5);
  expect(await restored.send('other', 'other')).toBe('ok');
  await restored.pass(2 * redisMs);
  const next = new Snapshots(restored.storage, shard.shared);
  await next.pass(10 * redisMs);
  const before = (await head(next.storage)) ?? 0;
  for (const key of ['other', `k${few}`]) expect(await next.send('again', key)).toBe('ok');
  expect(await head(next.storage)).toBe(before);
  expect(await next.send('not lost', `k${many}`)).toBe('ok');
  expect(await head(next.storage)).toBe(before + 1);
  expect(next.warnings).toMatchObject([
    { actor: name, what: 'snapshot in redis', why: 'the database has not applied its newest command' },
  ]);
});

test('[SNAP11] keys are never missed for a clock that was set back', async () => {
  const shard = await room(many);
  await shard.pass(redisMs + roundMs);
  shard.clock.advance(-5 * redisMs);
  expect(await shard.send('early', 'early')).toBe('ok');
  const next = new Snapshots(shard.storage, shard.shared);
  await next.pass(10 * redisMs);
  const before = await head(next.storage);
  expect(await next.send('again', 'early')).toBe('ok');
  expect(await head(next.storage)).toBe(before);
  expect(next.warnings).toEqual([]);
});

test('[SNAP11] snapshots of the future, or spoilt, are done without: keys are read from the database, all of them', async () => {
  const shard = await room(many);
  await shard.pass(redisMs + roundMs);
  const early = new Snapshots(shard.storage, shard.shared);
  early.clock.advance(-redisMs);
  expect(await early.send('again', 'k1')).toBe('ok');
  expect(early.warnings).toMatchObject([{ why: 'it is of the future' }]);
  shard.shared.snapshots.set(name, Buffer.from('garbage'));
  const next = shard.next();
  for (const key of ['k1', `k${many}`]) expect(await next.send('again', key)).toBe('ok');
  expect(next.warnings).toMatchObject([{ actor: name, why: 'it is no snapshot' }]);
  expect(await head(next.storage)).toBe(many);
});

test('[SNAP11] no key that counts is taken for a new one, however often it is gone on from snapshots', () => {
  const everyMs = 10_000;
  const perDay = keyLifetimeMs / everyMs;
  const keyAt = (index: number) => ({ command: 'c', user: 'u', key: `k${index}` });
  const rowAt = (index: number): IdempotencyKeyRow => ({
    ...{ actor: 'a', command: 'c', user_id: 'u', idempotency_key: `k${index}` },
    created_at: index * everyMs,
  });
  let seen = new Seen([]);
  let traces = seen.keyTraces;
  let asked = 0;
  for (let index = 1; index < 4 * perDay; index += 1) {
    const now = index * everyMs;
    if (seen.has(keyAt(index), now) === null) asked += 1;
    seen.add(keyAt(index), now);
    const old = index - 1 - (index % (perDay - 1));
    if (old > 0) expect(seen.has(keyAt(old), now)).not.toBe(false);
    // The snapshot is some time old when it is used.
    if (index % 700 === 0) traces = seen.keyTraces;
    if (index % 1_000 !== 0 || !traces) continue;
    const first = traces.newest.madeAt / everyMs;
    const since = Array.from({ length: index - first + 1 }, (_none, place) => rowAt(index - place));
    seen = new Seen(since, traces);
  }
  // Only those that left the same trace as another.
  expect(asked).toBeLessThan(10);
});
