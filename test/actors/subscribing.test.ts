// How subscriptions start in the past, and how an edge goes on after its shard was lost.
import { expect, test } from 'vitest';
import type { SubscribedMessage } from '../../src/link/messages.ts';
import { unavailable } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const log = '/probe/a';

/** The one page that came, as plain data. */
function page(start: SubscribedMessage | string | undefined): unknown {
  if (start === undefined || typeof start === 'string') return start;
  const [, , live, recovered, , head, messages] = start;
  return { live, recovered, head, seqs: messages.map(([seq]) => seq) };
}

/** A shard whose log holds so many messages, and the epoch of them. */
async function withLog(count: number, body = 'm'): Promise<{ shard: TestShard; epoch: string }> {
  const shard = new TestShard();
  await shard.written(count, body);
  const [start] = await started(shard);
  return { shard, epoch: typeof start === 'object' ? (start[4] ?? '') : '' };
}

async function started(
  shard: TestShard,
  options: Parameters<TestShard['subscribe']>[0] = { edge: 1 },
): Promise<(SubscribedMessage | string)[]> {
  const subscription = shard.subscribe(options);
  await rounds();
  return shard.edges[options.edge ?? 0]?.starts(subscription) ?? [];
}

test('[ACTOR14] a resume gets all that came after its message, and is live from there', async () => {
  const { shard, epoch } = await withLog(5);
  for (const [after, seqs] of [
    [0, [1, 2, 3, 4, 5]],
    [3, [4, 5]],
    [5, []],
  ] as const) {
    const starts = await started(shard, { from: ['resume', epoch, after] });
    expect(starts.map(page)).toEqual([{ live: true, recovered: true, head: 5, seqs }]);
  }
});

test('[ACTOR14] a resume that can not be answered in full says so, and is live all the same', async () => {
  const { shard, epoch } = await withLog(5);
  for (const from of [['resume', 'another', 3], ['resume', epoch, 6], ['lost']] as const) {
    const starts = await started(shard, { from });
    expect(starts.map(page)).toEqual([{ live: true, recovered: false, head: 5, seqs: [] }]);
  }
});

test('[ACTOR14] a gap that was trimmed can not be filled, whether or not the actor knows of it', async () => {
  const { shard, epoch } = await withLog(5);
  await shard.storage.commit([[{ op: 'trim_topic', topic: 'a', upto: 3 }]]);
  const lost = { live: true, recovered: false, head: 5, seqs: [] };
  expect((await started(shard, { from: ['resume', epoch, 1] })).map(page)).toEqual([lost]);
  // Loaded again it knows.
  await shard.answerOf('fault');
  expect((await started(shard, { from: ['resume', epoch, 2] })).map(page)).toEqual([lost]);
  const found = { live: true, recovered: true, head: 5, seqs: [4, 5] };
  expect((await started(shard, { from: ['resume', epoch, 3] })).map(page)).toEqual([found]);
});

test('[ACTOR14] a stream that vanished from the store ends a resume instead of asking on for ever', async () => {
  const { shard, epoch } = await withLog(3);
  const later = shard.clock.now() + 1;
  await shard.storage.commit([[{ op: 'expire', keysBefore: later, topicsBefore: later }]]);
  const starts = await started(shard, { from: ['resume', epoch, 1] });
  expect(starts.map(page)).toEqual([{ live: true, recovered: false, head: 3, seqs: [] }]);
});

test('[ACTOR14] a long gap comes in pages of at most 200 messages, each asked for', async () => {
  const { shard, epoch } = await withLog(450);
  const subscription = shard.subscribe({ from: ['resume', epoch, 10] });
  await rounds();
  // More comes while the subscriber is on its way.
  await shard.written(5);
  shard.replay(subscription, epoch, 210);
  await rounds();
  await shard.written(5);
  shard.replay(subscription, epoch, 410);
  await rounds();
  await shard.written(1);
  const pages = shard.edge
    .starts(subscription)
    .map((start) => page(start) as { seqs: number[]; live: boolean });
  expect(pages.map(({ live, seqs }) => [live, seqs.length, seqs[0], seqs.at(-1)])).toEqual([
    [false, 200, 11, 210],
    [false, 200, 211, 410],
    [true, 50, 411, 460],
  ]);
  expect(shard.edge.seqs(log)).toEqual([461]);
});

