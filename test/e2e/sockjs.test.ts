// STOMP over SockJS: sessions at any edge, whose they are, and how they end.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectPolling, PollingClient } from '../support/polling-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { fetchWhole, holdPoll, newSession, poll, xhrSend } from '../support/sockjs.ts';
import { connectStomp } from '../support/stomp.ts';

const listedOrigin = 'https://app.example.org';
const closeFrame = (code: number, reason: string): string => `c[${code},${JSON.stringify(reason)}]`;
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '3', shards: '2', origins: listedOrigin } });
});

describe('sessions', () => {
  test('[SOCKJS31] are served whichever edge each of their requests comes in at', async () => {
    const reader = await connectStomp(server, { user: 'reader' });
    await reader.subscribe('/topic/anywhere');
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        connectPolling(server, `user-${index}`, { base: index % 2 === 0 ? '/ws' : '/inventory-ws' }),
      ),
    );
    for (const client of clients)
      await client.request('SUBSCRIBE', { id: 's', destination: '/topic/anywhere' });
    for (const [index, client] of clients.entries()) {
      await client.request('SEND', { destination: '/topic/anywhere' }, `from ${index}`);
    }
    await reader.messages('/topic/anywhere', clients.length);
    const all = clients.map((_, index) => `from ${index}`);
    for (const client of clients) {
      await client.until(({ body }) => body === all.at(-1), 'the last message');
      expect(client.messages('s').map(({ body }) => body)).toEqual(all);
      expect(client.messages('s').map(({ headers }) => headers['seq'])).toEqual(
        all.map((_, index) => `${index + 1}`),
      );
    }
    const threads = new Set(
      server.log
        .filter(({ event, protocol }) => event === 'connect' && protocol === 'stomp 1.2, sockjs xhr')
        .map(({ thread }) => thread),
    );
    expect(threads.size).toBe(3);
  });

  test('[SOCKJS31] hold one poll at a time, also when the other comes in elsewhere', async () => {
    for (let round = 0; round < 12; round += 1) {
      const client = await connectPolling(server, 'two');
      const { held, refused } = await holdPoll(client.session);
      expect(refused).toBe('c[2010,"Another connection still open"]\n');
      await client.sendFrame('SEND', { destination: '/topic/two', receipt: 'sent' });
      expect(await held.body()).toContain('receipt-id:sent');
    }
  });

  test('[SOCKJS31] [SOCKJS9] end when their client cuts a poll off, wherever that was', async () => {
    for (let round = 0; round < 12; round += 1) {
      const user = `cut-${round}`;
      const client = await connectPolling(server, user);
      const { held } = await holdPoll(client.session);
      held.close();
      await server.logged(({ event, user: whose }) => event === 'disconnect' && whose === user);
      expect((await client.poll()).body).toBe('c[1002,"Connection interrupted"]\n');
    }
  });

  test('[SOCKJS36] are logged with their transport and address', async () => {
    const client = await connectPolling(server, 'logged');
    const { protocol, address } = await server.logged(
      ({ event, user }) => event === 'connect' && user === 'logged',
    );
    expect({ protocol, address }).toEqual({ protocol: 'stomp 1.2, sockjs xhr', address: '127.0.0.1' });
    await client.request('DISCONNECT');
    const line = await server.logged(({ event, user }) => event === 'disconnect' && user === 'logged');
    expect(line).toMatchObject({ protocol: 'stomp 1.2, sockjs xhr', reason: 'client left' });
  });

  test('[SOCKJS23] of a client that asks for nothing end after five seconds', async () => {
    await connectPolling(server, 'silent');
    const { durationMs } = await server.logged(
      ({ event, user }) => event === 'disconnect' && user === 'silent',
    );
    expect(durationMs).toBeGreaterThanOrEqual(5_000);
  });

  test('[SOCKJS8] tell what went wrong before they close', async () => {
    const client = new PollingClient(server);
    await client.poll();
    await client.sendFrame('CONNECT', { 'accept-version': '1.2', Authorization: 'Bearer bad' });
    const error = await client.until(({ command }) => command === 'ERROR', 'ERROR');
    expect(error.headers['message']).toBe('UNAUTHORIZED');
    await client.poll();
    expect(client.closed).toMatch(/^c\[1008,"/);
  });

  test('[SOCKJS37] bring bytes that are no text as well as they can, in a frame that is whole', async () => {
    const writer = await connectStomp(server, { user: 'writer' });
    const client = await connectPolling(server, 'lossy');
    await client.request('SUBSCRIBE', { id: 's', destination: '/topic/lossy' });
    await client.request('SUBSCRIBE', { id: 'own', destination: '/topic/lossy', ack: 'client' });
    await writer.send('/topic/lossy', Uint8Array.from([0x61, 0xff, 0xfe, 0x62]));
    for (const id of ['s', 'own']) {
      const { headers, body } = await client.until(
        ({ headers: { subscription } }) => subscription === id,
        id,
      );
      expect(body).toBe('a\ufffd\ufffdb');
      expect(headers['content-length']).toBe(`${Buffer.byteLength(body)}`);
    }
  });
});

