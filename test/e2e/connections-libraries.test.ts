// The other client libraries of front ends, each as its documentation tells, against the server as it is started.
import { RxStomp, RxStompState } from '@stomp/rx-stomp';
import type { IMessage } from '@stomp/stompjs';
import SockJS from 'sockjs-client';
import Stomp, { type Client, type Message } from 'stompjs';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import webstomp from 'webstomp-client';
import { WebSocket } from 'ws';
import { Heard } from '../support/heard.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, isMessageOf } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '2' } });
});

const body = JSON.stringify({ text: 'příliš 😀 "\\ \u2028' });
/** More than a message of a WebSocket has with the libraries that split frames. */
const large = 'é'.repeat(20_000);

async function signedIn(user: string): Promise<{ Authorization: string }> {
  return { Authorization: `Bearer ${await server.token(user)}` };
}

/** The user has left with DISCONNECT, after speaking that version. */
async function hasLeft(user: string, protocol: string): Promise<void> {
  await server.logged((line) => {
    const said = [line['event'], line['user'], line['protocol'], line['reason']].join();
    return said === `disconnect,${user},${protocol},client left`;
  }, `${user} has left`);
}

/** Of the jobs of that queue the first was acknowledged, so that the next consumer gets this one. */
async function nextJob(queue: string, job: string): Promise<void> {
  const next = await connectStomp(server, { user: 'next' });
  await next.subscribe(queue, { ack: 'client-individual' });
  const frame = await next.waitFor(isMessageOf(queue));
  expect([frame.body, frame.headers['redelivered']]).toEqual([job, 'true']);
}

describe('@stomp/rx-stomp', () => {
  async function connectRx(
    user: string,
    heard: Heard<IMessage>,
    url = (): string => server.wsUrl,
  ): Promise<RxStomp> {
    const rx = new RxStomp();
    rx.configure({
      webSocketFactory: () => new WebSocket(url(), ['v12.stomp', 'v11.stomp']),
      connectHeaders: await signedIn(user),
      reconnectDelay: 20,
    });
    rx.stompErrors$.subscribe(heard.failure);
    rx.connectionState$.subscribe((state) => {
      if (state === RxStompState.OPEN) heard.connected(state);
    });
    onTestFinished(() => rx.deactivate());
    rx.activate();
    await heard.until(() => heard.connects.length === 1, 'connected');
    return rx;
  }

  /** A receipt to put in the headers of a frame, and the promise that it came. */
  function receiptOf(rx: RxStomp, receipt: string): { header: { receipt: string }; came: Promise<unknown> } {
    return { header: { receipt }, came: rx.asyncReceipt(receipt) };
  }

  test('[RXSTOMP1] connects, subscribes, sends, gets receipts, acknowledges, uses transactions and disconnects', async () => {
    const heard = new Heard<IMessage>();
    const rx = await connectRx('rx', heard);
    const live = receiptOf(rx, 'live');
    const subHeaders = { ack: 'client-individual', ...live.header };
    rx.watch({ destination: '/queue/rx', subHeaders }).subscribe(heard.message);
    await live.came;
    const stored = receiptOf(rx, 'stored');
    rx.publish({ destination: '/queue/rx', body, headers: { custom: 'a:b\nc\\d', ...stored.header } });
    await stored.came;
    const message = await heard.arrived(1);
    expect([message.body, message.headers['custom']]).toEqual([body, 'a:b\nc\\d']);
    const acknowledged = receiptOf(rx, 'acknowledged');
    message.ack(acknowledged.header);
    await acknowledged.came;

    const [kept, dropped] = [rx.stompClient.begin(), rx.stompClient.begin()];
    rx.publish({ destination: '/queue/rx', body: 'dropped', headers: { transaction: dropped.id } });
    rx.publish({ destination: '/queue/rx', body: 'kept', headers: { transaction: kept.id } });
    dropped.abort();
    kept.commit();
    await heard.arrived(2);
    expect(heard.bodies).toEqual([body, 'kept']);
    await rx.deactivate();
    await hasLeft('rx', 'stomp 1.2');
    await nextJob('/queue/rx', 'kept');
    expect(heard.failures).toEqual([]);
  });

  test('[RXSTOMP2] after a crash of the server it subscribes by itself, resumes, and sends what had to wait', async () => {
    let now = await startServer();
    let url = now.wsUrl;
    const heard = new Heard<IMessage>();
    const rx = await connectRx('rx', heard, () => url);
    const destination = '/topic/rx';
    const live = receiptOf(rx, 'live');
    const subHeaders = (): Record<string, string> => {
      const last = heard.messages.at(-1)?.headers;
      return last ? { resume: `${last['epoch']}:${last['seq']}` } : live.header;
    };
    rx.watch({ destination, subHeaders }).subscribe(heard.message);
    await live.came;
    rx.publish({ destination, body: 'first' });
    await heard.arrived(1);
    await now.kill();
    await heard.until(() => !rx.connected(), 'lost');
    rx.publish({ destination, body: 'waited' });
    now = await now.restart();
    const other = await connectStomp(now, { user: 'other' });
    for (const missed of ['missed 1', 'missed 2']) await other.send(destination, missed);
    url = now.wsUrl;
    await heard.arrived(4);
    expect(heard.bodies).toEqual(['first', 'missed 1', 'missed 2', 'waited']);
    await rx.deactivate();
  });
});