test('[ACTOR14] a page of long messages ends early, and holds at least one', async () => {
  const { shard, epoch } = await withLog(6, 'x'.repeat(200_000));
  const starts = await started(shard, { from: ['resume', epoch, 0] });
  expect(starts.map(page)).toEqual([{ live: false, recovered: true, head: 2, seqs: [1, 2] }]);
});

test('[ACTOR14] a durable name starts at now, and then after what was acknowledged', async () => {
  const { shard, epoch } = await withLog(3);
  const from = ['durable', 'mine'] as const;
  expect((await started(shard, { from })).map(page)).toEqual([
    { live: true, recovered: null, head: 3, seqs: [] },
  ]);
  await shard.written(4);
  expect((await started(shard, { from })).map(page)).toEqual([
    { live: true, recovered: true, head: 7, seqs: [4, 5, 6, 7] },
  ]);
  shard.shard.receive(0, [5, 999, 'probe/a', log, ['alice', []], 'mine', epoch, 6]);
  await rounds();
  expect(shard.edge.answer(999)).toBe('ok');
  expect((await started(shard, { from })).map(page)).toEqual([
    { live: true, recovered: true, head: 7, seqs: [7] },
  ]);
  // Another user's name is another name.
  expect((await started(shard, { from, user: 'bob' })).map(page)).toEqual([
    { live: true, recovered: null, head: 7, seqs: [] },
  ]);
});

test('[ACTOR14] a durable name on a stream without messages starts at its first one', async () => {
  const shard = new TestShard();
  const from = ['durable', 'mine'] as const;
  await started(shard, { from });
  await shard.answerOf('fault');
  await shard.written(2);
  expect((await started(shard, { from })).map(page)).toEqual([
    { live: true, recovered: true, head: 2, seqs: [1, 2] },
  ]);
});

test('[ACTOR14] a subscription that is not admitted is refused, also on its next page', async () => {
  const shard = new TestShard();
  expect(await started(shard, { stream: 'closed' })).toEqual(['FORBIDDEN']);
  expect(await started(shard, { stream: 'closed', from: ['lost'] })).toEqual(['FORBIDDEN']);
});

test('[ACTOR13] after a rejoin an edge gets exactly what it missed, and no other edge does', async () => {
  const { shard, epoch } = await withLog(450);
  shard.rejoin(0, 2, epoch, 5);
  await rounds(20);
  expect(shard.edge.seqs(log)).toEqual(Array.from({ length: 445 }, (_, index) => index + 6));
  expect(shard.edges[1].seqs(log)).toEqual([]);
  await shard.written(1);
  expect(shard.edges.map((edge) => edge.seqs(log).at(-1))).toEqual([451, 451]);
  // It has two subscriptions.
  shard.unsubscribe();
  await shard.written(1);
  shard.unsubscribe();
  await shard.written(1);
  expect(shard.edge.seqs(log).at(-1)).toBe(452);
});

test('[ACTOR13] a rejoin where nothing was missed, or nothing can be told, goes on with what comes', async () => {
  const { shard, epoch } = await withLog(3);
  for (const [known, after] of [
    [epoch, 3],
    ['another', 2],
    [null, 0],
  ] as const) {
    shard.edge.messages.length = 0;
    shard.rejoin(0, 1, known, after);
    await rounds();
    expect(shard.edge.seqs(log)).toEqual([]);
    await shard.written(1);
    expect(shard.edge.seqs(log)).toHaveLength(1);
    shard.unsubscribe();
  }
});

test('[ACTOR13] a rejoin that had seen no message gets all, whatever the epoch was then', async () => {
  const { shard } = await withLog(450);
  shard.rejoin(0, 1, 'never stored', 0);
  await rounds(20);
  expect(shard.edge.seqs(log)).toHaveLength(450);
});

