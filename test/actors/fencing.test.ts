// An actor's shard when another server has taken over.
import { expect, test } from 'vitest';
import { StorageError } from '../../src/storage/storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const lost = (): StorageError => new StorageError('FENCED', 'Somebody else has it.');

test('[FENCE9] what is not stored any more is UNAVAILABLE, and nobody sees it', async () => {
  const shard = new TestShard();
  shard.subscribe();
  await shard.written(2);
  shard.storage.holdsCommits = true;
  const [one, other] = [shard.ask('write'), shard.ask('write', { actor: 'probe/b' })];
  await rounds();
  const behind = shard.ask('write');
  shard.storage.nextCommit().settle(lost);
  await rounds();
  expect([one, other, behind].map((request) => shard.edge.answer(request))).toEqual([
    'UNAVAILABLE',
    'UNAVAILABLE',
    'UNAVAILABLE',
  ]);
  expect(shard.edge.seqs('/probe/a')).toEqual([1, 2]);
});

test('[FENCE9] a shard that knows refuses all that is asked, and what was committed before still goes out', async () => {
  const shard = new TestShard();
  shard.subscribe();
  await shard.written(1);
  shard.storage.holdsCommits = true;
  const committed = shard.ask('write');
  await rounds();
  shard.shard.fence();
  const queries = shard.storage.queries.length;
  // One is in memory, the other would be loaded.
  const refused = [shard.ask('newest'), shard.ask('newest', { actor: 'probe/b' }), shard.ask('write')];
  const subscription = shard.subscribe({ actor: 'probe/b' });
  await rounds();
  expect(refused.map((request) => shard.edge.answer(request))).toEqual(refused.map(() => 'UNAVAILABLE'));
  expect(shard.edge.starts(subscription)).toEqual(['UNAVAILABLE']);
  expect(shard.storage.queries).toHaveLength(queries);
  expect(shard.edge.answer(committed)).toBe(null);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.answer(committed)).toBe('ok');
  expect(shard.edge.seqs('/probe/a')).toEqual([1, 2]);
  expect(shard.shard.idle).toBe(true);
});
