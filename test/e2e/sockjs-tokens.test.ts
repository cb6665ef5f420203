// Tokens over each transport of SockJS: who one is by them, whose a session is, and that nobody reads them in the log.
import SockJS from 'sockjs-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { LibraryClient } from '../support/library-client.ts';
import { PollingClient } from '../support/polling-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { poll, xhrSend } from '../support/sockjs.ts';
import { StreamingClient, streamingNames, type StreamingName } from '../support/streaming-client.ts';

/** Enough that requests of one session come in at all edges. */
const rounds = Array.from({ length: 6 }, (_, index) => index);
let server: TestServer;
/** Everything that must not be in the log. */
const shown: string[] = [];

beforeAll(async () => {
  server = await startServer({ settings: { edges: '3', shards: '1', logLevel: 'trace' } });
});

async function tokenOf(user: string): Promise<string> {
  const token = await server.token(user);
  shown.push(token);
  return token;
}

const queryOf = async (user: string): Promise<string> => `?token=${await tokenOf(user)}`;

describe('a token in the URL', () => {
  test.each(['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'])(
    '[SOCKJS42] signs the client library in over %s',
    async (transport) => {
      const user = `library-${transport}`;
      const url = `${server.url}/ws${await queryOf(user)}`;
      const webSocketFactory = (): InstanceType<typeof SockJS> =>
        new SockJS(url, null, { transports: [transport], timeout: 10_000 });
      const library = new LibraryClient(server, { webSocketFactory });
      await library.until(() => library.connects === 1, 'connected');
      await library.subscribe('/user/queue/mine');
      await library.publish(`/user/${user}/queue/mine`, { to: user });
      await library.until(() => library.messages.length === 1, 'the message to oneself');
      const { user: whose, protocol } = await server.logged(
        (line) => line['event'] === 'connect' && line['user'] === user,
      );
      expect([whose, protocol]).toEqual([user, expect.stringMatching(/^stomp 1\.2, sockjs /)]);
      await library.client.deactivate();
    },
  );

  test.each(streamingNames)('[SOCKJS42] signs in over %s, at whichever edge', async (transport) => {
    for (const round of rounds) {
      const user = `${transport}-${round}`;
      const client = new StreamingClient(server, { transport, query: await queryOf(user) });
      expect(await client.next()).toBe('o');
      expect(await client.connect(null)).toBe(user);
      client.cut();
    }
  });

  test('[SOCKJS42] that is none is refused over each transport', async () => {
    shown.push('no-token-at-all');
    const query = '?token=no-token-at-all';
    for (const transport of streamingNames) {
      const client = new StreamingClient(server, { transport, query });
      await client.next();
      await client.sendFrame('CONNECT', { 'accept-version': '1.2' });
      const { headers } = await client.until(({ command }) => command === 'ERROR', 'ERROR');
      expect(headers['message']).toBe('UNAUTHORIZED');
      expect(await client.end()).toMatch(/^c\[1008,"/);
    }
  });
});

describe('a session that was opened with one', () => {
  /** All that a stranger could ask, with that query. */
  async function expectStranger(client: StreamingClient, query: string): Promise<void> {
    expect((await client.open(query)).status).toBe(404);
    expect((await xhrSend(client.session, ['\n'], {}, query)).status).toBe(404);
    expect((await poll(client.session, {}, query)).status).toBe(404);
  }

  test.each<StreamingName>(streamingNames)(
    '[SOCKJS32] over %s is nobody else’s, wherever they ask',
    async (transport) => {
      const query = await queryOf('alice');
      for (const stranger of ['', await queryOf('mallory'), '?token=bad']) {
        for (let edge = 0; edge < 3; edge += 1) {
          const client = new StreamingClient(server, { transport, query });
          await client.next();
          await client.connect(null);
          await expectStranger(client, stranger);
          // Its owner has noticed nothing, and is known by another token as well.
          const other = await queryOf('alice');
          expect((await xhrSend(client.session, ['\n'], {}, other)).status).toBe(204);
          await client.request('SEND', { destination: '/topic/mine' }, 'still mine');
          client.cut();
        }
      }
    },
  );

  test('[SOCKJS32] is received from at another edge than it was opened at, by its user alone', async () => {
    for (const round of rounds) {
      const client = new PollingClient(server, { query: await queryOf(`polling-${round}`) });
      await client.poll();
      expect(await client.connect(null)).toBe(`polling-${round}`);
      for (const again of rounds) {
        expect((await poll(client.session, {}, await queryOf('mallory'))).status).toBe(404);
        await client.request('SEND', { destination: '/topic/mine' }, `${again}`);
      }
    }
  });
});

describe('the log', () => {
  test('[SOCKJS42] holds no token, whatever was asked with it', async () => {
    const client = new PollingClient(server, { query: await queryOf('last') });
    await client.poll();
    await client.sendFrame('CONNECT', {
      'accept-version': '1.2',
      Authorization: `Bearer ${await tokenOf('other')}`,
    });
    await client.poll();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    const log = [...server.log.map((line) => JSON.stringify(line)), ...server.outputLines].join('\n');
    expect(log).toContain('disconnect');
    expect(shown.length).toBeGreaterThan(20);
    // The signature alone would do to make a token of a known head and body.
    const secrets = shown.flatMap((token) => [token, token.split('.')[2] ?? token]);
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  });
});