test('[ACTOR13] a message whose commit is on its way when an edge rejoins reaches it once, in its place', async () => {
  const { shard, epoch } = await withLog(3);
  shard.storage.holdsCommits = true;
  shard.ask('write', { edge: 1 });
  await rounds();
  shard.rejoin(0, 1, epoch, 1);
  shard.ask('write', { edge: 1 });
  shard.storage.nextCommit().settle();
  await rounds();
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.seqs(log)).toEqual([2, 3, 4, 5]);
});

test('[ACTOR13] wildcards of an edge that rejoins get no message before its place either', async () => {
  const { shard, epoch } = await withLog(3);
  shard.shard.receive(0, [6, true]);
  shard.storage.holdsCommits = true;
  shard.ask('write', { edge: 1 });
  await rounds();
  shard.rejoin(0, 1, epoch, 1);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.seqs(log)).toEqual([2, 3, 4]);
});

test('[ACTOR13] subscriptions that rejoin while a commit fails are counted once', async () => {
  const { shard, epoch } = await withLog(3);
  shard.storage.holdsCommits = true;
  shard.ask('write', { edge: 1 });
  await rounds();
  shard.rejoin(0, 1, epoch, 1);
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  shard.storage.holdsCommits = false;
  expect(shard.edge.seqs(log)).toEqual([2, 3]);
  shard.unsubscribe();
  await shard.written(1);
  expect(shard.edge.seqs(log)).toEqual([2, 3]);
});

test('[ACTOR13] an edge whose rejoin can not be read yet is told all, once the store is back', async () => {
  const { shard, epoch } = await withLog(450);
  await shard.answerOf('fault');
  shard.storage.brokenQueries.add('topicHead');
  shard.rejoin(0, 2, epoch, 5);
  const refused = shard.subscribe({ edge: 0 });
  await rounds();
  shard.unsubscribe();
  expect(shard.edge.starts(refused)).toEqual(['UNAVAILABLE']);
  expect(shard.edge.seqs(log)).toEqual([]);

  // It can be loaded again, but its messages not be read.
  shard.storage.brokenQueries.clear();
  shard.storage.brokenQueries.add('topicMessagesAfter');
  shard.clock.advance(1_000);
  await rounds();
  expect(shard.edge.seqs(log)).toEqual([]);

  shard.storage.brokenQueries.clear();
  // Nothing newer comes first, although this write comes before the next try.
  await shard.written(1);
  await rounds(20);
  expect(shard.edge.seqs(log)).toEqual(Array.from({ length: 446 }, (_, index) => index + 6));
  shard.clock.advance(10_000);
  await rounds(20);
  expect(shard.edge.seqs(log)).toHaveLength(446);
  shard.unsubscribe();
  await shard.written(1);
  expect(shard.edge.seqs(log)).toHaveLength(446);
});

test('[ACTOR13] a rejoin that breaks off between two pages goes on where it was', async () => {
  const { shard, epoch } = await withLog(450);
  shard.storage.holdsQueries = true;
  shard.rejoin(0, 1, epoch, 5);
  await rounds();
  shard.storage.nextQuery().answer();
  await rounds();
  shard.storage.nextQuery().fail();
  await rounds();
  expect(shard.edge.seqs(log)).toHaveLength(200);
  shard.storage.holdsQueries = false;
  shard.clock.advance(1_000);
  await rounds(20);
  expect(shard.edge.seqs(log)).toEqual(Array.from({ length: 445 }, (_, index) => index + 6));
});

test('[ACTOR13] a rejoin is not refused by a full gate or for want of room', async () => {
  const { shard, epoch } = await withLog(3);
  const next = new TestShard({ actorsMax: 1, writesMax: 0 }, { storage: shard.storage });
  next.subscribe({ actor: 'probe/b' });
  await rounds();
  next.storage.holdsCommits = true;
  next.ask('write', { actor: 'probe/b' });
  await rounds();
  next.ask('write', { actor: 'probe/b' });
  next.rejoin(0, 1, epoch, 1);
  await rounds();
  expect(next.edge.seqs(log)).toEqual([2, 3]);
});
