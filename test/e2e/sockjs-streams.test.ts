// Responses of SockJS that go on, when their clients or the server don't: slow readers, vanished ones, drains, crashes.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectPolling } from '../support/polling-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStreaming, streamingNames } from '../support/streaming-client.ts';
import { connectStomp } from '../support/stomp.ts';

const settings = { edges: '2', shards: '1' };
const kibibyte = 1024;
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings });
});

const seqs = (from: number, upto: number): number[] =>
  Array.from({ length: upto - from + 1 }, (_, index) => from + index);

describe('a client that stops reading', () => {
  test.each(streamingNames)(
    '[SOCKJS34] is closed with 4008 over %s, has a bounded amount to read, and resumes',
    async (transport) => {
      const writer = await connectStomp(server, { user: 'writer' });
      const destination = `/topic/unread.${transport}`;
      const slow = await connectStreaming(server, `slow-${transport}`, { transport });
      await slow.request('SUBSCRIBE', { id: 's', destination });
      slow.pause();
      const bystander = await connectStreaming(server, 'bystander');
      await bystander.request('SUBSCRIBE', { id: 's', destination });
      const count = 50;
      const body = 'x'.repeat(60_000);
      for (let index = 1; index <= count; index += 1) {
        await writer.send(destination, body);
        // Nobody waits for the slow one.
        await bystander.until(({ headers }) => headers['seq'] === `${index}`, `message ${index}`);
      }
      const { reason } = await server.logged(
        ({ event, user }) => event === 'disconnect' && user === `slow-${transport}`,
      );
      expect(reason).toBe('too slow a reader, resume');
      slow.resume();
      expect(await slow.end()).toBe('c[4008,"too slow a reader, resume"]');
      const came = slow.messages('s');
      const seen = came.length;
      expect(came.map(({ headers }) => Number(headers['seq']))).toEqual(seqs(1, seen));
      // What one response may bring and what may wait, which is looked at once for each mebibyte that is published, each
      // with one message over.
      expect(seen * body.length).toBeLessThan((128 + 2 * 1024 + 2 * 64) * kibibyte);
      const again = await connectStreaming(server, `slow-${transport}`, { transport });
      const resume = `${came.at(-1)?.headers['epoch']}:${seen}`;
      await again.request('SUBSCRIBE', { id: 's', destination, resume });
      await again.until(({ headers }) => headers['seq'] === `${count}`, 'the newest message');
      expect(again.messages('s').map(({ headers }) => Number(headers['seq']))).toEqual(seqs(seen + 1, count));
      expect(again.messages('s')[0]?.headers['recovered']).toBe('true');
    },
  );
});

describe('a client that vanishes', () => {
  test('[SOCKJS23] between polls is offline after the delay, and the log says why', async () => {
    const watcher = await connectStomp(server, { user: 'watcher' });
    await watcher.subscribe('/topic/presence.ghost');
    await connectPolling(server, 'ghost');
    const [before, online] = await watcher.messages('/topic/presence.ghost', 2);
    expect([before, online].map((frame) => JSON.parse(frame?.body ?? ''))).toMatchObject([
      { online: false },
      { online: true, sessions: 1 },
    ]);
    const line = await server.logged(({ event, user }) => event === 'disconnect' && user === 'ghost');
    expect(line).toMatchObject({ reason: 'connection lost', protocol: 'stomp 1.2, sockjs xhr' });
    const [, , offline] = await watcher.messages('/topic/presence.ghost', 3);
    expect(JSON.parse(offline?.body ?? '')).toMatchObject({ online: false, sessions: 0 });
  });

  test.each(streamingNames)('[SOCKJS9] in the middle of %s is offline at once', async (transport) => {
    const user = `cut-${transport}`;
    const watcher = await connectStomp(server, { user: 'watcher' });
    await watcher.subscribe(`/topic/presence.${user}`);
    const client = await connectStreaming(server, user, { transport });
    client.cut();
    const line = await server.logged(({ event, user: whose }) => event === 'disconnect' && whose === user);
    expect(line).toMatchObject({ reason: 'connection lost', protocol: `stomp 1.2, sockjs ${transport}` });
    const [, , offline] = await watcher.messages(`/topic/presence.${user}`, 3);
    expect(JSON.parse(offline?.body ?? '')).toMatchObject({ online: false, sessions: 0 });
  });
});

describe('a server that ends', () => {
  test('[SOCKJS35] by a drain tells those who stream so, after all that was before it', async () => {
    const draining = await startServer({ settings });
    const clients = await Promise.all(
      [...streamingNames, ...streamingNames].map((transport) =>
        connectStreaming(draining, `user of ${transport}`, { transport }),
      ),
    );
    for (const client of clients) await client.request('SUBSCRIBE', { id: 's', destination: '/topic/last' });
    const writer = await connectStomp(draining, { user: 'writer' });
    await writer.send('/topic/last', 'the last word');
    const exit = draining.stop();
    for (const client of clients) {
      expect(await client.end()).toMatch(/^c\[1012,"/);
      expect(client.messages('s').map(({ body }) => body)).toEqual(['the last word']);
    }
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  test('[SOCKJS44] by a crash cuts streams off, and their clients resume with the next one', async () => {
    let crashing = await startServer({ settings });
    const destination = '/topic/kept';
    const readers = await Promise.all(
      streamingNames.map((transport) => connectStreaming(crashing, transport, { transport })),
    );
    for (const reader of readers) await reader.request('SUBSCRIBE', { id: 's', destination });
    const writer = await connectStomp(crashing, { user: 'writer' });
    const count = 20;
    for (const index of seqs(1, count)) await writer.send(destination, `message ${index}`);
    // The last that each has made something of; what else has come is gone with the page.
    const seen = 5;
    for (const reader of readers) {
      await reader.until(({ headers }) => headers['seq'] === `${seen}`, 'some messages');
    }
    await crashing.kill();
    for (const reader of readers) await expect(reader.end()).rejects.toThrow('the connection has ended');
    crashing = await crashing.restart();
    for (const [index, transport] of streamingNames.entries()) {
      const again = await connectStreaming(crashing, transport, { transport });
      const resume = `${readers[index]?.messages('s')[0]?.headers['epoch']}:${seen}`;
      await again.request('SUBSCRIBE', { id: 's', destination, resume });
      await again.until(({ headers }) => headers['seq'] === `${count}`, 'the newest message');
      expect(again.messages('s').map(({ body }) => body)).toEqual(
        seqs(seen + 1, count).map((seq) => `message ${seq}`),
      );
    }
  });
});

describe('many sessions of one user', () => {
  test('[SOCKJS43] are told apart, counted, and all get what is the user’s', async () => {
    const watcher = await connectStomp(server, { user: 'watcher' });
    await watcher.subscribe('/topic/presence.many');
    const count = 60;
    const clients = await Promise.all(
      seqs(1, count).map((index) =>
        index % 2 === 0
          ? connectPolling(server, 'many')
          : connectStreaming(server, 'many', { base: '/inventory-ws' }),
      ),
    );
    await Promise.all(
      clients.map((client) => client.request('SUBSCRIBE', { id: 'mine', destination: '/user/queue/mine' })),
    );
    await watcher.waitFor(({ body }) => body.includes(`"sessions":${count},`), 'all counted');
    await clients[0]?.request('SEND', { destination: '/user/many/queue/mine' }, 'to all');
    for (const client of clients) {
      const { body } = await client.until(({ headers }) => headers['subscription'] === 'mine', 'the message');
      expect(body).toBe('to all');
    }
  });
});
