// Commits that broke off: what became of them is known only by reading again.
import { expect, test } from 'vitest';
import { orderKind } from '../../src/actors/kinds/order.ts';
import { presenceKind } from '../../src/actors/kinds/presence.ts';
import { userKind } from '../../src/actors/kinds/user.ts';
import { ToShard } from '../../src/link/messages.ts';
import { fed, feeder } from './between-probe.ts';
import { unavailable } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const log = '/probe/a';
const againMs = 1_000;

/** A shard whose commits wait for the test, with a log of two messages and a subscriber on each edge. */
async function heldShard(): Promise<TestShard> {
  const shard = new TestShard();
  await shard.written(2);
  for (const edge of [0, 1]) shard.subscribe({ edge });
  await rounds();
  shard.storage.holdsCommits = true;
  return shard;
}

test('[GATE9] what a broken commit made all the same reaches its subscribers, before anything newer', async () => {
  const shard = await heldShard();
  const lost = [shard.ask('write'), shard.ask('write')];
  await rounds();
  const built = shard.ask('write');
  await rounds();
  shard.storage.nextCommit().breakOff();
  shard.storage.holdsCommits = false;
  await rounds();
  const newer = shard.ask('write');
  await rounds();
  expect([...lost, built].map((request) => shard.edge.answer(request))).toEqual(Array(3).fill('UNAVAILABLE'));
  expect(shard.edge.answer(newer)).toBe('ok');
  // The third was withdrawn with the others; what came next has its place.
  for (const edge of shard.edges) expect(edge.seqs(log)).toEqual([3, 4, 5]);
  await shard.answerOf('write');
  for (const edge of shard.edges) expect(edge.seqs(log)).toEqual([3, 4, 5, 6]);
});

test('[GATE9] nobody has to ask for it, and it is read for as long as it can not be', async () => {
  const shard = await heldShard();
  shard.ask('write');
  await rounds();
  shard.storage.brokenQueries.add('topicHead');
  shard.storage.nextCommit().breakOff();
  await rounds();
  expect(shard.edge.seqs(log)).toEqual([]);
  shard.storage.brokenQueries.clear();
  shard.clock.advance(againMs);
  await rounds();
  expect(shard.edge.seqs(log)).toEqual([3]);
});

test('[GATE9] what a broken commit did not make is never seen, and its place is taken by what comes next', async () => {
  const shard = await heldShard();
  for (const round of [3, 4, 5]) {
    shard.storage.holdsCommits = true;
    shard.ask('write', { body: `lost ${round}` });
    await rounds();
    shard.storage.nextCommit().settle(unavailable);
    shard.storage.holdsCommits = false;
    await rounds();
    await shard.answerOf('write', { body: `kept ${round}` });
  }
  expect(shard.edge.texts(log)).toEqual(['kept 3', 'kept 4', 'kept 5']);
  expect(shard.edge.seqs(log)).toEqual([3, 4, 5]);
});

test('[GATE9] one commit after the other may break off: each message is published once', async () => {
  const shard = await heldShard();
  for (let round = 0; round < 3; round += 1) {
    shard.ask('write');
    await rounds();
    shard.storage.nextCommit().breakOff();
    await rounds();
  }
  shard.storage.holdsCommits = false;
  await shard.answerOf('write');
  expect(shard.edge.seqs(log)).toEqual([3, 4, 5, 6]);
});

test('[GATE9] wildcards hear of it too', async () => {
  const shard = await heldShard();
  for (const edge of [0, 1]) shard.unsubscribe(edge);
  shard.shard.receive(1, [ToShard.wildcards, true]);
  shard.ask('write');
  await rounds();
  shard.storage.nextCommit().breakOff();
  await rounds();
  expect(shard.edges.map((edge) => edge.seqs(log))).toEqual([[], [3]]);
});

test('[GATE9] a row that somebody else has put in the place of a message is published before the next', async () => {
  const shard = await heldShard();
  const row = { sender_id: 'x', headers: null, body: Buffer.from('by hand'), is_text: true, created_at: 0 };
  shard.storage.holdsCommits = false;
  await shard.storage.commit([
    [{ op: 'insert', table: 'topic_messages', row: { ...row, topic: 'a', seq: 3 } }],
  ]);
  expect(await shard.answerOf('write', { body: 'refused' })).toBe('CONFLICT');
  expect(await shard.answerOf('write', { body: 'next' })).toBe('ok');
  expect(shard.edge.texts(log)).toEqual(['by hand', 'next']);
  expect(shard.edge.seqs(log)).toEqual([3, 4]);
});

test('[GATE9] the owner of a stream hears of what a broken commit may have appended', async () => {
  const shard = new TestShard({}, { kinds: [fed, feeder] });
  await shard.answerOf('append', { actor: 'feeder/f', body: '"first"' });
  shard.subscribe({ actor: 'fed/', stream: 'changes', destination: '/fed' });
  await rounds();
  shard.storage.holdsCommits = true;
  const request = shard.ask('append', { actor: 'feeder/f', body: '"second"' });
  await rounds();
  shard.storage.nextCommit().breakOff();
  await rounds();
  expect(shard.edge.answer(request)).toBe('UNAVAILABLE');
  expect(shard.edge.texts('/fed')).toEqual(['"second"']);
});

test('[GATE10] presence that could not be told when it changed is told when the database is back', async () => {
  const shard = new TestShard({}, { kinds: [presenceKind] });
  const actor = 'presence/alice';
  const destination = '/topic/presence.alice';
  shard.subscribe({ actor, stream: 'presence', destination });
  await rounds();
  shard.storage.holdsCommits = true;
  shard.shard.receive(0, [ToShard.attach, actor, 'session', 'alice', false]);
  for (let round = 0; round < 3; round += 1) {
    await rounds();
    shard.storage.nextCommit().settle(unavailable);
    await rounds();
    // Paced: not before a while.
    expect(shard.storage.heldCommits).toEqual([]);
    shard.clock.advance(againMs);
  }
  await rounds();
  shard.storage.nextCommit().settle();
  await rounds();
  shard.clock.advance(againMs);
  await rounds();
  expect(shard.edge.texts(destination).map((text) => JSON.parse(text) as unknown)).toMatchObject([
    { online: true, sessions: 1 },
  ]);
});

test('[GATE10] who tracks an order is told what became of a change that broke off', async () => {
  const shard = new TestShard({}, { kinds: [orderKind, userKind] });
  const actor = 'order/one';
  const asService = { actor, user: 'shop', roles: ['service'], session: 's' };
  const body = JSON.stringify({ userId: 'alice', status: 'PLACED' });
  expect(await shard.answerOf('create', { ...asService, body })).toMatch('ok');
  expect(await shard.answerOf('track', { actor, user: 'alice', session: 'her own' })).toMatch('ok');
  shard.storage.holdsCommits = true;
  shard.ask('change', { ...asService, body: JSON.stringify({ status: 'SENT' }) });
  await rounds();
  shard.storage.nextCommit().breakOff();
  await rounds();
  const queue = '/user/alice/queue/order.status';
  shard.subscribe({ actor: 'user/alice', stream: 'queue', destination: queue });
  for (let step = 0; step < 2; step += 1) {
    shard.clock.advance(againMs);
    await rounds();
  }
  const told = shard.edge.texts(queue).map((text) => JSON.parse(text) as unknown);
  expect(told).toMatchObject([{ orderId: 'one', status: 'SENT' }]);
});
