// Timers, and actors that leave memory and come back.
import { expect, test } from 'vitest';
import { unavailable } from '../support/fake-storage.ts';
import { RecordingEdge, rounds, TestShard } from './test-shard.ts';

const rings = (shard: TestShard): number => shard.edge.texts('/probe/a.news').length;

/** Moves the clock and lets what came due happen. */
async function pass(shard: TestShard, byMs: number): Promise<void> {
  shard.clock.advance(byMs);
  await rounds();
}

async function listening(limits: ConstructorParameters<typeof TestShard>[0] = {}): Promise<TestShard> {
  const shard = new TestShard(limits);
  shard.subscribe({ stream: 'news' });
  await rounds();
  return shard;
}

test('[ACTOR11] a timer rings once, at its time', async () => {
  const shard = await listening();
  await shard.answerOf('ring', { body: '500' });
  await pass(shard, 499);
  expect(rings(shard)).toBe(0);
  await pass(shard, 1);
  expect(rings(shard)).toBe(1);
  await pass(shard, 10_000);
  expect(rings(shard)).toBe(1);
});

test('[ACTOR11] a timer that is set again is moved', async () => {
  const shard = await listening();
  await shard.answerOf('ring', { body: '500' });
  await pass(shard, 400);
  await shard.answerOf('ring', { body: '500' });
  await pass(shard, 499);
  expect(rings(shard)).toBe(0);
  await pass(shard, 1);
  expect(rings(shard)).toBe(1);
  await pass(shard, 10_000);
  expect(rings(shard)).toBe(1);
});

test('[ACTOR11] a timer that came due while its actor waited, and was set again there, rings once', async () => {
  const shard = await listening();
  await shard.answerOf('ring', { body: '500' });
  shard.storage.holdsQueries = true;
  shard.ask('stored');
  shard.ask('ring', { body: '1000' });
  await pass(shard, 600);
  shard.storage.nextQuery().answer();
  await rounds();
  expect(rings(shard)).toBe(0);
  await pass(shard, 1_000);
  expect(rings(shard)).toBe(1);
  await pass(shard, 10_000);
  expect(rings(shard)).toBe(1);
});

test('[ACTOR11] timers are lost when their actor is loaded again, also one that has come due', async () => {
  const shard = await listening();
  await shard.answerOf('ring', { body: '500' });
  await shard.answerOf('fault');
  await pass(shard, 1_000);
  expect(rings(shard)).toBe(0);

  await shard.answerOf('ring', { body: '500' });
  shard.storage.holdsQueries = true;
  shard.ask('stored');
  shard.ask('fault');
  await pass(shard, 600);
  shard.storage.holdsQueries = false;
  shard.storage.nextQuery().answer();
  await rounds();
  expect(rings(shard)).toBe(0);
});

test('[ACTOR11] a timer of a turn that was lost does not ring', async () => {
  const shard = await listening();
  shard.storage.holdsCommits = true;
  shard.ask('writeAndRing', { body: '500' });
  await rounds();
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  await pass(shard, 1_000);
  expect(rings(shard)).toBe(0);
});

test('[ACTOR11] a timer is never refused: neither a full gate nor a full mailbox stops it', async () => {
  const shard = await listening({ writesMax: 1, mailboxMax: 2 });
  await shard.answerOf('ring', { body: '500' });
  shard.storage.holdsCommits = true;
  shard.ask('write');
  await rounds();
  for (let index = 0; index < 4; index += 1) shard.ask('write');
  await pass(shard, 600);
  shard.storage.holdsCommits = false;
  for (const held of [...shard.storage.heldCommits]) held.settle();
  await rounds();
  expect(rings(shard)).toBe(1);

  await shard.answerOf('ring', { body: '500' });
  shard.storage.holdsQueries = true;
  shard.ask('stored');
  shard.ask('newest');
  shard.ask('newest');
  await pass(shard, 600);
  shard.storage.nextQuery().answer();
  await rounds();
  expect(rings(shard)).toBe(2);
});

