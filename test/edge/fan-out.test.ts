// Who shares a frame, and that nobody gets one twice or one of somebody else.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FanOut } from '../../src/edge/fan-out.ts';
import { FakeGroups } from '../support/fake-connection.ts';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let groups: FakeGroups;

beforeEach(() => {
  node = new InProcessNode();
  groups = node.groups[0] as FakeGroups;
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

function signIn(count: number, version = '1.2'): Promise<FakeClient[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => node.signIn(`u${index}`, { version })));
}

/** SENDs, and tells how many frames were published for it. */
async function publishedFor(
  sender: FakeClient | undefined,
  destination: string,
  body = 'x',
): Promise<number> {
  const before = groups.published;
  sender?.send('SEND', { destination }, body);
  await node.settle();
  return groups.published - before;
}

test('[FANOUT1] subscribers that differ in nothing share one frame; another id or version is another one', async () => {
  const clients = await signIn(20);
  const older = await signIn(5, '1.1');
  for (const client of clients) client.subscribe('0', '/topic/a');
  await node.settle();
  expect(await publishedFor(clients[0], '/topic/a')).toBe(1);
  for (const client of older) client.subscribe('0', '/topic/a');
  clients[0]?.subscribe('again', '/topic/a');
  await node.settle();
  expect(await publishedFor(clients[0], '/topic/a')).toBe(3);
  expect(clients.map((client) => client.bodies('0'))).toEqual(clients.map(() => ['x', 'x']));
  expect(older.map((client) => client.bodies('0'))).toEqual(older.map(() => ['x']));
  expect(clients[0]?.bodies('again')).toEqual(['x']);
  clients[0]?.send('UNSUBSCRIBE', { id: 'again' });
  await node.settle();
  expect(await publishedFor(clients[0], '/topic/a')).toBe(2);
});

test('[SOCKJS38] those over SockJS share a frame of their own, made once', async () => {
  const plain = await signIn(3);
  const framed = await Promise.all(
    Array.from({ length: 20 }, (_, index) => node.signIn(`s${index}`, { encoding: 'sockjs' })),
  );
  for (const client of [...plain, ...framed]) client.subscribe('0', '/topic/a');
  await node.settle();
  expect(await publishedFor(plain[0], '/topic/a', 'é "\\ \u2028 😀')).toBe(2);
  for (const client of [...plain, ...framed]) expect(client.bodies('0')).toEqual(['é "\\ \u2028 😀']);
  framed[0]?.subscribe('again', '/topic/a');
  for (const client of framed) client.send('UNSUBSCRIBE', { id: '0' });
  await node.settle();
  expect(await publishedFor(plain[0], '/topic/a')).toBe(2);
  expect(framed[0]?.bodies('again')).toEqual(['x']);
});

test('[SOCKJS37] bytes that are no text go to each encoding as it can have them', async () => {
  const [plain] = await signIn(1);
  const framed = await node.signIn('framed', { encoding: 'sockjs' });
  for (const client of [plain, framed]) {
    client?.subscribe('0', '/topic/a');
    client?.subscribe('own', '/topic/a', { ack: 'client' });
  }
  await node.settle();
  plain?.send('SEND', { destination: '/topic/a' }, Uint8Array.from([0x61, 0xff]));
  await node.settle();
  for (const id of ['0', 'own']) {
    expect(plain?.messages(id)[0]).toMatchObject({ isText: false, headers: { 'content-length': '2' } });
    expect(framed.messages(id)[0]).toMatchObject({ body: 'a\ufffd', headers: { 'content-length': '4' } });
  }
});

test('[FANOUT1] groups end with their last member, and a new one starts afresh', async () => {
  const clients = await signIn(3);
  for (const client of clients) client.subscribe('0', '/topic/a');
  await node.settle();
  clients[0]?.send('UNSUBSCRIBE', { id: '0' });
  clients[1]?.connection.drop();
  expect(groups.memberships).toBe(1);
  expect(await publishedFor(clients[2], '/topic/a')).toBe(1);
  clients[2]?.send('UNSUBSCRIBE', { id: '0' });
  await node.settle();
  expect(groups.memberships).toBe(0);
  expect(await publishedFor(clients[2], '/topic/a')).toBe(0);
  clients[0]?.subscribe('0', '/topic/a');
  await node.settle();
  expect(await publishedFor(clients[2], '/topic/a', 'y')).toBe(1);
  expect(clients.map((client) => client.bodies('0'))).toEqual([['y'], [], ['x']]);
});

