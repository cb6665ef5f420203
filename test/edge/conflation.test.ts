// Conflated streams and readers that are too slow for them; and what a subscription starts with.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kinds } from '../support/edge-kinds.ts';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let sender: FakeClient;

const conflateBytesMax = 10_000;
const unreadBytesMax = 40_000;

beforeEach(async () => {
  node = new InProcessNode({ kinds, edge: { conflateBytesMax, unreadBytesMax } });
  sender = await node.signIn('sender');
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

async function set(name: string, value: string, id = '1', command = 'set'): Promise<void> {
  sender.send('SEND', { destination: `/app/board.${command}/${id}` }, JSON.stringify({ name, value }));
  await node.settle();
}

const note = (name: string, value: string): Promise<void> => set(name, value, '1', 'note');

async function readAll(client: FakeClient): Promise<void> {
  client.connection.bufferedBytes = 0;
  node.edges[0]?.drained(client.session);
  await node.settle();
}

/** Names and values that came, as `a=1`. */
function valuesOf(client: FakeClient, id = '0'): string[] {
  return client.bodies(id).map((body) => {
    const { name, value } = JSON.parse(body) as { name: string; value: string };
    return `${name}=${value.trim()}`;
  });
}

/** A client that reads nothing and has more unread than a conflated stream takes. */
async function slowClient(user = 'slow'): Promise<FakeClient> {
  const client = await node.signIn(user);
  client.subscribe('0', '/topic/board.1');
  await node.settle();
  client.connection.reads = false;
  client.connection.bufferedBytes = conflateBytesMax + 1;
  return client;
}

test('[CONFLATE1] one that starts gets the present state page by page, then its RECEIPT and what is live', async () => {
  for (let index = 0; index < 8; index += 1) await set(`n${index % 7}`, `${index}`);
  const client = await node.signIn('alice');
  client.subscribe('0', '/topic/board.1');
  await node.settle();
  const present = ['n1=1', 'n2=2', 'n3=3', 'n4=4', 'n5=5', 'n6=6', 'n0=7'];
  expect(valuesOf(client)).toEqual(present);
  expect(client.commands.slice(-2)).toEqual(['MESSAGE', 'RECEIPT']);
  await set('n9', 'live');
  expect(valuesOf(client)).toEqual([...present, 'n9=live']);
  for (const { headers } of client.messages('0')) {
    expect([headers['seq'], headers['epoch'], headers['recovered']]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  }
});

test('[CONFLATE1] its next page waits for its reader', async () => {
  for (let index = 0; index < 5; index += 1) await set(`n${index}`, `${index}`.padEnd(4_000));
  const client = await node.signIn('alice');
  client.connection.reads = false;
  client.subscribe('0', '/topic/board.1');
  await node.settle();
  expect(valuesOf(client)).toEqual(['n0=0', 'n1=1', 'n2=2']);
  await set('n0', 'again');
  expect(client.receipts).toEqual([]);
  await readAll(client);
  expect(valuesOf(client).slice(3)).toEqual(['n3=3', 'n4=4', 'n0=again']);
  expect(client.receipts).toEqual(['sub-0']);
});

test('[CONFLATE2] a slow reader is left out, then told once what has changed since, and is never closed', async () => {
  const good = await node.signIn('good');
  good.subscribe('0', '/topic/board.1');
  const slow = await node.signIn('slow');
  slow.subscribe('0', '/topic/board.1');
  await node.settle();
  await set('old', '0');
  slow.connection.reads = false;
  for (let index = 0; index < 100; index += 1) await set(`n${index % 4}`, `${index}`.padEnd(1_000));
  expect(good.messages('0')).toHaveLength(101);
  expect(good.connection.closed ?? slow.connection.closed).toBeNull();
  expect(slow.connection.bufferedBytes).toBeLessThan(conflateBytesMax + 3_000);
  const { length } = slow.messages('0');
  await set('n0', 'still away');
  expect(slow.messages('0')).toHaveLength(length);

  slow.connection.bufferedBytes = conflateBytesMax / 2 + 1;
  node.edges[0]?.drained(slow.session);
  await node.settle();
  expect(slow.messages('0')).toHaveLength(length);
  await readAll(slow);
  await set('n1', 'live');
  expect(valuesOf(slow).slice(length)).toEqual(['n1=97', 'n2=98', 'n3=99', 'n0=still away', 'n1=live']);
  expect(slow.receipts).toEqual(['sub-0']);
});

test('[CONFLATE2] what comes between asking and the answer is neither lost nor told before it', async () => {
  const slow = await slowClient();
  await set('a', '1');
  slow.connection.bufferedBytes = 0;
  node.edges[0]?.drained(slow.session);
  for (const value of ['2', '3', '4']) {
    sender.send('SEND', { destination: '/app/board.set/1' }, JSON.stringify({ name: 'a', value }));
    await new Promise(setImmediate);
  }
  await node.settle();
  const values = valuesOf(slow);
  expect(values.at(-1)).toBe('a=4');
  expect(values).toEqual([...new Set(values)].toSorted());
});

test('[CONFLATE2] also one whose neighbour has started ahead of what was published', async () => {
  const slow = await slowClient();
  await note('a', '1');
  const other = await node.signIn('other');
  other.subscribe('0', '/topic/board.1');
  await node.settle();
  await set('b', '1');
  await readAll(slow);
  expect(valuesOf(slow)).toEqual(['a=1', 'b=1']);
  expect(valuesOf(other)).toEqual(['a=1', 'b=1']);
});

test('[CONFLATE3] many streams of one reader are caught up one after another, each page as it reads', async () => {
  const slow = await slowClient();
  for (let index = 2; index <= 9; index += 1) slow.subscribe(`${index}`, `/topic/board.${index}`);
  slow.connection.bufferedBytes = 0;
  await node.settle();
  slow.connection.bufferedBytes = conflateBytesMax + 1;
  for (let index = 1; index <= 9; index += 1) await set('a', 'x'.padEnd(8_000), `${index}`);
  let pages = 0;
  for (; pages < 20; pages += 1) {
    const before = slow.frames.length;
    await readAll(slow);
    if (slow.frames.length === before) break;
    expect(slow.frames.length).toBe(before + 1);
  }
  expect(pages).toBe(9);
  expect(slow.connection.closed).toBeNull();
  for (let index = 2; index <= 9; index += 1) expect(valuesOf(slow, `${index}`)).toEqual(['a=x']);
});

test('[CONFLATE4] one that was left out may end, go, or lose its right meanwhile', async () => {
  const ends = await slowClient('ends');
  const goes = await slowClient('goes');
  await set('a', '1');
  ends.send('UNSUBSCRIBE', { id: '0', receipt: 'u' });
  goes.connection.drop();
  expect(node.groups[0]?.memberships).toBe(0);
  await readAll(ends);
  await set('a', '2');
  expect([ends.messages('0'), goes.messages('0')]).toEqual([[], []]);
  expect(ends.receipts).toEqual(['sub-0', 'u']);
  // In the moment in which it is asked for.
  const late = await slowClient('late');
  await set('a', '3');
  late.connection.bufferedBytes = 0;
  node.edges[0]?.drained(late.session);
  late.send('UNSUBSCRIBE', { id: '0', receipt: 'u' });
  await node.settle();
  const { length } = late.messages('0');
  late.connection.reads = true;
  await set('a', '4');
  expect(late.messages('0')).toHaveLength(length);
  late.subscribe('0', '/topic/board.1');
  await node.settle();
  expect(valuesOf(late).slice(length)).toEqual(['a=4']);
});

test('[CONFLATE4] so may its shard: it is caught up by the next one, from the beginning', async () => {
  const slow = await slowClient();
  for (let index = 0; index < 5; index += 1) await set('a', `${index}`);
  node.killShard(0);
  await node.settle();
  await readAll(slow);
  node.startShard(0);
  await node.settle();
  for (const name of ['b', 'c']) await set(name, 'new');
  expect(valuesOf(slow)).toEqual(['b=new', 'c=new']);
  expect(slow.refusals).toEqual([]);

  // The other order: the shard is back before the client reads. It counts its places anew.
  slow.connection.bufferedBytes = conflateBytesMax + 1;
  await set('d', 'old');
  node.killShard(0);
  await node.settle();
  node.startShard(0);
  for (const name of ['e', 'f', 'g', 'h']) await set(name, 'new');
  await readAll(slow);
  expect(valuesOf(slow).slice(2)).toEqual(['e=new', 'f=new', 'g=new', 'h=new']);
});

test('[CONFLATE4] one that falls behind a new shard before it has told anything gets all of it', async () => {
  const slow = await slowClient();
  slow.connection.bufferedBytes = 0;
  await set('a', 'old');
  node.killShard(0);
  await node.settle();
  node.startShard(0);
  for (const name of ['b', 'c']) await note(name, 'new');
  slow.connection.bufferedBytes = conflateBytesMax + 1;
  await set('d', 'new');
  await readAll(slow);
  expect(valuesOf(slow)).toEqual(['a=old', 'b=new', 'c=new', 'd=new']);
});

test('[CONFLATE5] a resume of what keeps nothing starts with the state, whose first message says so', async () => {
  const empty = await node.signIn('empty');
  empty.subscribe('0', '/topic/board.1', { resume: 'e:1', ack: 'client' });
  await node.settle();
  expect(empty.messages('0')).toMatchObject([{ body: '', headers: { recovered: 'false' } }]);
  await set('a', '1');
  await set('b', '1');
  const acks = empty.messages('0').map(({ headers }) => headers['ack'] ?? '');
  expect(new Set(acks).size).toBe(3);
  for (const id of acks) empty.send('ACK', { id, receipt: id });
  const client = await node.signIn('alice');
  client.subscribe('0', '/topic/board.1', { resume: 'e:1' });
  await node.settle();
  expect(empty.receipts).toEqual(['sub-0', ...acks]);
  expect(client.messages('0').map(({ body, headers }) => [body, headers['recovered']])).toEqual([
    ['{"name":"a","value":"1"}', 'false'],
    ['{"name":"b","value":"1"}', undefined],
  ]);
});

test('[CONFLATE5] a gap that can not be filled is answered by the state, with the place that it stands for', async () => {
  sender.subscribe('live', '/probe/1');
  for (const body of ['one', 'two']) sender.send('SEND', { destination: '/probe/1' }, body);
  await node.settle();
  const client = await node.signIn('alice');
  client.subscribe('0', '/probe/1', { resume: 'lost:7', ack: 'client' });
  await node.settle();
  const [, newest] = sender.messages('live');
  const [state, ...more] = client.messages('0');
  expect(more).toEqual([]);
  expect(state).toMatchObject({
    body: '"state of 1"',
    headers: {
      recovered: 'false',
      seq: '2',
      epoch: newest?.headers['epoch'],
      ack: expect.stringMatching(/-2-\w+$/),
    },
  });
  expect(state?.headers['message-id']).not.toBe(newest?.headers['message-id']);
  expect(client.receipts).toEqual(['sub-0']);
  client.subscribe('1', '/probe/1', { resume: `${state?.headers['epoch']}:2` });
  client.tell('/probe/1', 'three');
  await node.settle();
  expect(client.seqs('0')).toEqual([2, 3]);
  expect(client.messages('1').map(({ body, headers }) => [body, headers['recovered']])).toEqual([
    ['three', 'true'],
  ]);
});
