// The client libraries of front ends, sockjs-client with @stomp/stompjs on top, over each transport.
import SockJS from 'sockjs-client';
import type { IMessage, IStompSocket } from '@stomp/stompjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectLibrary, LibraryClient } from '../support/library-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '2', shards: '1', heartBeatMs: '1s' } });
});

/** Connections as a front end makes them, by that transport alone. */
function over(transport: string, base = '/ws', target = server): { webSocketFactory: () => IStompSocket } {
  return {
    webSocketFactory: () =>
      new SockJS(`${target.url}${base}`, null, { transports: [transport], timeout: 10_000 }),
  };
}

describe.each([
  ['websocket', 'websocket'],
  ['xhr-streaming', 'xhr_streaming'],
  ['eventsource', 'eventsource'],
  ['xhr-polling', 'xhr'],
])('%s', (transport, name) => {
  test.each(['/ws', '/inventory-ws'])(
    '[SOCKJS30] at %s connects, subscribes, sends, gets receipts, acknowledges, commits and disconnects',
    async (base) => {
      const user = `${name}${base.length}`;
      const topic = `/topic/library.${user}`;
      const library = await connectLibrary(server, user, over(transport, base));
      const { client, messages } = library;
      expect(client.connectedVersion).toBe('1.2');
      const live = library.receipt();
      const subscription = client.subscribe(topic, library.collect, {
        ack: 'client-individual',
        durable: 'library',
        receipt: live.id,
      });
      await live.came;
      const body = JSON.stringify({ text: 'příliš 😀 "\\ \u2028 \0' });
      const stored = library.receipt();
      client.publish({ destination: topic, body, headers: { receipt: stored.id, custom: 'a:b\nc\\d' } });
      await stored.came;
      await library.until(() => messages.length === 1, 'message');
      const [message] = messages as [IMessage];
      expect(message.body).toBe(body);
      expect(message.headers).toMatchObject({ custom: 'a:b\nc\\d', destination: topic, seq: '1' });
      const acknowledged = library.receipt();
      message.ack({ receipt: acknowledged.id });
      await acknowledged.came;
      const transaction = client.begin();
      for (const text of ['one', 'two']) {
        client.publish({ destination: topic, body: text, headers: { transaction: transaction.id } });
      }
      transaction.commit();
      await library.until(() => messages.length === 3, 'messages of the transaction');
      const gone = library.receipt();
      subscription.unsubscribe({ receipt: gone.id });
      await gone.came;
      await client.deactivate();
      expect([library.closes, library.error]).toEqual([1, null]);
      await server.logged(
        (line) =>
          line['event'] === 'disconnect' &&
          line['user'] === user &&
          line['protocol'] === `stomp 1.2, sockjs ${name}`,
      );
    },
  );

  test('[SOCKJS30] brings many and large messages once and in order', async () => {
    const topic = `/topic/library.many.${name}`;
    const reader = await connectLibrary(server, 'reader', over(transport));
    const live = reader.receipt();
    reader.client.subscribe(topic, reader.collect, { receipt: live.id });
    await live.came;
    const writer = await connectStomp(server, { user: 'writer' });
    const count = 150;
    const sent = Array.from({ length: count }, (_, index) => `${index} ${'é'.repeat((index % 30) * 100)}`);
    await Promise.all(sent.map((body) => writer.send(topic, body)));
    await reader.until(() => reader.messages.length === count, 'all messages');
    expect(reader.messages.map(({ body }) => body)).toEqual(sent);
    await reader.client.deactivate();
  });

  test('[SOCKJS30] [SOCKJS39] keeps a connection alive with the heart-beats of STOMP', async () => {
    const beats = { heartbeatIncoming: 1_000, heartbeatOutgoing: 1_000 };
    const library = await connectLibrary(server, 'beating', { ...beats, ...over(transport) });
    // One that promised beats and sends none is given up after three intervals; this one is not.
    const mute = await connectStomp(server, { user: 'mute', heartBeat: '1000,0' });
    await mute.failure();
    expect(library.closes).toBe(0);
    await library.client.deactivate();
  });

  test('[SOCKJS30] is told why it may not connect', async () => {
    const library = new LibraryClient(server, {
      connectHeaders: { Authorization: 'Bearer bad' },
      ...over(transport),
    });
    await library.until(() => library.closes === 1, 'closed');
    expect(library.error?.headers).toMatchObject({ message: 'UNAUTHORIZED' });
    await library.client.deactivate();
  });

  test('[SOCKJS35] is told that the server drains', async () => {
    const draining = await startServer({ settings: { edges: '2', shards: '1' } });
    const codes: number[] = [];
    const library = await connectLibrary(draining, 'alice', {
      webSocketFactory: () => {
        const socket = new SockJS(`${draining.url}/ws`, null, { transports: [transport] });
        socket.addEventListener('close', ({ code }) => codes.push(code));
        return socket;
      },
    });
    expect(await draining.stop()).toEqual({ code: 0, signal: null });
    await library.until(() => library.closes === 1, 'closed');
    expect(codes).toEqual([1012]);
    await library.client.deactivate();
  });
});
