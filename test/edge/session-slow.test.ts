// Sessions that catch up, sessions that do not read, and how the others do not notice.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let sender: FakeClient;

const unreadBytesMax = 100_000;
const body = 'x'.repeat(1_000);

beforeEach(async () => {
  node = new InProcessNode({ edge: { unreadBytesMax } });
  sender = await node.signIn('sender');
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

async function sendMany(count: number, destination = '/topic/a', text = body): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    sender.send('SEND', { destination }, text);
    if (index % 100 === 99) await node.settle();
  }
  await node.settle();
}

/** The epoch of /topic/a. */
async function epochOf(destination = '/topic/a'): Promise<string> {
  const client = await node.signIn('looker');
  client.subscribe('look', destination);
  client.tell(destination, 'look');
  await node.settle();
  client.connection.drop();
  return client.messages('look')[0]?.headers['epoch'] ?? '';
}

/** The client reads all that waits for it. */
function readAll(client: FakeClient): void {
  client.connection.bufferedBytes = 0;
  node.edges[0]?.drained(client.session);
}

test('[SESSION13] a session that resumes gets a long gap whole, then what is live, and its RECEIPT in between', async () => {
  const epoch = await epochOf();
  await sendMany(700);
  const client = await node.signIn('bob');
  client.subscribe('0', '/topic/a', { resume: `${epoch}:1` });
  await sendMany(10);
  const seqs = client.seqs('0');
  expect(seqs).toEqual(Array.from({ length: 710 }, (_, index) => index + 2));
  expect(client.messages('0').filter(({ headers }) => headers['recovered'] !== undefined)).toMatchObject([
    { headers: { seq: '2', recovered: 'true' } },
  ]);
  expect(client.receipts).toEqual(['sub-0']);
});

test('[SESSION13] where nothing was missed the first live message says so; what can not be told is said at once', async () => {
  const epoch = await epochOf();
  const whole = await node.signIn('bob');
  whole.subscribe('0', '/topic/a', { resume: `${epoch}:1` });
  const lost = await node.signIn('carol');
  for (const [id, resume] of ['other:1', `${epoch}:9`, 'nonsense', ''].entries()) {
    lost.subscribe(String(id), '/topic/a', { resume });
  }
  await node.settle();
  expect(whole.messages('0')).toEqual([]);
  for (const id of ['0', '1', '2', '3']) {
    expect(lost.messages(id)).toMatchObject([{ body: '', headers: { seq: '1', epoch, recovered: 'false' } }]);
  }
  await sendMany(2, '/topic/a', 'x');
  expect(whole.messages('0').map(({ headers }) => headers['recovered'])).toEqual(['true', undefined]);
  expect(lost.messages('0').map(({ headers }) => headers['recovered'])).toEqual([
    'false',
    undefined,
    undefined,
  ]);
});

test('[SESSION13] the next page waits until the client has read, and comes when it has', async () => {
  const epoch = await epochOf();
  await sendMany(150);
  const client = await node.signIn('bob');
  client.connection.reads = false;
  client.subscribe('0', '/topic/a', { resume: `${epoch}:1` });
  await node.settle();
  expect(client.connection.closed?.code).toBe(4008);

  // A limit that one page does not pass.
  node.close();
  node = new InProcessNode({ edge: { unreadBytesMax: 400_000 } });
  sender = await node.signIn('sender');
  const known = await epochOf();
  await sendMany(700);
  const reader = await node.signIn('bob');
  reader.connection.reads = false;
  reader.subscribe('0', '/topic/a', { resume: `${known}:1` });
  await node.settle();
  expect(reader.seqs('0')).toHaveLength(200);
  await node.settle();
  expect(reader.connection.closed).toBeNull();
  for (const [before, after] of [
    [200, 400],
    [400, 600],
    [600, 700],
  ] as const) {
    reader.connection.bufferedBytes = 201_000;
    node.edges[0]?.drained(reader.session);
    await node.settle();
    expect(reader.seqs('0')).toHaveLength(before);
    readAll(reader);
    await node.settle();
    expect(reader.seqs('0')).toHaveLength(after);
  }
  expect(reader.receipts).toEqual(['sub-0']);
  await sendMany(1);
  expect(reader.seqs('0')).toEqual(Array.from({ length: 701 }, (_, index) => index + 2));
});