test('[FANOUT2] with an ack mode each subscription has frames of its own, with the id to acknowledge', async () => {
  const clients = await signIn(3);
  for (const client of clients) client.subscribe('0', '/topic/a', { ack: 'client' });
  await node.settle();
  expect(await publishedFor(clients[0], '/topic/a')).toBe(0);
  const acks = clients.map((client) => client.messages('0')[0]?.headers['ack']);
  expect(new Set(acks).size).toBe(3);
  for (const [index, client] of clients.entries())
    client.send('ACK', { id: acks[index] ?? '', receipt: 'ack' });
  await node.settle();
  for (const client of clients) expect(client.receipts).toContain('ack');
});

test('[FANOUT2] one that is told of its past gets that message alone, and shares from then on', async () => {
  const clients = await signIn(3);
  clients[0]?.subscribe('0', '/topic/a');
  await node.settle();
  await publishedFor(clients[0], '/topic/a');
  const { epoch } = clients[0]?.messages('0')[0]?.headers ?? {};
  for (const client of clients.slice(1)) client.subscribe('0', '/topic/a', { resume: `${epoch}:1` });
  await node.settle();
  expect(await publishedFor(clients[0], '/topic/a')).toBe(1);
  expect(await publishedFor(clients[0], '/topic/a')).toBe(1);
  expect(groups.memberships).toBe(3);
  for (const client of clients.slice(1)) {
    expect(client.messages('0').map(({ headers }) => [headers['seq'], headers['recovered']])).toEqual([
      ['2', 'true'],
      ['3', undefined],
    ]);
  }
});

test('[FANOUT3] a wildcard gets each plain message of its pattern once, with the destination it was sent to', async () => {
  const [client, sender] = await signIn(2);
  for (const [id, pattern] of ['/topic/**', '/topic/*', '/topic/a*', '/topic/b/?'].entries()) {
    client?.subscribe(`w${id}`, pattern);
  }
  client?.subscribe('a', '/topic/ab');
  await node.settle();
  for (const destination of ['/topic/ab', '/topic/b/c', '/topic/a*', '/topic/z']) {
    sender?.send('SEND', { destination }, destination);
  }
  await node.settle();
  expect(client?.bodies('w0')).toEqual(['/topic/ab', '/topic/b/c', '/topic/a*', '/topic/z']);
  expect(client?.bodies('w1')).toEqual(['/topic/ab', '/topic/a*', '/topic/z']);
  expect(client?.bodies('w2')).toEqual(['/topic/ab', '/topic/a*']);
  expect(client?.bodies('w3')).toEqual(['/topic/b/c']);
  expect(client?.bodies('a')).toEqual(['/topic/ab']);
  for (const { headers, body } of client?.messages('w0') ?? []) expect(headers['destination']).toBe(body);
});

test('[FANOUT3] a wildcard shows nothing of a domain or of a user, and ends with its subscription', async () => {
  const [client, sender] = await signIn(2);
  client?.subscribe('w', '/topic/**');
  client?.send('SUBSCRIBE', { id: 'x', destination: '/user/*/queue/x', receipt: 'x' });
  client?.send('SUBSCRIBE', { id: 'y', destination: '/**', receipt: 'y' });
  await node.settle();
  sender?.send('SEND', { destination: '/user/u1/queue/x' }, 'private');
  sender?.send('SEND', { destination: '/topic/a' }, 'one');
  await node.settle();
  expect(client?.bodies('w')).toEqual(['one']);
  expect(client?.refusals.map(({ code, receipt }) => `${receipt} ${code}`)).toEqual([
    'x NOT_FOUND',
    'y NOT_FOUND',
  ]);
  expect(node.edges[0]?.fanOut.hasPatterns).toBe(true);
  client?.send('UNSUBSCRIBE', { id: 'w' });
  expect(node.edges[0]?.fanOut.hasPatterns).toBe(false);
  expect(await publishedFor(sender, '/topic/a')).toBe(0);
});

