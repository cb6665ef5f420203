// Frames that wait for COMMIT.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let client: FakeClient;

beforeEach(async () => {
  node = new InProcessNode();
  client = await node.signIn('alice');
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

const codes = ({ refusals }: FakeClient): string[] =>
  refusals.map(({ code, receipt }) => `${receipt} ${code}`);

test('[SESSION9] what a transaction holds happens at COMMIT, in order, and its RECEIPT comes after all of it', async () => {
  client.subscribe('0', '/topic/a');
  client.send('BEGIN', { transaction: 't', receipt: 'b' });
  client.tell('/topic/a', 'one', { transaction: 't' });
  client.tell('/topic/a', 'two', { transaction: 't' });
  client.tell('/topic/a', 'other');
  await node.settle();
  expect(client.bodies('0')).toEqual(['other']);
  node.storage.holdsCommits = true;
  client.send('COMMIT', { transaction: 't', receipt: 'c' });
  await node.settle();
  expect(client.receipts.toSorted()).toEqual(['b', 'sub-0', 'tell-3']);
  node.storage.nextCommit().settle();
  await node.settle();
  expect(client.bodies('0')).toEqual(['other', 'one', 'two']);
  expect(client.receipts.slice(3)).toEqual(['tell-1', 'tell-2', 'c']);
});

test('[SESSION9] nothing of a transaction that is aborted or dropped happens, and its name is free again', async () => {
  client.subscribe('0', '/topic/a');
  for (const way of ['ABORT', 'COMMIT']) {
    client.send('BEGIN', { transaction: 't' });
    client.send('SEND', { destination: '/topic/a', transaction: 't' }, way);
    client.send(way, { transaction: 't', receipt: way });
  }
  const gone = await node.signIn('bob');
  gone.send('BEGIN', { transaction: 't' });
  gone.send('SEND', { destination: '/topic/a', transaction: 't' }, 'gone');
  gone.connection.drop();
  await node.settle();
  expect(client.bodies('0')).toEqual(['COMMIT']);
  expect(client.receipts.toSorted()).toEqual(['ABORT', 'COMMIT', 'sub-0']);
});

test('[SESSION9] a COMMIT with a frame that is refused gets no RECEIPT but a CONFLICT; the others happen', async () => {
  client.subscribe('0', '/topic/a');
  client.send('BEGIN', { transaction: 't' });
  client.tell('/topic/a', 'good', { transaction: 't' });
  client.tell('/app/nothing', 'bad', { transaction: 't' });
  client.tell('/app/chat.send/none', '{"content":"x"}', { transaction: 't' });
  client.send('COMMIT', { transaction: 't', receipt: 'c' });
  await node.settle();
  expect(client.bodies('0')).toEqual(['good']);
  expect(codes(client).toSorted()).toEqual(['c CONFLICT', 'tell-2 NOT_FOUND', 'tell-3 NOT_FOUND']);
  expect(client.receipts.toSorted()).toEqual(['sub-0', 'tell-1']);
});

test('[SESSION9] transactions are bounded in number, frames and bytes', async () => {
  for (let index = 0; index < 17; index += 1)
    client.send('BEGIN', { transaction: `t${index}`, receipt: `b${index}` });
  const bodies = Array.from({ length: 18 }, () => 'x'.repeat(60_000));
  for (const body of bodies) client.tell('/topic/a', body, { transaction: 't1' });
  client.send('COMMIT', { transaction: 't1' });
  const id = 'x'.repeat(15_000);
  for (let index = 0; index < 70; index += 1)
    client.send('ACK', { id, transaction: 't3', receipt: `a${index}` });
  client.send('ABORT', { transaction: 't3' });
  for (let index = 0; index < 1_001; index += 1) {
    client.send('SEND', {
      destination: '/topic/a',
      transaction: 't2',
      ...(index === 1_000 ? { receipt: 'last' } : {}),
    });
  }
  await node.settle();
  expect(codes(client).map((code) => code.replace(' TOO_LARGE', ''))).toEqual([
    'b16',
    'tell-18',
    'a69',
    'last',
    // The COMMIT, which asked for no receipt, of the transaction that lacks a frame.
    'undefined CONFLICT',
  ]);
  client.send('BEGIN', { transaction: 't0', receipt: 'again' });
  await node.settle();
  expect(codes(client).at(-1)).toBe('again CONFLICT');
});

test('[SESSION9] an acknowledgement in a transaction counts at COMMIT', async () => {
  client.subscribe('0', '/topic/a', { ack: 'client', durable: 'mine' });
  client.tell('/topic/a', 'one');
  await node.settle();
  const id = client.messages('0')[0]?.headers['ack'] ?? '';
  client.send('BEGIN', { transaction: 't' });
  client.send('ACK', { id, transaction: 't', receipt: 'ack' });
  client.send('UNSUBSCRIBE', { id: '0' });
  client.subscribe('1', '/topic/a', { ack: 'client', durable: 'mine' });
  await node.settle();
  expect(client.bodies('1')).toEqual(['one']);
  client.send('COMMIT', { transaction: 't', receipt: 'c' });
  await node.settle();
  // Its subscription is gone by now.
  expect(codes(client)).toEqual(['ack BAD_REQUEST', 'c CONFLICT']);
});

test('[SESSION9] a COMMIT gets no RECEIPT when a frame was refused instead of being held', async () => {
  client.subscribe('0', '/topic/a');
  client.send('BEGIN', { transaction: 't' });
  client.tell('/topic/a', 'good', { transaction: 't' });
  client.send('SEND', { destination: '/topic/a', transaction: 't', receipt: 'big' }, 'x'.repeat(60_000));
  for (let index = 0; index < 20; index += 1) {
    client.send('SEND', { destination: '/topic/a', transaction: 't' }, 'x'.repeat(60_000));
  }
  client.send('COMMIT', { transaction: 't', receipt: 'c' });
  await node.settle();
  expect(client.receipts).not.toContain('c');
  expect(codes(client)).toContain('c CONFLICT');
  client.send('BEGIN', { transaction: 't' });
  client.send('COMMIT', { transaction: 't', receipt: 'next' });
  await node.settle();
  expect(client.receipts).toContain('next');
});
