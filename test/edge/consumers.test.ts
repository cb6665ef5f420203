// Queues through faults of what they rest on: commits that fail, shards that die, drains; each message is still with
// one consumer at most, and an acknowledgement is never lost.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';
import { unavailable } from '../support/fake-storage.ts';
import { range } from '../support/rooms.ts';

let node: InProcessNode;

beforeEach(() => {
  node = new InProcessNode({ edges: 2 });
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

async function worker(edge: number, headers: Readonly<Record<string, string>> = {}): Promise<FakeClient> {
  const client = await node.signIn('worker', { edge });
  client.subscribe('q', '/queue/a', { ack: 'client-individual', ...headers });
  await node.settle();
  return client;
}

async function send(...bodies: readonly string[]): Promise<void> {
  const sender = await node.signIn('sender');
  for (const body of bodies) sender.tell('/queue/a', body);
  await node.settle();
}

function settle(client: FakeClient, command: 'ACK' | 'NACK', body: string): void {
  const frame = client.messages('q').findLast((one) => one.body === body);
  client.send(command, { id: frame?.headers['ack'] ?? '', receipt: `${command} ${body}` });
}

const redelivered = (client: FakeClient): string[] =>
  client.messages('q').flatMap(({ headers, body }) => (headers['redelivered'] === 'true' ? [body] : []));

const kept = async (): Promise<string[]> => {
  const args = { queue: 'a', after: 0, limit: 1_000 };
  const rows = await node.storage.query({ name: 'queueMessagesAfter', args });
  return rows.map(({ body }) => Buffer.from(body).toString());
};

test('[QUEUES2] nothing is delivered before it is stored, and what could not be stored never is', async () => {
  const client = await worker(0);
  node.storage.holdsCommits = true;
  const sender = await node.signIn('sender');
  sender.tell('/queue/a', 'lost');
  await node.settle();
  expect(client.bodies('q')).toEqual([]);
  node.storage.nextCommit().settle(() => unavailable());
  node.storage.holdsCommits = false;
  await node.settle();
  expect(sender.refusals).toMatchObject([{ code: 'UNAVAILABLE', receipt: 'tell-1' }]);
  sender.tell('/queue/a', 'stored');
  await node.settle();
  expect(client.bodies('q')).toEqual(['stored']);
  expect(redelivered(client)).toEqual([]);
});

test('[QUEUES4] an ACK whose commit fails is refused, and the message stays with who holds it', async () => {
  const [first, second] = [await worker(0), await worker(1)];
  await send('a');
  node.storage.holdsCommits = true;
  settle(first, 'ACK', 'a');
  await node.settle();
  node.storage.nextCommit().settle(() => unavailable());
  node.storage.holdsCommits = false;
  await node.settle();
  expect(first.receipts).not.toContain('ACK a');
  expect(first.refusals).toMatchObject([{ code: 'UNAVAILABLE', receipt: 'ACK a' }]);
  await node.pass(2_000);
  expect(second.bodies('q')).toEqual([]);
  settle(first, 'ACK', 'a');
  await node.settle();
  expect(first.receipts).toContain('ACK a');
  expect(await kept()).toEqual([]);
});

test('[QUEUES3] what was to be delivered in a commit that failed is delivered soon after', async () => {
  const [first, second] = [await worker(0), await worker(1)];
  await send('a');
  node.storage.holdsCommits = true;
  settle(first, 'NACK', 'a');
  await node.settle();
  node.storage.nextCommit().settle(() => unavailable());
  node.storage.holdsCommits = false;
  await node.settle();
  expect(first.refusals).toMatchObject([{ code: 'UNAVAILABLE', receipt: 'NACK a' }]);
  expect(second.bodies('q')).toEqual([]);
  // It is still there to be given back, or goes to others when its holder leaves, with nobody asking.
  first.connection.drop();
  await node.pass(2_000);
  expect(redelivered(second)).toEqual(['a']);
});

test('[QUEUES7] what was written and could not be settled is settled later', async () => {
  const client = await worker(0, { ack: 'auto' });
  node.storage.holdsCommits = true;
  const sender = await node.signIn('sender');
  sender.tell('/queue/a', 'a');
  await node.settle();
  node.storage.nextCommit().settle();
  await node.settle();
  node.storage.nextCommit().settle(() => unavailable());
  node.storage.holdsCommits = false;
  await node.settle();
  expect(await kept()).toEqual(['a']);
  await node.pass(2_000);
  expect(await kept()).toEqual([]);
  expect(client.bodies('q')).toEqual(['a']);
});

test('[QUEUES16] after a shard died each message is still with who held it, on whatever edge', async () => {
  const clients = [
    await worker(0, { 'prefetch-count': '2' }),
    await worker(1, { 'prefetch-count': '2' }),
  ] as const;
  await send('1', '2', '3', '4', '5', '6');
  expect(clients.map((client) => client.bodies('q'))).toEqual([
    ['1', '3'],
    ['2', '4'],
  ]);
  node.killShard(0);
  await node.settle();
  // Neither is known to the other shard before both edges have told it what they hold.
  node.startShard(0);
  await node.settle();
  expect(clients.map((client) => client.bodies('q'))).toEqual([
    ['1', '3'],
    ['2', '4'],
  ]);
  settle(clients[0], 'ACK', '1');
  settle(clients[1], 'NACK', '4');
  await node.settle();
  expect(clients.map(({ receipts }) => receipts.length)).toEqual([2, 2]);
  expect(clients.map((client) => client.bodies('q'))).toEqual([
    ['1', '3', '5'],
    ['2', '4', '6'],
  ]);
  settle(clients[0], 'ACK', '3');
  await node.settle();
  expect(clients[0].bodies('q')).toEqual(['1', '3', '5', '4']);
  expect(redelivered(clients[0])).toEqual(['4']);
});

test('[QUEUES16] an ACK that a dead shard did not answer counts with the next one', async () => {
  const first = await worker(0);
  await send('a', 'b', 'c');
  node.storage.holdsCommits = true;
  settle(first, 'ACK', 'a');
  await node.settle();
  node.killShard(0);
  settle(first, 'ACK', 'b');
  await node.settle();
  expect(first.receipts).toEqual(['sub-q']);
  node.storage.holdsCommits = false;
  node.startShard(0);
  await node.settle();
  expect(first.receipts).toEqual(['sub-q', 'ACK a', 'ACK b']);
  expect(await kept()).toEqual(['c']);
  expect(first.bodies('q')).toEqual(['a', 'b', 'c']);
  first.connection.drop();
  const second = await worker(1);
  expect(second.bodies('q')).toEqual(['c']);
});

test('[QUEUES16] those who left while the shard was away hold nothing, those who came get what waits', async () => {
  const first = await worker(0);
  await send('a', 'b');
  settle(first, 'ACK', 'a');
  await node.settle();
  node.killShard(0);
  await node.settle();
  first.connection.drop();
  const second = await worker(1);
  node.startShard(0);
  await node.settle();
  expect(second.bodies('q')).toEqual(['b']);
  expect(redelivered(second)).toEqual(['b']);
});

test('[QUEUES16] an edge that does not come back holds nobody up for long', async () => {
  const [first, second] = [await worker(0), await worker(1)];
  await send('a', 'b');
  node.killShard(0);
  node.startShard(0, [0]);
  await node.settle();
  expect(first.bodies('q')).toEqual(['a']);
  await node.pass(6_000);
  expect(redelivered(first)).toEqual(['b']);
  expect(second.bodies('q')).toEqual(['b']);
});

test('[QUEUES17] an actor that left memory knows who holds what when it is there again', async () => {
  const [first, second] = [await worker(0, { 'prefetch-count': '1' }), await worker(1)];
  await send('a', 'b');
  settle(second, 'ACK', 'b');
  await node.pass(200_000, 10_000);
  await send('c', 'd');
  expect(first.bodies('q')).toEqual(['a']);
  expect(second.bodies('q')).toEqual(['b', 'c', 'd']);
  await node.pass(200_000, 10_000);
  first.connection.drop();
  await node.settle();
  expect(redelivered(second)).toEqual(['a']);
});

test('[QUEUES18] in a drain consumers do not hand each other what they hold', async () => {
  const clients = [];
  for (const edge of [0, 0, 0, 0, 1, 1, 1, 1]) clients.push(await worker(edge));
  await send(...range(1, 20).map(String));
  const draining = Promise.all(node.edges.map((edge) => edge.drain()));
  await node.pass(3_000, 10);
  await draining;
  expect(clients.every(({ connection }) => connection.closed?.code === 1012)).toBe(true);
  expect(await kept()).toEqual(range(1, 20).map(String));
  const rows = await node.storage.query({
    name: 'queueMessagesAfter',
    args: { queue: 'a', after: 0, limit: 100 },
  });
  expect(Math.max(...rows.map(({ tries }) => tries))).toBe(1);
});

test('[QUEUES15] what a client has not read waits on the edge within a bound, then it is too slow', async () => {
  const client = await worker(0, { 'prefetch-count': '1000' });
  client.subscribe('r', '/queue/a', { ack: 'client', 'prefetch-count': '1000' });
  client.connection.reads = false;
  await send('x'.repeat(60_000));
  expect(client.connection.bufferedBytes).toBeGreaterThan(0);
  const sender = await node.signIn('sender');
  for (let number = 0; number < 1_500 && !client.connection.closed; number += 1) {
    sender.send('SEND', { destination: '/queue/a' }, 'x'.repeat(60_000));
    if (number % 50 === 0) await node.settle();
  }
  await node.settle();
  expect(client.connection.bufferedBytes).toBeLessThan(1024 * 1024);
  expect(client.connection.closed?.code).toBe(4008);
});

test('[QUEUES6] a dead letter reaches those who wait for it, on another shard too', async () => {
  node.close();
  node = new InProcessNode({ shards: 3 });
  const client = await node.signIn('worker');
  for (const name of ['a', 'b', 'c', 'd']) {
    client.subscribe(name, `/queue/${name}`, { ack: 'client-individual' });
    client.subscribe(`${name}.dead`, `/queue/${name}.dead`);
    client.tell(`/queue/${name}`, name);
  }
  await node.settle();
  for (let time = 1; time <= 5; time += 1) {
    for (const name of ['a', 'b', 'c', 'd']) {
      const frames = client.messages(name);
      expect(frames).toHaveLength(time);
      client.send('NACK', { id: frames.at(-1)?.headers['ack'] ?? '' });
    }
    await node.settle();
  }
  for (const name of ['a', 'b', 'c', 'd']) {
    expect(client.messages(name)).toHaveLength(5);
    expect(client.messages(`${name}.dead`)).toMatchObject([
      { body: name, headers: { 'dead-from': `/queue/${name}` } },
    ]);
  }
});