test('[FANOUT3] a wildcard may be acknowledged, message by message', async () => {
  const [client, sender] = await signIn(2);
  client?.subscribe('w', '/topic/**', { ack: 'client' });
  await node.settle();
  for (const destination of ['/topic/a', '/topic/a', '/topic/b']) sender?.send('SEND', { destination }, 'x');
  await node.settle();
  const acks = client?.messages('w').map(({ headers }) => headers['ack'] ?? '') ?? [];
  expect(new Set(acks).size).toBe(3);
  for (const id of acks) client?.send('ACK', { id, receipt: id });
  await node.settle();
  expect(client?.receipts).toEqual(['sub-w', ...acks]);
});

test('[FANOUT4] names of users that look like patterns or escapes are names', async () => {
  const names = ['who?', 'a*', '{x:y}', 'a/b', 'a%2Fb', '100%', '**', 'ünï'];
  const clients = await Promise.all(names.map((name) => node.signIn(name)));
  for (const client of clients) client.subscribe('q', '/user/queue/x');
  await node.settle();
  const segment = (name: string): string => name.replaceAll('%', '%25').replaceAll('/', '%2F');
  for (const name of names) clients[0]?.send('SEND', { destination: `/user/${segment(name)}/queue/x` }, name);
  await node.settle();
  expect(clients.map((client) => client.bodies('q'))).toEqual(names.map((name) => [name]));
  for (const client of clients) expect(client.messages('q')[0]?.headers['destination']).toBe('/user/queue/x');

  // Also when the shard was lost meanwhile.
  node.killShard(0);
  await node.settle();
  node.startShard(0);
  for (const name of names) clients[0]?.send('SEND', { destination: `/user/${segment(name)}/queue/x` }, name);
  await node.settle();
  expect(clients.map((client) => client.bodies('q').length)).toEqual(names.map(() => 2));
});

test('[FANOUT4] a user hears only of its own queues, on all its sessions', async () => {
  const sessions = [await node.signIn('alice'), await node.signIn('alice')];
  const bob = await node.signIn('bob');
  for (const client of [...sessions, bob]) client.subscribe('q', '/user/queue/x');
  bob.send('SUBSCRIBE', { id: 's', destination: '/user/alice/queue/x', receipt: 's' });
  await node.settle();
  bob.send('SEND', { destination: '/user/alice/queue/x' }, 'hello');
  await node.settle();
  expect([...sessions, bob].map((client) => client.bodies('q'))).toEqual([['hello'], ['hello'], []]);
  expect(bob.refusals.map(({ code }) => code)).toEqual(['NOT_FOUND']);
});

test('[FANOUT5] the bytes of each published frame are told, so that all sessions are looked at in time', () => {
  const told: number[] = [];
  const fanOut = new FanOut(new FakeGroups(), (bytes) => told.push(bytes));
  fanOut.publish('/topic/a', 'e', [1, null, Buffer.from('x'), true], true);
  expect(told).toEqual([]);
  expect(fanOut.hasPatterns).toBe(false);
  expect([...fanOut.channels()]).toEqual([]);
});

test('[FANOUT5] headers of a sender are passed on, but none that the server alone may write', async () => {
  const [client] = await signIn(1);
  client?.subscribe('0', '/topic/a');
  const sent = {
    'x-own': 'a:b\n',
    'content-type': 'text/plain',
    seq: '99',
    epoch: 'mine',
    recovered: 'true',
    ack: 'no',
  };
  client?.send(
    'SEND',
    { destination: '/topic/a', authorization: 'Bearer secret', subscription: 'z', ...sent },
    'x',
  );
  await node.settle();
  const { headers } = client?.messages('0')[0] ?? {};
  expect(headers).toMatchObject({
    'x-own': 'a:b\n',
    'content-type': 'text/plain',
    seq: '1',
    subscription: '0',
  });
  expect(Object.keys(headers ?? {})).not.toEqual(expect.arrayContaining(['authorization']));
  expect(headers?.['epoch']).not.toBe('mine');
  expect([headers?.['recovered'], headers?.['ack']]).toEqual([undefined, undefined]);
});
