// Connections: the handshake, who gets in, and what the log says of it.
import { request } from 'node:http';
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../../src/edge/auth.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startServer, testSecret, type TestServer } from '../support/server.ts';
import { connectStomp, openSocket, type ConnectOptions, type TestClient } from '../support/stomp.ts';

const listedOrigin = 'https://app.example.org';
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { origins: `${listedOrigin}, http://localhost:*` } });
});

const sendConnect = (
  client: TestClient,
  headers: Readonly<Record<string, string>>,
  command = 'CONNECT',
): void => client.sendFrame(command, { 'accept-version': '1.2', host: 'localhost', ...headers });

/** A frame that comes back as it was sent shows that the session works. */
async function expectWorking(client: TestClient, topic: string): Promise<void> {
  await client.subscribe(topic);
  await client.send(topic, `hello ${topic}`);
  expect(await client.messages(topic, 1)).toMatchObject([{ body: `hello ${topic}` }]);
}

describe('the handshake', () => {
  test.each([
    [[], ''],
    [['v12.stomp'], 'v12.stomp'],
    [['v11.stomp'], 'v11.stomp'],
    [['v10.stomp'], 'v10.stomp'],
    [['v10.stomp', 'v11.stomp', 'v12.stomp'], 'v10.stomp'],
    [['mqtt', 'v11.stomp'], 'v11.stomp'],
  ])('[CONN1] offered subprotocols %j: %j is chosen', async (subprotocols, chosen) => {
    const client = await connectStomp(server, { user: 'alice', subprotocols });
    expect(client.socket.protocol).toBe(chosen);
    await client.disconnect();
  });

  test.each(['/ws', '/inventory-ws', '/ws/websocket', '/inventory-ws/websocket'])(
    '[CONN2] STOMP is served at %s',
    async (path) => {
      const client = await connectStomp(server, { user: 'alice', path });
      await expectWorking(client, `/topic/at.${path.replaceAll('/', '.')}`);
      await client.disconnect();
    },
  );

  test('[CONN2] there is no WebSocket elsewhere', async () => {
    for (const path of ['/', '/ws2', '/ws/', '/ws/a/websocket', '/api/rooms']) {
      // What answers is no WebSocket, but may be a page, or lead to one.
      await expect(openSocket(server, { path })).rejects.toThrow(/: (?:200|302|40[014])$/);
    }
    // The greeting of SockJS.
    await expect(openSocket(server, { path: '/ws/' })).rejects.toThrow('Unexpected server response: 200');
  });

  test.each([
    [undefined, true],
    ['own', true],
    [listedOrigin, true],
    ['http://localhost:5173', true],
    ['https://evil.example.org', false],
    ['https://app.example.org.evil.net', false],
    ['http://app.example.org', false],
    ['null', false],
  ])('[CONN3] a page of origin %s may connect: %s', async (origin, allowed) => {
    const given = origin === 'own' ? server.url : origin;
    const opening = openSocket(server, given === undefined ? {} : { origin: given });
    const outcome = await opening.then(
      (client) => client.socket.close(),
      (thrown: Error) => thrown.message,
    );
    expect(outcome).toBe(allowed ? undefined : 'Unexpected server response: 403');
  });

  test.each([
    ['CONNECT', '1.2', '1.2'],
    ['STOMP', '1.2', '1.2'],
    ['STOMP', '1.0,1.1', '1.1'],
    ['CONNECT', '1.0,1.1,1.2', '1.2'],
    ['CONNECT', '2.0,1.1', '1.1'],
    ['CONNECT', '1.0', '1.0'],
    ['CONNECT', undefined, '1.0'],
  ])('[CONN4] %s with accept-version %s gets version %s', async (command, accepted, version) => {
    const client = await openSocket(server);
    const headers: Record<string, string> = { Authorization: `Bearer ${await server.token('a:b')}` };
    if (accepted !== undefined) headers['accept-version'] = accepted;
    client.sendFrame(command, headers);
    const connected = await client.waitFor((frame) => frame.command === 'CONNECTED');
    // The user's colon is not escaped: CONNECTED never is.
    expect(connected.headers).toMatchObject({ version, 'user-name': 'a:b', 'heart-beat': '10000,10000' });
    expect(connected.headers['session']).toMatch(/\S/);
    client.socket.close();
  });

  test('[CONN4] without a common version: ERROR with those there are, and close', async () => {
    const client = await openSocket(server);
    sendConnect(client, { 'accept-version': '0.9,2.0' });
    const { error, closed } = await client.failure();
    expect(`${error.headers['message']} ${error.body}`).toMatch(/1\.2.*1\.1.*1\.0/);
    expect(closed.code).toBe(1002);
  });

  test('[CONN5] headers arrive as they were meant, whatever version each side speaks', async () => {
    const versions = ['1.0', '1.1', '1.2'];
    const options = versions.map((version): ConnectOptions => ({ user: 'alice', version }));
    const clients = await Promise.all(options.map((one) => connectStomp(server, one)));
    for (const client of clients) await client.subscribe('/topic/escapes');
    const sent: Record<string, Record<string, string>> = {
      '1.0': { plain: 'a\\nb' },
      '1.1': { plain: 'back\\slash:and\nline', 'na:me': 'x' },
      '1.2': { plain: 'back\\slash:and\nline', 'na:me': 'x' },
    };
    for (const client of clients) await client.send('/topic/escapes', client.version, sent[client.version]);
    for (const receiver of clients) {
      const messages = await receiver.messages('/topic/escapes', clients.length);
      for (const { body, headers } of messages) {
        const written = sent[body]?.['plain'] ?? '';
        // 1.0 has no way to write a line end in a header.
        const readable = receiver.version === '1.0' ? written.replaceAll('\n', ' ') : written;
        expect({ from: body, plain: headers['plain'] }).toEqual({ from: body, plain: readable });
      }
    }
    await Promise.all(clients.map((client) => client.disconnect()));
  });
});

