// The client library that front ends use, against the server as it is started.
import { Client, type IFrame, type IMessage } from '@stomp/stompjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';
import { Watch } from '../support/watch.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { heartBeatMs: '1s' } });
});

type Config = Partial<
  Pick<
    Client,
    | 'connectHeaders'
    | 'heartbeatIncoming'
    | 'heartbeatOutgoing'
    | 'splitLargeFrames'
    | 'maxWebSocketChunkSize'
  >
>;

/** A library client with promises around it. */
class LibraryClient {
  readonly client: Client;
  readonly messages: IMessage[] = [];
  readonly #watch = new Watch(() => JSON.stringify(this.messages.map(({ body }) => body)));
  readonly #receipts = new Set<string>();
  #receiptCount = 0;
  connects = 0;
  closes = 0;
  error: IFrame | null = null;

  constructor(config: Config) {
    this.client = new Client({
      webSocketFactory: () => new WebSocket(server.wsUrl, ['v12.stomp', 'v11.stomp']),
      reconnectDelay: 0,
      ...config,
      onConnect: () => this.#changed(() => (this.connects += 1)),
      onWebSocketClose: () => this.#changed(() => (this.closes += 1)),
      onStompError: (frame) => this.#changed(() => (this.error = frame)),
    });
    this.client.activate();
  }

  until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what);
  }

  /** A receipt to put in the headers of a frame, and the promise that it came. */
  receipt(): { id: string; came: Promise<void> } {
    this.#receiptCount += 1;
    const id = `r${this.#receiptCount}`;
    this.client.watchForReceipt(id, () => this.#changed(() => this.#receipts.add(id)));
    return { id, came: this.until(() => this.#receipts.has(id), `receipt ${id}`) };
  }

  readonly collect = (message: IMessage): void => this.#changed(() => this.messages.push(message));

  #changed(change: () => unknown): void {
    change();
    this.#watch.changed();
  }
}

async function connectLibrary(user: string, config: Config = {}): Promise<LibraryClient> {
  const connectHeaders = { Authorization: `Bearer ${await server.token(user)}` };
  const library = new LibraryClient({ connectHeaders, ...config });
  await library.until(() => library.connects === 1, 'connected');
  return library;
}

describe('@stomp/stompjs', () => {
  test('[CONN20] connects, subscribes, sends, gets receipts and messages, acknowledges and disconnects', async () => {
    const library = await connectLibrary('alice');
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
    const library = await connectLibrary('bob', { splitLargeFrames: true, maxWebSocketChunkSize: 8_192 });
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
    const library = await connectLibrary('carol');
    library.client.subscribe('/topic/library.binary', library.collect);
    const binaryBody = Uint8Array.from([0, 255, 254, 10, 0, 65]);
    library.client.publish({ destination: '/topic/library.binary', binaryBody });
    await library.until(() => library.messages.length === 1, 'message');
    expect(library.messages[0]?.binaryBody).toEqual(binaryBody);
    await library.client.deactivate();
  });

  test('[CONN23] keeps a connection alive with heart-beats both ways', async () => {
    const library = await connectLibrary('dave', { heartbeatIncoming: 1_000, heartbeatOutgoing: 1_000 });
    const silent = await connectLibrary('erin', { heartbeatIncoming: 0, heartbeatOutgoing: 0 });
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
    const library = new LibraryClient({ connectHeaders: { Authorization: 'Bearer bad' } });
    await library.until(() => library.closes === 1, 'closed');
    expect(library.error?.headers).toMatchObject({ message: 'UNAUTHORIZED' });
    await library.client.deactivate();
  });
});