test('[ACTOR12] an idle actor leaves memory and comes back as it was', async () => {
  const shard = new TestShard({ idleMs: 60_000 });
  await shard.written(3);
  const loads = shard.storage.queries.length;
  await pass(shard, 50_000);
  expect(await shard.answerOf('newest')).toBe('ok: 3');
  await pass(shard, 50_000);
  expect(await shard.answerOf('newest')).toBe('ok: 3');
  expect(shard.storage.queries).toHaveLength(loads);
  await pass(shard, 120_000);
  expect(await shard.answerOf('newest')).toBe('ok: 3');
  expect(shard.storage.queries.length).toBeGreaterThan(loads);
});

test('[ACTOR12] subscribers of an actor that left memory get its next message', async () => {
  const shard = new TestShard({ idleMs: 1_000 });
  shard.subscribe({ edge: 0 });
  shard.subscribe({ edge: 1 });
  await rounds();
  await pass(shard, 60_000);
  await shard.written(1, 'after');
  expect(shard.edges.map((edge) => edge.texts('/probe/a'))).toEqual([['after1'], ['after1']]);
});

test('[ACTOR12] an actor stays while it waits for rows, for a commit or for a timer', async () => {
  const shard = await listening({ idleMs: 1_000 });
  await shard.answerOf('ring', { body: '30000' });
  await pass(shard, 29_000);
  expect(rings(shard)).toBe(0);
  await pass(shard, 1_000);
  expect(rings(shard)).toBe(1);
  // When it has rung it leaves.
  await pass(shard, 60_000);
  const loads = shard.storage.queries.length;
  await shard.answerOf('newest');
  expect(shard.storage.queries.length).toBeGreaterThan(loads);

  shard.storage.holdsCommits = true;
  const written = shard.ask('write');
  await pass(shard, 60_000);
  shard.storage.holdsCommits = false;
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.answer(written)).toBe('ok');

  shard.storage.holdsQueries = true;
  const held = shard.ask('stored');
  await pass(shard, 60_000);
  shard.storage.nextQuery().answer();
  await rounds();
  expect(shard.edge.answer(held)).toBe('ok: [1]');
});

test('[ACTOR12] a subscription that ends is not sent to any more, and one of two on an edge leaves the other', async () => {
  const shard = new TestShard();
  shard.subscribe();
  shard.subscribe();
  await rounds();
  shard.unsubscribe();
  await shard.written(1);
  expect(shard.edge.texts('/probe/a')).toEqual(['m1']);
  shard.unsubscribe();
  // What is not there can not be taken away.
  shard.unsubscribe();
  shard.unsubscribe(0, '/probe/other');
  await shard.written(1);
  expect(shard.edge.texts('/probe/a')).toEqual(['m1']);
});

test('[ACTOR17] an edge that is gone gets nothing, and one in its place gets no answer to what it never asked', async () => {
  const shard = new TestShard();
  shard.subscribe();
  await rounds();
  shard.storage.holdsCommits = true;
  const request = shard.ask('write');
  await rounds();
  shard.shard.removeEdge(0);
  const next = new RecordingEdge();
  shard.shard.addEdge(0, next);
  shard.storage.holdsCommits = false;
  shard.storage.nextCommit().settle();
  await rounds();
  expect(next.answer(request)).toBeNull();
  expect(next.messages).toEqual([]);
  await shard.written(1);
  expect(next.texts('/probe/a')).toEqual([]);
});

test('[ACTOR17] an edge that comes again before it was seen to go starts without subscriptions', async () => {
  const shard = new TestShard();
  shard.subscribe();
  await rounds();
  const next = new RecordingEdge();
  shard.shard.addEdge(0, next);
  await shard.written(1);
  expect([next, shard.edge].map((edge) => edge.texts('/probe/a'))).toEqual([[], []]);
});

test('[ACTOR18] an edge with wildcards gets every plain message, once', async () => {
  const shard = new TestShard();
  shard.shard.receive(0, [6, true]);
  shard.subscribe({ edge: 0 });
  shard.subscribe({ edge: 1, stream: 'news' });
  await rounds();
  await shard.written(1);
  await shard.answerOf('tell', { body: 'not plain' });
  expect(shard.edges.map((edge) => edge.texts('/probe/a'))).toEqual([['m1'], []]);
  expect(shard.edges.map((edge) => edge.texts('/probe/a.news'))).toEqual([[], ['not plain']]);
  shard.shard.receive(0, [6, false]);
  shard.unsubscribe();
  await shard.written(1);
  expect(shard.edge.texts('/probe/a')).toEqual(['m1']);
});
