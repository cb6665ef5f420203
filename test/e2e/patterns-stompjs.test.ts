// Every pattern the way a front end's programmer would use it, with the library that front ends use.
import type { IMessage } from '@stomp/stompjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { applyTo } from '../../src/text/changes.ts';
import type { Opened, OperationMessage } from '../support/documents.ts';
import { connectLibrary, type LibraryClient } from '../support/library-client.ts';
import { notify } from '../support/notifications.ts';
import { changeOrder, createOrder } from '../support/orders.ts';
import { postTicks, type Price } from '../support/prices.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { putProduct, service } from '../support/stock.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '2' } });
});

/** An editor that shows what the server has made of all edits. */
class Editor {
  readonly docId: string;
  readonly library: LibraryClient;
  text = '';
  revision = 0;
  /** The last message of the document that was dealt with. */
  last: IMessage | null = null;
  #waiting: IMessage[] | null = [];

  constructor(library: LibraryClient, docId: string) {
    this.library = library;
    this.docId = docId;
    library.client.subscribe(`/topic/doc.${docId}`, this.receive);
    library.client.subscribe(`/app/doc.open/${docId}`, (message) => {
      const opened = JSON.parse(message.body) as Opened;
      this.text = opened.content;
      this.revision = opened.revision;
      for (const waiting of this.#waiting ?? []) this.#apply(waiting);
      this.#waiting = null;
      library.collect(message);
    });
  }

  readonly receive = (message: IMessage): void => {
    if (this.#waiting) this.#waiting.push(message);
    else this.#apply(message);
    this.library.collect(message);
  };

  #apply(message: IMessage): void {
    this.last = message;
    const { serverRevision, changes } = JSON.parse(message.body) as OperationMessage;
    if (serverRevision < this.revision) return;
    this.text = applyTo(this.text, changes);
    this.revision = serverRevision + 1;
  }

  at(revision: number): Promise<void> {
    return this.library.until(() => this.#waiting === null && this.revision === revision, `at ${revision}`);
  }

  send(operation: object): Promise<void> {
    return this.library.publish(`/app/doc.operation/${this.docId}`, {
      operationId: `${this.library.connects}-${JSON.stringify(operation)}-${this.revision}`,
      revision: this.revision,
      ...operation,
    });
  }
}

describe('@stomp/stompjs', () => {
  test('[STOMPJS1] two people write one document at once, one of them over a lost connection', async () => {
    const ann = new Editor(await connectLibrary(server, 'ann'), 'plan');
    const bob = new Editor(await connectLibrary(server, 'bob', { reconnectDelay: 1 }), 'plan');
    await Promise.all([ann.at(0), bob.at(0)]);
    await ann.send({ type: 'INSERT', position: 0, text: 'one three' });
    await Promise.all([ann.at(1), bob.at(1)]);
    await Promise.all([
      ann.send({ type: 'INSERT', position: 4, text: 'two ' }),
      bob.send({ type: 'DELETE', position: 0, length: 4 }),
      bob.send({ type: 'INSERT', position: 9, text: ' 😀' }),
    ]);
    await Promise.all([ann.at(4), bob.at(4)]);
    expect([ann.text, bob.text]).toEqual(['two three 😀', 'two three 😀']);

    const { headers } = bob.last as IMessage;
    bob.library.client.forceDisconnect();
    await ann.send({ type: 'INSERT', position: ann.text.length, text: ' four' });
    await bob.library.until(() => bob.library.connects === 2, 'connected again');
    const resume = `${headers['epoch']}:${headers['seq']}`;
    bob.library.client.subscribe('/topic/doc.plan', bob.receive, { resume });
    await bob.at(5);
    expect(bob.last?.headers['recovered']).toBe('true');
    expect(bob.text).toBe('two three 😀 four');
    await Promise.all([ann.library.client.deactivate(), bob.library.client.deactivate()]);
  });

  test('[STOMPJS2] a dashboard shows the last prices at once and then what moves', async () => {
    await postTicks(server, { AAPL: '100.00', MSFT: '300' });
    const board = await connectLibrary(server, 'ann');
    const lists = await board.subscribe<Price[]>('/topic/prices');
    const apple = await board.subscribe<Price>('/topic/prices.AAPL');
    expect(lists.flat().map(({ symbol, price }) => [symbol, price])).toEqual([
      ['AAPL', '100.00'],
      ['MSFT', '300'],
    ]);
    const feed = await connectLibrary(server, 'feed', service);
    await feed.publish('/app/price.tick', [{ symbol: 'AAPL', price: '101.50', volume: 1_000 }]);
    await board.until(() => apple.at(-1)?.price === '101.50', 'the new price');
    expect(apple.at(-1)).toMatchObject({ change: '1.5', changePercent: '1.5', volume: 1_000 });
    await board.until(() => lists.at(-1)?.[0]?.price === '101.50', 'the new price in the list');
    await Promise.all([board.client.deactivate(), feed.client.deactivate()]);
  });

  test('[STOMPJS3] a portfolio follows its holdings and the prices', async () => {
    await postTicks(server, { FOLIO: '10' });
    const tab = await connectLibrary(server, 'ann');
    const worth = await tab.subscribe<{ totalValue: string; positions: object[] }>('/user/queue/portfolio');
    await tab.until(() => worth.at(-1)?.totalValue === '0', 'nothing at first');
    const body = { holdings: [{ symbol: 'FOLIO', quantity: '2.5' }] };
    await server.rest('PUT', '/api/portfolio', { user: 'ann', body });
    await tab.until(() => worth.at(-1)?.totalValue === '25', 'after the holding changed');
    await postTicks(server, { FOLIO: '12' });
    await tab.until(() => worth.at(-1)?.totalValue === '30', 'after the price moved');
    expect(worth.at(-1)?.positions).toEqual([{ symbol: 'FOLIO', quantity: '2.5', price: '12', value: '30' }]);
    await tab.client.deactivate();
  });

  test('[STOMPJS4] a list of contacts shows who is there', async () => {
    const tab = await connectLibrary(server, 'nora');
    const destination = '/app/presence.query?users=friend,nora,nobody';
    const [contacts] = await tab.subscribe<object[]>(destination);
    expect(contacts).toMatchObject([
      { userId: 'friend', online: false, sessions: 0, lastSeen: null },
      { userId: 'nora', online: true, sessions: 1 },
      { userId: 'nobody', online: false },
    ]);
    const told = await tab.subscribe<{ sessions: number }>('/topic/presence.friend');
    const first = await connectLibrary(server, 'friend');
    await tab.until(() => told.at(-1)?.sessions === 1, 'the first session');
    const second = await connectLibrary(server, 'friend');
    await tab.until(() => told.at(-1)?.sessions === 2, 'the second session');
    await Promise.all([first.client.deactivate(), second.client.deactivate()]);
    await tab.until(() => told.at(-1)?.sessions === 0, 'nobody');
    expect(told.at(-1)).toMatchObject({ userId: 'friend', online: false });
    await tab.client.deactivate();
  });

  test('[STOMPJS5] an order is shown at once and followed until it is no longer looked at', async () => {
    const orderId = await createOrder(server, 'ann', { currentLocation: 'Brno' });
    const tab = await connectLibrary(server, 'ann');
    const changes = await tab.subscribe('/user/queue/order.status');
    const [status] = await tab.subscribe<object>(`/app/order.track/${orderId}`);
    const shown = { orderId, estimatedDelivery: null, lastUpdated: expect.any(String) as string };
    expect(status).toEqual({ ...shown, status: 'PLACED', currentLocation: 'Brno' });
    await changeOrder(server, orderId, { status: 'SHIPPED', currentLocation: 'Praha' });
    await tab.until(() => changes.length === 1, 'the change');
    expect(changes).toEqual([{ ...shown, status: 'SHIPPED', currentLocation: 'Praha' }]);
    await tab.publish(`/app/order.untrack/${orderId}`, null);
    await changeOrder(server, orderId, { status: 'DELIVERED' });
    const refusals = await tab.subscribe('/user/queue/errors');
    tab.client.subscribe('/app/order.track/UNKNOWN', tab.collect);
    await tab.until(() => refusals.length === 1, 'a refusal');
    expect(refusals).toMatchObject([{ code: 'NOT_FOUND', orderId: 'UNKNOWN' }]);
    expect(changes).toHaveLength(1);
    await tab.client.deactivate();
  });

  test('[STOMPJS6] a notification that is read on one tab is read on the other', async () => {
    const tabs = [await connectLibrary(server, 'ann'), await connectLibrary(server, 'ann')] as const;
    const came = await Promise.all(tabs.map((tab) => tab.subscribe<object>('/user/queue/notifications')));
    const read = await Promise.all(tabs.map((tab) => tab.subscribe<object>('/user/queue/notification.read')));
    const [notificationId] = await notify(server, ['ann', 'bob'], 'Your order is on its way');
    for (const [index, tab] of tabs.entries()) {
      await tab.until(() => came[index]?.length === 1, 'the notification');
      expect(came[index]).toMatchObject([{ notificationId, isRead: false, referenceId: null }]);
    }
    tabs[0].client.publish({ destination: `/app/notification.read/${notificationId}` });
    for (const [index, tab] of tabs.entries()) {
      await tab.until(() => read[index]?.length === 1, 'that it was read');
      expect(read[index]).toEqual([{ notificationId, readAt: expect.any(String) as string }]);
    }
    const unread = await server.rest('GET', '/api/notifications?unread=true', { user: 'ann' });
    expect(unread.body).toEqual([]);
    await Promise.all(tabs.map((tab) => tab.client.deactivate()));
  });

  test('[STOMPJS7] after a lost connection the messages that were missed are asked for', async () => {
    const roomId = await createRoom(server, 'ann', { members: ['bob'] });
    const ann = await connectLibrary(server, 'ann');
    const bob = await connectLibrary(server, 'bob', { reconnectDelay: 1 });
    const seen = await bob.subscribe<{ messageId: string; content: string }>(`/topic/room.${roomId}`);
    await ann.publish(`/app/chat.send/${roomId}`, { content: 'before' });
    await bob.until(() => seen.length === 1, 'the first message');
    bob.client.forceDisconnect();
    await ann.publish(`/app/chat.send/${roomId}`, { content: 'missed' });
    await bob.until(() => bob.connects === 2, 'connected again');
    const missed = await bob.subscribe<{ messageId: string; content: string }>('/user/queue/replay');
    await bob.publish('/app/replay', { roomId, lastMessageId: seen[0]?.messageId });
    expect(missed.map(({ content }) => content)).toEqual(['missed']);
    await bob.publish(`/app/ack/${roomId}`, { messageId: missed[0]?.messageId });
    await bob.publish('/app/replay', { since: '0' });
    expect(missed.map(({ content }) => content)).toEqual(['missed', 'before']);
    await Promise.all([ann.client.deactivate(), bob.client.deactivate()]);
  });

  test('[STOMPJS8] a stock list follows changes, urgent ones apart, and starts from the whole list', async () => {
    await putProduct(server, 'bolt', { name: 'Bolt', quantity: 7 });
    const list = await connectLibrary(server, 'ann');
    // A place that nobody was told: how a list that has nothing yet gets all there is.
    const stock = await list.subscribe<object>('/topic/inventory', { resume: 'none:0' });
    const urgent = await list.subscribe<object>('/topic/inventory/urgent');
    expect(stock).toMatchObject([[{ productId: 'bolt', quantity: 7 }]]);
    const till = await connectLibrary(server, 'till', service);
    await till.publish('/app/inventory.update/bolt', { delta: -2 });
    await till.publish('/app/inventory.update/bolt', { delta: -4, urgent: true });
    await list.until(() => stock.length === 3 && urgent.length === 1, 'the changes');
    expect(stock.slice(1)).toMatchObject([{ quantity: 5 }, { quantity: 1, urgent: true }]);
    expect(urgent).toEqual(stock.slice(2));
    const refusals = await till.subscribe('/user/queue/errors');
    till.client.publish({ destination: '/app/inventory.update/bolt', body: '{"delta":-2}' });
    await till.until(() => refusals.length === 1, 'a refusal');
    expect(refusals).toMatchObject([{ code: 'CONFLICT', productId: 'bolt' }]);
    await Promise.all([list.client.deactivate(), till.client.deactivate()]);
  });

  test('[STOMPJS9] workers share a queue, and one that fails leaves its message to another', async () => {
    const boss = await connectLibrary(server, 'boss');
    const failing = await connectLibrary(server, 'ann');
    const working = await connectLibrary(server, 'bob');
    const ack = { ack: 'client-individual' };
    let nacked = 0;
    failing.client.subscribe(
      '/queue/jobs',
      (job) => {
        nacked += 1;
        job.nack();
        failing.client.unsubscribe('jobs');
        failing.collect(job);
      },
      { ...ack, id: 'jobs' },
    );
    boss.client.publish({ destination: '/queue/jobs', body: 'job' });
    await failing.until(() => nacked === 1, 'the job');
    working.client.subscribe(
      '/queue/jobs',
      (job) => {
        job.ack();
        working.collect(job);
      },
      ack,
    );
    await working.until(() => working.messages.length === 1, 'the job again');
    const [job] = working.messages;
    expect(job?.body).toBe('job');
    expect(job?.headers['redelivered']).toBe('true');
    await Promise.all([boss, failing, working].map(({ client }) => client.deactivate()));
  });
});