describe('what is sent', () => {
  test.each(['/ws', '/inventory-ws'])(
    '[SOCKJS13] at %s is taken whole or not at all, and the session goes on',
    async (base) => {
      const client = await connectPolling(server, 'sender', { base });
      const huge = `["${'x'.repeat(2 * 1024 * 1024)}"]`;
      for (const [body, status, meaning] of [
        ['["x', 500, 'Broken JSON encoding.'],
        ['', 500, 'Payload expected.'],
        [JSON.stringify(['\n', 1]), 500, 'Payload expected.'],
        [huge, 413, 'Too large\n'],
      ] as const) {
        expect(await xhrSend(client.session, body)).toMatchObject({ status, body: meaning });
      }
      expect((await xhrSend(newSession(`${server.url}${base}`), huge)).status).toBe(413);
      await client.request('SEND', { destination: '/topic/sent' }, 'still here');
    },
  );
});

describe('whose a session is', () => {
  const query = async (user: string): Promise<string> => `?token=${await server.token(user)}`;

  async function refused(client: PollingClient, shown: string): Promise<void> {
    expect((await poll(client.session, {}, shown)).status).toBe(404);
    expect((await xhrSend(client.session, ['\n'], {}, shown)).status).toBe(404);
  }

  test('[SOCKJS32] one that was opened with a token takes requests with a token of that user alone', async () => {
    const client = await connectPolling(server, 'alice', { query: await query('alice') });
    await refused(client, '');
    await refused(client, await query('bob'));
    await refused(client, '?token=bad');
    const later = `?token=${await server.token('alice', [], 1_000_000)}`;
    expect((await xhrSend(client.session, ['\n'], {}, later)).status).toBe(204);
    await client.request('SEND', { destination: '/topic/mine' }, 'still mine');
  });

  test('[SOCKJS32] a bearer does as well as the token of the URL', async () => {
    const headers = { authorization: `Bearer ${await server.token('alice')}` };
    const session = newSession(`${server.url}/ws`);
    expect((await poll(session, { headers })).body).toBe('o\n');
    expect((await poll(session)).status).toBe(404);
    expect((await xhrSend(session, ['CONNECT\naccept-version:1.2\n\n\0'], { headers })).status).toBe(204);
    expect((await poll(session, { headers })).body).toContain('user-name:alice');
  });

  test('[SOCKJS32] one that signed in later takes none that shows somebody else', async () => {
    const client = await connectPolling(server, 'alice');
    await refused(client, await query('bob'));
    expect((await xhrSend(client.session, ['\n'], {}, await query('alice'))).status).toBe(204);
    await client.request('SEND', { destination: '/topic/mine' }, 'still mine');
  });

  test('[SOCKJS32] a client that shows the cookie of its first response from the start is bound to it', async () => {
    const first = await poll(newSession(`${server.url}/ws`));
    const cookie = first.headers['set-cookie']?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^JSESSIONID=[\w-]{24}$/);
    const session = newSession(`${server.url}/ws`);
    const opened = await poll(session, { headers: { cookie } });
    expect(opened.headers['set-cookie']).toBe(`${cookie}; path=/; HttpOnly`);
    expect((await poll(session)).status).toBe(404);
    expect((await xhrSend(session, ['\n'], { headers: { cookie } })).status).toBe(204);
  });
});

