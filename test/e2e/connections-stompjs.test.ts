// The client library that front ends use, against the server as it is started.
import type { IMessage } from '@stomp/stompjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectLibrary, LibraryClient } from '../support/library-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { heartBeatMs: '1s' } });
});

describe('@stomp/stompjs', () => {
  test('[CONN20] connects, subscribes, sends, gets receipts and messages, acknowledges and disconnects', async () => {
    const library = await connectLibrary(server, 'alice');
    const { client, messages } = library;
    expect(client.connectedVersion).toBe('1.2');
    const live = library.receipt();
    const headers = { ack: 'client-individual', durable: 'library', receipt: live.id };
    const subscription = client.subscribe('/topic/library', library.collect, headers);
    await live.came;
    const stored = library.receipt();
    const body = JSON.stringify({ text: 'příliš 😀' });
    client.publish({
      destination: '/topic/library',
      body,
      headers: { receipt: stored.id, custom: 'a:b\nc\\d' },
    });
    await stored.came;
    await library.until(() => messages.length === 1, 'message');
    const [message] = messages as [IMessage];
    expect(message.body).toBe(body);
    expect(message.headers).toMatchObject({ custom: 'a:b\nc\\d', destination: '/topic/library', seq: '1' });
    const acknowledged = library.receipt();
    message.ack({ receipt: acknowledged.id });
    await acknowledged.came;
    const gone = library.receipt();
    subscription.unsubscribe({ receipt: gone.id });
    await gone.came;
    await client.deactivate();
    expect(library.closes).toBe(1);
    expect(library.error).toBeNull();
    await server.logged(
      ({ event, user, reason }) => [event, user, reason].join() === 'disconnect,alice,client left',
    );
  });

  test('[CONN21] commits and aborts transactions, and splits large frames', async () => {
    const library = await connectLibrary(server, 'bob', {
      splitLargeFrames: true,
      maxWebSocketChunkSize: 8_192,
    });
    const { client, messages } = library;
    client.subscribe('/topic/library.tx', library.collect);
    const send = (body: string, transaction?: string): void =>
      client.publish({ destination: '/topic/library.tx', body, headers: transaction ? { transaction } : {} });
    const kept = client.begin();
    const dropped = client.begin();
    send('kept', kept.id);
    send('dropped', dropped.id);
    send('x'.repeat(60_000));
    dropped.abort();
    kept.commit();
    send('end');
    await library.until(() => messages.length === 3, 'messages');
    expect(messages.map(({ body }) => body.slice(0, 5))).toEqual(['xxxxx', 'kept', 'end']);
    await client.deactivate();
  });

  test('[CONN22] sends and takes binary bodies', async () => {
    const library = await connectLibrary(server, 'carol');
    library.client.subscribe('/topic/library.binary', library.collect);
    const binaryBody = Uint8Array.from([0, 255, 254, 10, 0, 65]);
    library.client.publish({ destination: '/topic/library.binary', binaryBody });
    await library.until(() => library.messages.length === 1, 'message');
    expect(library.messages[0]?.binaryBody).toEqual(binaryBody);
    await library.client.deactivate();
  });

  test('[CONN23] keeps a connection alive with heart-beats both ways', async () => {
    const library = await connectLibrary(server, 'dave', {
      heartbeatIncoming: 1_000,
      heartbeatOutgoing: 1_000,
    });
    const silent = await connectLibrary(server, 'erin', { heartbeatIncoming: 0, heartbeatOutgoing: 0 });
    // One that promised beats and sends none is given up after three intervals; these are not.
    const mute = await connectStomp(server, { user: 'mute', heartBeat: '1000,0' });
    expect((await mute.failure()).error.headers['message']).toBe('Session closed.');
    expect([library.closes, silent.closes]).toEqual([0, 0]);
    library.client.subscribe('/topic/library.beats', library.collect);
    silent.client.publish({ destination: '/topic/library.beats', body: 'still here' });
    await library.until(() => library.messages.length === 1, 'message');
    await Promise.all([library.client.deactivate(), silent.client.deactivate()]);
  });

  test('[CONN24] shows why it may not connect', async () => {
    const library = new LibraryClient(server, { connectHeaders: { Authorization: 'Bearer bad' } });
    await library.until(() => library.closes === 1, 'closed');
    expect(library.error?.headers).toMatchObject({ message: 'UNAUTHORIZED' });
    await library.client.deactivate();
  });
});