test('[SESSION13] a subscription that ends while it catches up ends there', async () => {
  const epoch = await epochOf();
  await sendMany(700);
  const client = await node.signIn('bob');
  client.subscribe('0', '/topic/a', { resume: `${epoch}:1` });
  while (client.seqs('0').length === 0) await new Promise(setImmediate);
  client.send('UNSUBSCRIBE', { id: '0', receipt: 'u' });
  const { length } = client.seqs('0');
  await sendMany(3);
  expect(length).toBeLessThan(700);
  expect(client.seqs('0')).toHaveLength(length);
  expect(client.receipts.toSorted()).toEqual(['sub-0', 'u']);
  expect(node.groups[0]?.memberships).toBe(0);
});

test('[SESSION13] a session that goes while it catches up leaves nothing behind', async () => {
  const epoch = await epochOf();
  await sendMany(300);
  const before = node.groups[0]?.published;
  for (const way of ['drop', 'slow'] as const) {
    const client = await node.signIn('bob');
    client.connection.reads = way === 'drop';
    client.subscribe('0', '/topic/a', { resume: `${epoch}:1` });
    if (way === 'drop') {
      while (client.seqs('0').length === 0) await new Promise(setImmediate);
      client.connection.drop();
    }
    await node.settle();
    expect(client.connection.closed?.code).toBe(way === 'drop' ? 1006 : 4008);
  }
  await sendMany(5);
  // Nobody is there to publish to.
  expect(node.groups[0]?.published).toBe(before);
  expect(node.groups[0]?.memberships).toBe(0);
});

test('[SESSION14] a reader that leaves too much unread ends with 4008; the others get everything', async () => {
  const slow = await node.signIn('slow');
  const good = await node.signIn('good');
  for (const client of [slow, good]) client.subscribe('0', '/topic/a');
  await node.settle();
  slow.connection.reads = false;
  await sendMany(400);
  expect(slow.connection.closed?.code).toBe(4008);
  expect(good.seqs('0')).toHaveLength(400);
  expect(good.connection.closed).toBeNull();
  // It was looked at often enough: no reader keeps much more than the limit.
  expect(slow.connection.bufferedBytes).toBeLessThan(3 * unreadBytesMax);

  const again = await node.signIn('slow');
  const last = slow.messages('0').at(-1)?.headers ?? {};
  again.subscribe('0', '/topic/a', { resume: `${last['epoch']}:${last['seq']}` });
  await node.settle();
  expect(again.seqs('0')).toEqual(
    Array.from({ length: 400 - Number(last['seq']) }, (_, index) => Number(last['seq']) + 1 + index),
  );
});

test('[SESSION14] so does one with frames of its own, and one that is slow to read refusals', async () => {
  const slow = await node.signIn('slow');
  slow.subscribe('0', '/topic/a', { ack: 'client' });
  const loud = await node.signIn('loud');
  loud.send('SUBSCRIBE', { id: 'errors-2', destination: '/user/queue/errors' });
  await node.settle();
  for (const { connection } of [slow, loud]) connection.reads = false;
  await sendMany(200);
  for (let index = 0; index < 400 && !loud.connection.closed; index += 1) loud.tell(`/app/${body}`, '');
  await node.settle();
  expect([slow, loud].map(({ connection }) => connection.closed?.code)).toEqual([4008, 4008]);
});

test('[SESSION14] a slow session ends also when it is busy with another destination', async () => {
  const slow = await node.signIn('slow');
  for (let index = 0; index < 10; index += 1) slow.subscribe(`s${index}`, `/topic/t${index}`);
  await node.settle();
  slow.connection.reads = false;
  for (let index = 0; index < 10; index += 1) await sendMany(15, `/topic/t${index}`);
  expect(slow.connection.closed?.code).toBe(4008);
});

test('[SESSION14] one whose start finds it slow already is not taken in', async () => {
  const slow = await node.signIn('slow');
  await sendMany(1);
  slow.connection.reads = false;
  slow.subscribe('0', '/topic/a', { resume: 'lost' });
  slow.connection.bufferedBytes = unreadBytesMax + 1;
  await node.settle();
  expect(slow.connection.closed?.code).toBe(4008);
  expect(node.groups[0]?.memberships).toBe(0);
  await sendMany(1);
  expect(node.groups[0]?.published).toBe(0);
});

test('[SESSION13] what says where a stream stands does not have the id of the message that stands there', async () => {
  const client = await node.signIn('alice');
  client.subscribe('0', '/topic/a');
  client.tell('/topic/a', 'one');
  await node.settle();
  client.subscribe('lost', '/topic/a', { resume: 'nowhere:7' });
  await node.settle();
  const [message] = client.messages('0');
  const [notice] = client.messages('lost');
  expect(notice?.headers).toMatchObject({ recovered: 'false', seq: message?.headers['seq'] });
  expect(notice?.headers['message-id']).not.toBe(message?.headers['message-id']);
});