describe('pages', () => {
  test.each([
    [listedOrigin, 200],
    ['own', 200],
    ['https://evil.example.org', 403],
    ['null', 403],
  ])('[SOCKJS33] of origin %s get %i', async (given, status) => {
    const origin = given === 'own' ? server.url : given;
    const headers = { origin };
    const info = await fetchWhole(`${server.url}/ws/info`, 'GET', { headers });
    expect(info.status).toBe(status);
    expect((await poll(newSession(`${server.url}/ws`), { headers })).status).toBe(status);
    expect((await fetchWhole(`${server.url}/ws/0/0/xhr`, 'OPTIONS', { headers })).status).toBe(
      status === 200 ? 204 : status,
    );
    expect(info.headers['access-control-allow-origin']).toBe(status === 200 ? origin : undefined);
  });

  test('[SOCKJS33] of listed origins have no use for the page for frames, so there is none', async () => {
    expect((await fetchWhole(`${server.url}/ws/iframe.html`)).status).toBe(404);
    const own = await startServer({ settings: { edges: '1', shards: '1' } });
    const page = await fetchWhole(`${own.url}/ws/iframe.html`);
    expect(page).toMatchObject({ status: 200, headers: { 'x-frame-options': 'SAMEORIGIN' } });
  });

  test('[SOCKJS1] [SOCKJS3] find the greeting and the info at both paths', async () => {
    for (const base of ['/ws', '/inventory-ws']) {
      expect((await fetchWhole(`${server.url}${base}`)).body).toBe('Welcome to SockJS!\n');
      const info: unknown = JSON.parse((await fetchWhole(`${server.url}${base}/info`)).body);
      expect(info).toMatchObject({ websocket: true, cookie_needed: true, origins: ['*:*'] });
      expect((await fetchWhole(`${server.url}${base}/a/b/jsonp?c=x`)).status).toBe(404);
    }
  });
});

describe('clients that do not read', () => {
  test('[SOCKJS34] are closed with 4008 and resume with everything', async () => {
    const writer = await connectStomp(server, { user: 'writer' });
    const slow = await connectPolling(server, 'slow');
    await slow.request('SUBSCRIBE', { id: 's', destination: '/topic/much' });
    const count = 40;
    const body = 'x'.repeat(60_000);
    for (let index = 0; index < count; index += 1) await writer.send('/topic/much', body);
    await server.logged(({ user, reason }) => user === 'slow' && reason === 'too slow a reader, resume');
    while (slow.closed === null) await slow.poll();
    expect(slow.closed).toBe(closeFrame(4008, 'too slow a reader, resume'));
    const [last] = slow.messages('s').slice(-1);
    const seen = Number(last?.headers['seq'] ?? 0);
    expect(seen).toBeLessThan(count);
    const again = await connectPolling(server, 'slow');
    const resume = `${last?.headers['epoch']}:${seen}`;
    await again.request('SUBSCRIBE', { id: 's', destination: '/topic/much', resume });
    await again.until(({ headers }) => headers['seq'] === `${count}`, 'the newest message');
    expect(again.messages('s').map(({ headers }) => Number(headers['seq']))).toEqual(
      Array.from({ length: count - seen }, (_, index) => seen + 1 + index),
    );
    expect(again.messages('s')[0]?.headers['recovered']).toBe('true');
  });
});
