// How a session begins, how long it goes on, and who may have it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;

beforeEach(() => {
  node = new InProcessNode();
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

/** CONNECT without waiting for its answer. */
function connect(client: FakeClient, headers: Readonly<Record<string, string>> = {}): void {
  client.send('CONNECT', { 'accept-version': '1.2', authorization: 'Bearer alice', ...headers });
}

/** Command and code of the last frame, and the close code. */
const end = ({ frames, connection }: FakeClient): unknown => [
  frames.at(-1)?.command,
  frames.at(-1)?.headers['code'],
  connection.closed?.code,
];

test('[SESSION1] CONNECT is answered with the highest common version, the heart-beats, the user and the session', async () => {
  for (const [accepted, version] of [
    ['1.0,1.1,1.2', '1.2'],
    ['1.1,1.0', '1.1'],
    ['1.0', '1.0'],
    [' 1.2 ,9.9', '1.2'],
  ] as const) {
    const client = node.open();
    connect(client, { 'accept-version': accepted });
    await node.settle();
    expect(client.frames).toMatchObject([
      { command: 'CONNECTED', headers: { version, 'heart-beat': '10000,10000', 'user-name': 'alice' } },
    ]);
    expect(client.frames[0]?.headers['session']).toBe(client.session.id);
  }
});

test('[SESSION1] CONNECT without accept-version is 1.0; without a common one it is an ERROR', async () => {
  const old = node.open();
  old.send('CONNECT', { authorization: 'Bearer alice' });
  const other = node.open();
  connect(other, { 'accept-version': '2.0' });
  await node.settle();
  expect(old.frames[0]?.headers['version']).toBe('1.0');
  expect(end(other)).toEqual(['ERROR', 'BAD_REQUEST', 1002]);
});

test('[SESSION1] the first frame must be CONNECT or STOMP, and no later one may be', async () => {
  const first = node.open();
  first.send('SEND', { destination: '/topic/a' }, 'hi');
  expect(end(first)).toEqual(['ERROR', 'BAD_REQUEST', 1002]);
  const stomp = node.open();
  stomp.send('STOMP', { 'accept-version': '1.2', authorization: 'Bearer alice' });
  await node.settle();
  expect(stomp.commands).toEqual(['CONNECTED']);
  connect(stomp);
  expect(end(stomp)).toEqual(['ERROR', 'BAD_REQUEST', 1002]);
});

test('[SESSION1] heart-beats that are no two numbers are an ERROR', async () => {
  for (const heartBeat of ['', 'x', '1', '1,', '-1,2', '1,2,3', '1.5,2', `${'9'.repeat(20)},1`]) {
    const client = node.open();
    connect(client, { 'heart-beat': heartBeat });
    await node.settle();
    expect(end(client), heartBeat).toEqual(['ERROR', 'BAD_REQUEST', 1002]);
  }
});

test('[SESSION2] no token or a bad one is UNAUTHORIZED and ends the session, and the log says who it was not', async () => {
  const none = node.open();
  none.send('CONNECT', { 'accept-version': '1.2' });
  const bad = node.open();
  connect(bad, { authorization: 'Bearer bad' });
  const odd = node.open();
  connect(odd, { authorization: 'Basic YTpi' });
  await node.settle();
  for (const client of [none, bad, odd]) {
    expect(client.commands).toEqual(['ERROR']);
    expect(client.frames[0]?.headers['message']).toBe('UNAUTHORIZED');
    expect(client.connection.closed?.code).toBe(1008);
  }
  expect(node.logs.map(({ event }) => event)).toEqual(['refused', 'refused', 'refused']);
});

test('[SESSION2] the token of the URL is taken when CONNECT carries none', async () => {
  const client = node.open(0, 'bob');
  client.send('CONNECT', { 'accept-version': '1.2' });
  const both = node.open(0, 'bob');
  connect(both);
  await node.settle();
  expect(client.frames[0]?.headers['user-name']).toBe('bob');
  expect(both.frames[0]?.headers['user-name']).toBe('alice');
});

test('[SESSION2] a token that is checked when the client has gone does nothing', async () => {
  node.authenticator.holds = true;
  const client = node.open();
  connect(client);
  client.connection.drop();
  for (const release of node.authenticator.held) release();
  await node.settle();
  expect(client.frames).toEqual([]);
});

test('[SESSION3] a connection that says nothing, or no whole frame, is closed after the first minute', async () => {
  const silent = node.open();
  const slow = node.open();
  await node.pass(59_900, 1_000);
  slow.raw('\n\nCONNECT\n');
  const good = await node.signIn('alice');
  expect([silent.connection.closed, slow.connection.closed]).toEqual([null, null]);
  await node.pass(200);
  expect([silent.connection.closed?.code, slow.connection.closed?.code]).toEqual([4500, 4500]);
  await node.pass(120_000, 1_000);
  expect(good.connection.closed).toBeNull();
});

test('[SESSION4] frames that come while the token is checked are handled after it, in order', async () => {
  node.authenticator.holds = true;
  const client = node.open();
  connect(client);
  client.version = '1.2';
  client.subscribe('0', '/topic/a');
  client.tell('/topic/a', 'one');
  client.raw('SEND\ndestination:/topic/a\n\ntw');
  client.raw('o\0');
  await node.settle();
  expect(client.frames).toEqual([]);
  for (const release of node.authenticator.held) release();
  await node.settle();
  expect(client.commands[0]).toBe('CONNECTED');
  expect(client.bodies('0')).toEqual(['one', 'two']);
  expect(client.receipts).toEqual(['sub-0', 'tell-1']);
});

test('[SESSION4] also those in one piece with CONNECT', async () => {
  const client = node.open();
  const text = 'CONNECT\naccept-version:1.2\nauthorization:Bearer alice\n\n\0';
  const more = 'SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0SEND\ndestination:/topic/a\n\nhello\0';
  client.raw(`${text}\n${more}\n`);
  await node.settle();
  expect(client.bodies('0')).toEqual(['hello']);
});

test('[SESSION4] what comes while the token is checked is bounded, in bytes and in pieces', async () => {
  for (const [piece, count] of [
    ['x'.repeat(10_000), 7],
    ['\n', 10_000],
  ] as const) {
    node.authenticator.holds = true;
    const client = node.open();
    connect(client);
    for (let index = 0; index < count && !client.connection.closed; index += 1) client.raw(piece);
    expect(end(client)).toEqual(['ERROR', 'TOO_LARGE', 1002]);
  }
});

test('[SESSION5] the server beats on time, and not for a client that wants none', async () => {
  const client = await node.signIn('alice', { heartBeat: '0,5000' });
  const slower = await node.signIn('alice', { heartBeat: '0,15000' });
  const none = await node.signIn('alice', { heartBeat: '0,0' });
  const beganAt = node.clock.now();
  await node.pass(100_000, 50);
  expect(none.connection.beats).toEqual([]);
  for (const [{ connection }, everyMs] of [
    [client, 10_000],
    [slower, 15_000],
  ] as const) {
    const gaps = connection.beats.map((at, index) => at - (connection.beats[index - 1] ?? beganAt));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(everyMs);
    expect(Math.min(...gaps.slice(1))).toBeGreaterThan(everyMs / 2);
    expect(connection.beats.length).toBeGreaterThanOrEqual(100_000 / everyMs - 1);
  }
});

test('[SESSION5] a client that promised heart-beats is gone after three intervals without any byte', async () => {
  const silent = await node.signIn('alice', { heartBeat: '10000,0' });
  const beating = await node.signIn('alice', { heartBeat: '10000,0' });
  const promisedNothing = await node.signIn('alice', { heartBeat: '0,0' });
  for (let beat = 0; beat < 4; beat += 1) {
    await node.pass(9_900);
    beating.raw('\n');
    if (beat < 3) expect(silent.connection.closed).toBeNull();
  }
  expect(end(silent)).toEqual(['ERROR', 'BAD_REQUEST', 1002]);
  expect(silent.frames.at(-1)?.headers['message']).toBe('Session closed.');
  await node.pass(29_900);
  expect(beating.connection.closed).toBeNull();
  await node.pass(300);
  expect(beating.connection.closed?.code).toBe(1002);
  expect(promisedNothing.connection.closed).toBeNull();
});

test('[SESSION6] at the end of its token a session ends with UNAUTHORIZED, within a second', async () => {
  const expiresAt = node.clock.now() + 5_000;
  const client = await node.signIn('alice', { token: `alice@${expiresAt}` });
  await node.pass(4_900);
  expect(client.connection.closed).toBeNull();
  await node.pass(300);
  expect(end(client)).toEqual(['ERROR', 'UNAUTHORIZED', 1008]);
});

test('[SESSION6] a fresh token lets the session go on, also when it says less', async () => {
  const startMs = node.clock.now();
  const client = await node.signIn('alice', { token: `alice@${startMs + 5_000}` });
  const receipt = client.tell('/app/auth.refresh', JSON.stringify({ token: `alice@${startMs + 60_000}` }));
  await node.pass(30_000, 1_000);
  expect(client.receipts).toEqual([receipt]);
  expect(client.connection.closed).toBeNull();
  client.tell('/app/auth.refresh', JSON.stringify({ token: `alice@${startMs + 40_000}` }));
  await node.pass(11_000);
  expect(client.connection.closed?.code).toBe(1008);
});

test('[SESSION6] a fresh token that is bad, broken or of another user is refused and changes nothing', async () => {
  const client = await node.signIn('alice', { token: `alice@${node.clock.now() + 5_000}` });
  for (const body of ['', '{', 'null', '{}', '{"token":7}', '{"token":"bad"}', '{"token":"bob"}']) {
    client.tell('/app/auth.refresh', body);
  }
  await node.settle();
  expect(client.refusals.map(({ code, receipt }) => `${receipt} ${code}`).toSorted()).toEqual([
    'tell-1 BAD_REQUEST',
    'tell-2 BAD_REQUEST',
    'tell-3 BAD_REQUEST',
    'tell-4 BAD_REQUEST',
    'tell-5 BAD_REQUEST',
    'tell-6 UNAUTHORIZED',
    'tell-7 FORBIDDEN',
  ]);
  expect(client.receipts).toEqual([]);
  await node.pass(5_200);
  expect(client.connection.closed?.code).toBe(1008);
});

test('[SESSION7] connect and disconnect are one line each, with the reason and the length of the session', async () => {
  const client = await node.signIn('alice');
  await node.pass(2_000);
  client.connection.drop();
  expect(node.logs).toMatchObject([
    {
      event: 'connect',
      session: client.session.id,
      user: 'alice',
      protocol: 'stomp 1.2',
      address: '192.0.2.7',
    },
    {
      event: 'disconnect',
      session: client.session.id,
      user: 'alice',
      reason: 'connection lost',
      durationMs: 2_000,
    },
  ]);
});

test('[SESSION7] over the rate of its user a SEND is refused, on all the connections of the user together', async () => {
  node.close();
  node = new InProcessNode({ edges: 2, rateLimit: { messages: 3, perMs: 3_000 } });
  const clients = [await node.signIn('alice', { edge: 0 }), await node.signIn('alice', { edge: 1 })] as const;
  for (let index = 0; index < 4; index += 1) clients[index % 2 ? 1 : 0].tell('/topic/a', 'x');
  await node.settle();
  expect(clients[0].receipts).toEqual(['tell-1', 'tell-2']);
  expect(clients[1].receipts).toEqual(['tell-1']);
  expect(clients[1].refusals).toMatchObject([
    { code: 'RATE_LIMITED', receipt: 'tell-2', retryAfterMs: 1_000 },
  ]);
  // These are free.
  clients[0].subscribe('0', '/topic/a');
  clients[0].send('UNSUBSCRIBE', { id: '0', receipt: 'u' });
  clients[0].raw('\n');
  await node.pass(1_000);
  clients[1].tell('/topic/a', 'x');
  clients[0].send('DISCONNECT', { receipt: 'bye' });
  await node.settle();
  expect(clients[1].receipts).toEqual(['tell-1', 'tell-3']);
  expect(clients[0].receipts.slice(2)).toEqual(['u', 'sub-0', 'bye']);
});
