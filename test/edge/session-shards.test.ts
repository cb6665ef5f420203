// A shard that is lost and comes back, as sessions see it; and the drain.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;

beforeEach(() => {
  node = new InProcessNode({ edges: 2 });
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

const answersOf = ({ receipts, refusals }: FakeClient): string[] => [
  ...receipts,
  ...refusals.map(({ receipt, code }) => `${receipt} ${code}`),
];

test('[SESSION15] commands in flight when a shard dies are refused, those sent while it is away too', async () => {
  const client = await node.signIn('alice');
  await node.settle();
  node.storage.holdsCommits = true;
  client.tell('/topic/a', 'one');
  client.tell('/topic/a', 'two');
  await node.settle();
  expect(node.edges[0]?.ready).toBe(true);
  node.killShard(0);
  await node.settle();
  expect(node.edges[0]?.ready).toBe(false);
  client.tell('/topic/a', 'three');
  await node.settle();
  expect(answersOf(client)).toEqual(['tell-1 UNAVAILABLE', 'tell-2 UNAVAILABLE', 'tell-3 UNAVAILABLE']);

  node.storage.holdsCommits = false;
  node.startShard(0);
  client.tell('/topic/a', 'four');
  await node.settle();
  expect(answersOf(client).filter((answer) => answer === 'tell-4')).toEqual(['tell-4']);
  expect(node.edges[0]?.ready).toBe(true);
});

test('[SESSION15] live subscriptions go on where they were: what was committed meanwhile comes once, in order', async () => {
  const clients = [await node.signIn('alice', { edge: 0 }), await node.signIn('bob', { edge: 1 })] as const;
  for (const client of clients) client.subscribe('0', '/topic/a');
  await node.settle();
  for (let index = 0; index < 5; index += 1) clients[0].tell('/topic/a', `${index}`);
  await node.settle();
  node.storage.holdsCommits = true;
  clients[0].tell('/topic/a', '5');
  await node.settle();
  node.killShard(0);
  // The commit was on its way already.
  node.storage.nextCommit().settle();
  await node.settle();
  node.storage.holdsCommits = false;
  node.startShard(0);
  clients[1].tell('/topic/a', '6');
  await node.settle();
  for (const client of clients) {
    expect(client.bodies('0')).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(client.seqs('0')).toEqual([1, 2, 3, 4, 5, 6, 7]);
  }
});

test('[SESSION15] subscriptions that were starting, or in the middle of a gap, start on the new shard', async () => {
  const sender = await node.signIn('sender');
  sender.subscribe('0', '/topic/a');
  for (let index = 0; index < 500; index += 1) sender.send('SEND', { destination: '/topic/a' }, 'x');
  await node.settle();
  const epoch = sender.messages('0')[0]?.headers['epoch'] ?? '';
  const client = await node.signIn('bob');
  await node.settle();
  node.storage.holdsQueries = true;
  client.subscribe('0', '/topic/a', { resume: `${epoch}:0` });
  await node.settle();
  node.storage.nextQuery().answer();
  await node.settle();
  expect(client.seqs('0')).toHaveLength(200);
  node.killShard(0);
  client.subscribe('late', '/topic/a', { resume: `${epoch}:499` });
  await node.settle();
  node.storage.holdsQueries = false;
  for (const held of [...node.storage.heldQueries]) held.answer();
  node.startShard(0);
  await node.settle();
  expect(client.seqs('0')).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  expect(client.seqs('late')).toEqual([500]);
  expect(client.receipts.toSorted()).toEqual(['sub-0', 'sub-late']);
});

test('[SESSION15] a subscription that ended while the shard was away is not there again', async () => {
  const client = await node.signIn('alice');
  client.subscribe('0', '/topic/a');
  client.subscribe('1', '/topic/b');
  await node.settle();
  node.killShard(0);
  client.send('UNSUBSCRIBE', { id: '0' });
  client.subscribe('2', '/topic/c');
  client.send('UNSUBSCRIBE', { id: '2' });
  await node.settle();
  node.startShard(0);
  for (const name of ['a', 'b', 'c']) client.send('SEND', { destination: `/topic/${name}` }, name);
  await node.settle();
  expect(['0', '1', '2'].map((id) => client.bodies(id))).toEqual([[], ['b'], []]);
});

test('[SESSION15] a new shard that is there before the old one is seen to go takes its place for good', async () => {
  const client = await node.signIn('alice');
  client.subscribe('0', '/topic/a');
  await node.settle();
  node.storage.holdsCommits = true;
  client.tell('/topic/a', 'lost');
  await node.settle();
  node.storage.holdsCommits = false;
  // Within one turn of the event loop.
  node.killShard(0);
  node.startShard(0);
  await node.settle();
  client.tell('/topic/a', 'kept');
  await node.settle();
  expect(answersOf(client)).toEqual(['sub-0', 'tell-2', 'tell-1 UNAVAILABLE']);
  expect(client.bodies('0')).toEqual(['kept']);
});

test('[SESSION15] of several shards only the actors of the lost one are away', async () => {
  node.close();
  node = new InProcessNode({ shards: 2 });
  const client = await node.signIn('alice');
  await node.settle();
  node.killShard(1);
  await node.settle();
  for (let index = 0; index < 20; index += 1) client.tell(`/topic/t${index}`, 'x');
  await node.settle();
  expect(client.receipts.length).toBeGreaterThan(0);
  expect(client.refusals.length).toBeGreaterThan(0);
  expect(client.receipts.length + client.refusals.length).toBe(20);
});

test('[SESSION16] a drain answers what was received, takes nothing new, and closes all with 1012 in slices', async () => {
  const clients = await Promise.all(Array.from({ length: 250 }, (_, index) => node.signIn(`user${index}`)));
  const [first] = clients;
  await node.settle();
  node.storage.holdsCommits = true;
  first?.tell('/topic/a', 'before');
  await node.settle();
  let drained = false;
  const draining = node.edges[0]?.drain().then(() => (drained = true));
  first?.tell('/topic/a', 'after');
  await node.pass(500);
  expect(first?.connection.closed).toBeNull();
  node.storage.nextCommit().settle();
  await node.settle();
  const closedAt = new Map<FakeClient, number>();
  for (let ms = 0; ms < 3_000 && !drained; ms += 10) {
    await node.pass(10, 10);
    for (const client of clients) {
      if (client.connection.closed && !closedAt.has(client)) closedAt.set(client, ms);
    }
  }
  await draining;
  expect(first?.receipts).toEqual(['tell-1']);
  expect(clients.every(({ connection }) => connection.closed?.code === 1012)).toBe(true);
  expect(new Set(closedAt.values()).size).toBeGreaterThan(1);
  expect(node.edges[0]?.hadSessions).toBe(true);
});

test('[SESSION16] a drain without sessions ends at once, also when a shard is away', async () => {
  node.killShard(0);
  await node.settle();
  const draining = node.edges[0]?.drain();
  await node.pass(200);
  await draining;
  expect(node.edges[0]?.ready).toBe(false);
  expect(node.edges[0]?.hadSessions).toBe(false);
});

test('[SESSION15] a wildcard is told that it may have missed messages of a shard that died, and goes on', async () => {
  const client = await node.signIn('alice');
  client.subscribe('all', '/topic/**');
  await node.settle();
  node.killShard(0);
  await node.settle();
  expect(client.messages('all').map(({ headers }) => headers['recovered'])).toEqual(['false']);
  node.startShard(0);
  client.tell('/topic/deep/er', 'after');
  await node.settle();
  expect(client.bodies('all')).toEqual(['', 'after']);
});