describe('webstomp-client', () => {
  test.each([
    ['a WebSocket of its newest version', 'stomp 1.2', 'v12.stomp'],
    ['a WebSocket of STOMP 1.1', 'stomp 1.1', 'v11.stomp'],
    ['SockJS', 'stomp 1.2, sockjs websocket', null],
  ])('[WEBSTOMP1] over %s does all that it can', async (_socket, protocol, subprotocol) => {
    const user = `web-${protocol.replace(/\W+/g, '-')}`;
    const queue = `/queue/${user}`;
    const heard = new Heard<webstomp.Message>();
    // Before the socket is made: its `open` must not come before the library listens for it.
    const headers = await signedIn(user);
    const socket = subprotocol ? new WebSocket(server.wsUrl, [subprotocol]) : new SockJS(`${server.url}/ws`);
    const client = webstomp.over(socket, { debug: false });
    client.onreceipt = heard.receipt;
    client.connect(headers, heard.connected, heard.failure);
    await heard.until(() => heard.connects.length === 1, 'connected');
    const subscription = client.subscribe(queue, heard.message, {
      ack: 'client-individual',
      receipt: 'live',
    });
    await heard.received('live');
    client.send(queue, body, { receipt: 'stored', custom: 'plain' });
    await heard.received('stored');
    const message = await heard.arrived(1);
    expect([message.body, message.headers.custom]).toEqual([body, 'plain']);
    message.ack({ receipt: 'acknowledged' });
    await heard.received('acknowledged');

    client.begin('dropped');
    client.begin('kept');
    for (const transaction of ['dropped', 'kept']) client.send(queue, transaction, { transaction });
    client.abort('dropped');
    client.commit('kept');
    client.send(queue, large);
    await heard.arrived(3);
    expect(heard.bodies).toEqual([body, 'kept', large]);
    heard.messages[2]?.ack();
    heard.messages[1]?.nack({ receipt: 'given back' });
    await heard.received('given back');
    expect((await heard.arrived(4)).body).toBe('kept');
    client.unsubscribe(subscription.id, { receipt: 'gone' });
    await heard.received('gone');
    client.disconnect();
    await hasLeft(user, protocol);
    await nextJob(queue, 'kept');
    expect(heard.failures).toEqual([]);
  });

  test('[WEBSTOMP2] is told why it may not connect', async () => {
    const heard = new Heard<webstomp.Message>();
    const client = webstomp.over(new WebSocket(server.wsUrl, ['v12.stomp']), { debug: false });
    client.connect({ Authorization: 'Bearer bad' }, heard.connected, heard.failure);
    await heard.until(() => heard.failures.length === 2, 'an ERROR and the end');
    const [error, end] = heard.failures as [webstomp.Frame, { readonly code: number }];
    expect([error.command, error.headers['message'], end.code]).toEqual(['ERROR', 'UNAUTHORIZED', 1008]);
  });
});

describe('stompjs', () => {
  function over(socket: object, heard: Heard<Message>): Client {
    const client = Stomp.over(socket);
    client.debug = null;
    client.onreceipt = heard.receipt;
    return client;
  }

  test.each([
    ['a WebSocket', 'stomp 1.1', ['v10.stomp', 'v11.stomp']],
    ['a WebSocket without subprotocols', 'stomp 1.1', []],
    ['SockJS', 'stomp 1.1, sockjs websocket', null],
  ])(
    '[STOMPJS20] speaks STOMP 1.1 over %s and does all that it can',
    async (_socket, protocol, subprotocols) => {
      const user = `old-${subprotocols?.length ?? 'sockjs'}`;
      const queue = `/queue/${user}`;
      const heard = new Heard<Message>();
      // Before the socket is made: its `open` must not come before the library listens for it.
      const headers = await signedIn(user);
      const socket = subprotocols
        ? new WebSocket(server.wsUrl, subprotocols)
        : new SockJS(`${server.url}/ws`);
      const client = over(socket, heard);
      client.connect(headers, heard.connected, heard.failure);
      await heard.until(() => heard.connects.length === 1, 'connected');
      const subscription = client.subscribe(queue, heard.message, {
        ack: 'client-individual',
        receipt: 'live',
      });
      await heard.received('live');
      client.send(queue, { receipt: 'stored', custom: 'plain' }, body);
      await heard.received('stored');
      const message = await heard.arrived(1);
      expect([message.body, message.headers['custom']]).toEqual([body, 'plain']);
      message.ack({ receipt: 'acknowledged' });
      await heard.received('acknowledged');

      const [dropped, kept] = [client.begin('dropped'), client.begin()];
      for (const { id } of [dropped, kept]) client.send(queue, { transaction: id }, id);
      dropped.abort();
      kept.commit();
      client.send(queue, {}, large);
      await heard.arrived(3);
      expect(heard.bodies).toEqual([body, kept.id, large]);
      heard.messages[2]?.ack();
      heard.messages[1]?.nack({ receipt: 'given back' });
      await heard.received('given back');
      expect((await heard.arrived(4)).body).toBe(kept.id);
      subscription.unsubscribe();
      client.disconnect();
      await hasLeft(user, protocol);
      await nextJob(queue, kept.id);
      expect(heard.failures).toEqual([]);
    },
  );

  test('[STOMPJS21] is told why it may not connect', async () => {
    const heard = new Heard<Message>();
    const client = over(new WebSocket(server.wsUrl, ['v11.stomp']), heard);
    client.connect({ Authorization: 'Bearer bad' }, heard.connected, heard.failure);
    await heard.until(() => heard.failures.length === 2, 'an ERROR and the end');
    expect(heard.failures).toMatchObject([
      { command: 'ERROR', headers: { message: 'UNAUTHORIZED' } },
      expect.stringContaining('Lost connection'),
    ]);
  });
});
