// SockJS when something fails: a session alone, an edge with its sessions.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectPolling, PollingClient } from '../support/polling-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ kindsUrl, settings: { edges: '2', shards: '1' } });
});

/** Enough that some requests come in where their session is, and some elsewhere. */
const rounds = Array.from({ length: 8 }, (_, index) => index);

describe('a fault', () => {
  test('[SOCKJS40] in what a session has sent ends it with 1011, and no other', async () => {
    const bystander = await connectPolling(server, 'bystander');
    for (const round of rounds) {
      const culprit = await connectPolling(server, `culprit-${round}`);
      const sent = await culprit.sendFrame('SEND', { destination: '/app/edge.throw' });
      expect(sent.status).toBe(204);
      await culprit.poll();
      expect(culprit.closed).toBe('c[1011,"the server failed"]');
      await bystander.request('SEND', { destination: '/topic/a' }, 'still here');
    }
  });

  test('[SOCKJS40] in the opening of a session ends it with 1011, and no other', async () => {
    const bystander = await connectPolling(server, 'bystander');
    for (let round = 0; round < rounds.length; round += 1) {
      const culprit = new PollingClient(server, { query: '?token=throw-on-open' });
      expect((await culprit.poll()).body).toBe('o\n');
      await culprit.poll();
      expect(culprit.closed).toBe('c[1011,"the server failed"]');
      await bystander.request('SEND', { destination: '/topic/a' }, 'still here');
    }
  });

  test('[SOCKJS40] that ends an edge ends its sessions, and those of the others go on', async () => {
    const clients: PollingClient[] = [];
    const threads: unknown[] = [];
    for (const round of rounds) {
      const user = `user-${round}`;
      clients.push(await connectPolling(server, user));
      const line = await server.logged(({ event, user: whose }) => event === 'connect' && whose === user);
      threads.push(line['thread']);
    }
    expect(new Set(threads).size).toBe(2);
    const culprit = await connectStomp(server, { user: 'culprit' });
    const ending = (await server.logged(({ event, user }) => event === 'connect' && user === 'culprit'))[
      'thread'
    ];
    culprit.sendFrame('SEND', { destination: '/app/edge.uncaught' });
    await culprit.closed;
    await server.logged(({ msg }) => msg === 'thread is back');
    for (const [index, client] of clients.entries()) {
      if (threads[index] === ending) {
        // Nobody knows it any more: whoever asks for frames opens a new one.
        let { status } = await client.sendFrame('SEND', { destination: '/topic/b' });
        // The one that it came in at may not have heard yet that the other is there again.
        while (status === 503) ({ status } = await client.sendFrame('SEND', { destination: '/topic/b' }));
        expect(status).toBe(404);
        expect((await client.poll()).body).toBe('o\n');
      } else expect((await client.sendFrame('SEND', { destination: '/topic/b' })).status).toBe(204);
    }
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