describe('tokens', () => {
  test('[CONN6] a token comes in the CONNECT header or in the URL; the header goes first', async () => {
    const alice = await server.token('alice');
    const bob = await server.token('bob');
    const cases: [string, ConnectOptions, string][] = [
      ['header', { token: alice }, 'alice'],
      ['lower case', { token: null, headers: { authorization: `bearer ${alice}` } }, 'alice'],
      ['URL', { token: alice, tokenIn: 'url' }, 'alice'],
      ['both', { token: bob, tokenIn: 'url', headers: { Authorization: `Bearer ${alice}` } }, 'alice'],
    ];
    for (const [name, options, user] of cases) {
      const client = await connectStomp(server, options);
      expect({ name, user: client.frames[0]?.headers['user-name'] }).toEqual({ name, user });
      await client.disconnect();
    }
  });

  test('[CONN7] no token, or one that is not good: ERROR message:UNAUTHORIZED, then close', async () => {
    const good = await server.token('alice');
    const sign = (user: string, secret: string): Promise<string> =>
      signToken(secret, { user, roles: [], expiresInMs: 60_000 }, systemClock.now());
    const [header, , signature] = good.split('.');
    const longName = Buffer.from(JSON.stringify({ sub: 'a'.repeat(37) })).toString('base64url');
    const cases: [string, string | null][] = [
      ['none', null],
      ['garbage', 'garbage'],
      ['expired', await server.token('alice', [], -1_000)],
      ['of another secret', await sign('alice', 'another secret that is long enough for it')],
      ['changed', `${header}.${longName}.${signature}`],
      ['unsigned', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${longName}.`],
    ];
    for (const [name, token] of cases) {
      for (const tokenIn of ['header', 'url'] as const) {
        const client = await openSocket(server, tokenIn === 'url' ? { token, tokenIn } : {});
        sendConnect(
          client,
          tokenIn === 'header' && token !== null ? { Authorization: `Bearer ${token}` } : {},
        );
        const { error, closed } = await client.failure();
        expect({ name, message: error.headers['message'] }).toEqual({ name, message: 'UNAUTHORIZED' });
        expect(closed.code).toBe(1008);
        expect(client.frames).toHaveLength(1);
      }
    }
  });

  test('[CONN7] a user id of more than 36 characters or none is refused even when it is signed', async () => {
    for (const user of ['a'.repeat(37), '', undefined]) {
      const payload = user === undefined ? {} : { sub: user };
      const token = await new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(testSecret));
      const client = await openSocket(server);
      sendConnect(client, { Authorization: `Bearer ${token}` });
      const { error } = await client.failure();
      expect(error.headers['message']).toBe('UNAUTHORIZED');
    }
    const longest = await connectStomp(server, { user: 'a'.repeat(36) });
    await longest.disconnect();
  });
});

describe('the log', () => {
  test('[CONN8] every connect and every disconnect is one line that says all about it', async () => {
    const ways: [user: string, end: (client: TestClient) => unknown, reason: RegExp][] = [
      ['leaver', (client) => client.disconnect(), /client left/],
      ['cutter', (client) => client.cut(), /connection lost/],
      ['breaker', (client) => client.sendRaw('GARBAGE\n\n\0'), /unknown command/],
    ];
    for (const [user, end, reason] of ways) {
      const client = await connectStomp(server, { user, version: '1.1' });
      const session = client.frames[0]?.headers['session'];
      end(client);
      await client.closed;
      await server.logged((line) => line['event'] === 'disconnect' && line['session'] === session);
      const lines = server.log.filter((line) => line['session'] === session);
      const about = { session, user, protocol: 'stomp 1.1', address: '127.0.0.1' };
      expect(lines).toMatchObject([
        { event: 'connect', ...about },
        {
          event: 'disconnect',
          ...about,
          reason: expect.stringMatching(reason),
          durationMs: expect.any(Number),
        },
      ]);
      for (const line of lines) expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
  });

  test('[CONN8] nobody can write a line of the log, and no token is in it', async () => {
    const token = await server.token('quiet\u2028"}');
    const client = await connectStomp(server, { token, tokenIn: 'url' });
    client.sendRaw('{"level":30,"event":"connect"}\n{"level":30}\n\n\0');
    await client.closed;
    await server.logged(({ event, user }) => event === 'disconnect' && user === 'quiet\u2028"}');
    expect(server.log.filter((line) => 'text' in line)).toEqual([]);
    expect(JSON.stringify(server.log)).not.toContain(token);
  });
});

test('[CONN9] what is no proper upgrade request opens no WebSocket, and the server goes on', async () => {
  const { port } = new URL(server.url);
  const statusOf = (path: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ port, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('upgrade', () => reject(new Error('upgraded')))
        .once('error', reject)
        .end();
    });
  for (const headers of [{}, { connection: 'upgrade', upgrade: 'h2c' }]) {
    expect(await statusOf('/ws/websocket', headers)).toBe(400);
    // Whoever asks for a page there is greeted, as by any SockJS.
    expect(await statusOf('/ws', headers)).toBe(200);
  }
  await (await connectStomp(server, { user: 'alice' })).disconnect();
});
