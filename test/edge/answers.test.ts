// SUBSCRIBE to an answer: one command, one MESSAGE, one RECEIPT.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kinds } from '../support/edge-kinds.ts';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let client: FakeClient;

beforeEach(async () => {
  node = new InProcessNode({ kinds, edge: { commandsInFlightMax: 10 } });
  client = await node.signIn('alice');
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

/** Subscribes and returns the bodies that come, decoded. */
async function ask(id: string, destination: string, headers = {}): Promise<unknown[]> {
  client.subscribe(id, destination, headers);
  await node.settle();
  return client.bodies(id).map((body) => JSON.parse(body) as unknown);
}

const refusals = (): unknown[] => client.refusals.map(({ code, receipt }) => [code, receipt]);

test('[ANSWER1] the answer is one MESSAGE with the destination as subscribed, and then comes the RECEIPT', async () => {
  expect(await ask('0', '/app/board.look/b%201/x?deep=a%2Fb&what=no')).toEqual([
    { id: 'b 1', user: 'alice', hasSession: true, params: { deep: 'a/b', what: 'x' } },
  ]);
  const [message] = client.messages('0');
  expect(message?.headers).toMatchObject({
    destination: '/app/board.look/b%201/x?deep=a%2Fb&what=no',
    'content-type': 'application/json',
  });
  expect([message?.headers['seq'], message?.headers['epoch']]).toEqual([undefined, undefined]);
  expect(client.commands.slice(-2)).toEqual(['MESSAGE', 'RECEIPT']);
  expect(await ask('1', '/app/board.mine')).toEqual(['alice']);
  expect(client.receipts).toEqual(['sub-0', 'sub-1']);
});

test('[ANSWER1] its subscription stays until UNSUBSCRIBE, gets nothing more and counts nowhere', async () => {
  await ask('0', '/app/board.mine', { ack: 'client' });
  client.subscribe('0', '/topic/a');
  client.send('ACK', { id: client.messages('0')[0]?.headers['ack'] ?? '', receipt: 'ack' });
  client.send('UNSUBSCRIBE', { id: '0', receipt: 'end' });
  client.subscribe('0', '/topic/a');
  await node.settle();
  expect(refusals()).toEqual([['CONFLICT', 'sub-0']]);
  expect(client.receipts).toEqual(['sub-0', 'ack', 'end', 'sub-0']);
  expect(node.groups[0]?.memberships).toBe(1);
});

test('[ANSWER2] what is refused is no subscription, and may be asked again', async () => {
  await ask('0', '/app/board.each?names=a,secret,b');
  expect(client.refusals).toMatchObject([
    {
      code: 'FORBIDDEN',
      board: 'secret',
      receipt: 'sub-0',
      destination: '/app/board.each?names=a,secret,b',
    },
  ]);
  expect(await ask('0', '/app/board.each?names=a')).toHaveLength(1);
  expect(client.receipts).toEqual(['sub-0']);
});

test('[ANSWER2] no position is kept of an answer, and it can not be resumed', async () => {
  await ask('0', '/app/board.mine', { durable: 'mine', ack: 'client' });
  expect(refusals()).toEqual([['BAD_REQUEST', 'sub-0']]);
  expect(await ask('1', '/app/board.mine', { resume: 'e:1' })).toEqual(['alice']);
  expect(client.messages('1')[0]?.headers['recovered']).toBeUndefined();
});

test('[ANSWER2] nobody can SEND there, and what has no such door is not found', async () => {
  client.tell('/app/board.mine', '');
  client.tell('/app/board.look/b/x', '');
  await ask('0', '/app/board.set/b');
  await ask('1', '/app/board.mine/more?a=b');
  await ask('2', '/app/chat.send/1?a=b');
  expect(client.refusals.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'NOT_FOUND'));
});

test('[ANSWER3] a list of names is asked one by one and answered as one list, in the order asked, each once', async () => {
  expect(await ask('0', '/app/board.each?names=c,a,,c,b%20b,d%2Fe')).toEqual([
    [
      { id: 'c', names: 'c' },
      { id: 'a', names: 'a' },
      { id: 'b b', names: 'b b' },
      { id: 'd/e', names: 'd/e' },
    ],
  ]);
});

test('[ANSWER3] a list of none, of more than 500, or with a name that can be none is BAD_REQUEST', async () => {
  const many = (count: number): string => Array.from({ length: count }, (_, index) => `n${index}`).join(',');
  const bad = [
    '',
    '?',
    '?names=',
    '?names=,,',
    `?names=${many(501)}`,
    `?names=a,${'x'.repeat(37)}`,
    '?names=a%00',
  ];
  for (const [id, query] of bad.entries()) {
    client.subscribe(String(id), `/app/board.each${query}`);
    await node.settle();
  }
  expect(refusals()).toEqual(bad.map((_, id) => ['BAD_REQUEST', `sub-${id}`]));
  const [list] = (await ask('all', `/app/board.each?names=${many(500)}`)) as [unknown[]];
  expect(list).toHaveLength(500);
});

test('[ANSWER4] answers count as commands in flight, a list as many', async () => {
  node.killShard(0);
  await node.settle();
  node.startShard(0);
  for (let index = 0; index < 11; index += 1) client.subscribe(`${index}`, '/app/board.mine');
  await node.settle();
  expect(refusals()).toEqual([['UNAVAILABLE', 'sub-10']]);
  client.subscribe('list', '/app/board.each?names=1,2,3,4,5,6,7,8,9,10');
  client.subscribe('over', '/app/board.mine');
  client.send('DISCONNECT', { receipt: 'bye' });
  await node.settle();
  expect(refusals().slice(1)).toEqual([['UNAVAILABLE', 'sub-over']]);
  // The goodbye comes after what was on its way.
  expect(client.receipts.slice(-2)).toEqual(['sub-list', 'bye']);
});

test('[ANSWER4] one that ends before its answer gets its RECEIPT alone; one whose shard is lost is refused', async () => {
  client.subscribe('0', '/app/board.mine');
  client.send('UNSUBSCRIBE', { id: '0', receipt: 'end' });
  await node.settle();
  expect(client.messages('0')).toEqual([]);
  expect(client.receipts.toSorted()).toEqual(['end', 'sub-0']);
  client.subscribe('1', '/app/board.mine');
  node.killShard(0);
  await node.settle();
  client.subscribe('2', '/app/board.mine');
  await node.settle();
  expect(refusals()).toEqual([
    ['UNAVAILABLE', 'sub-1'],
    ['UNAVAILABLE', 'sub-2'],
  ]);
  client.subscribe('3', '/app/board.mine');
  client.connection.drop();
});
