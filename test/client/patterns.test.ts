// Every pattern through the client, on a real server.
import { afterEach, beforeAll, expect, test } from 'vitest';
import type {
  ChatMessage,
  Message,
  Notification,
  NotificationRead,
  OrderStatus,
  Portfolio,
  PresenceChange,
  Price,
  ReadReceipt,
  RoomEvent,
} from '../../src/client/index.ts';
import { closeOurClients, connectOurs, type OurClient } from '../support/our-client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let shop: OurClient;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '2', priceIntervalMs: '50ms' } });
  return closeOurClients;
});
afterEach(closeOurClients);

const service = async (): Promise<OurClient> => connectOurs(server, 'shop', { roles: ['service'] });

test('[CLIENT50] rooms: messages, events, receipts, members and history', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const { roomId, name } = await ann.rooms.create('lobby');
  expect(name).toBe('lobby');
  const [anns, bobs] = [ann.rooms.room(roomId), bob.rooms.room(roomId)];
  anns.onMessage({ message: ann.note('messages') });
  anns.onEvent(ann.note('events'));
  anns.onRead(ann.note('receipts'));
  await anns.send('one', { messageType: 'TEXT' });
  await bobs.send('two');
  const [first] = await ann.heard<ChatMessage>('messages', 2);
  await bobs.markRead(first?.messageId ?? '');
  bobs.typing();
  expect(await ann.heard<ReadReceipt>('receipts', 1)).toMatchObject([{ readerId: 'bob', roomId }]);
  const events = await ann.heard<RoomEvent>('events', 2);
  expect(events.map(({ type, userId }) => [type, userId])).toEqual([
    ['USER_JOINED', 'bob'],
    ['TYPING', 'bob'],
  ]);
  expect((await anns.members()).map(({ userId }) => userId)).toEqual(['ann', 'bob']);
  expect((await anns.history({ limit: 1 })).map(({ content }) => content)).toEqual(['two']);
  expect((await anns.history({ before: 2 })).map(({ content }) => content)).toEqual(['one']);
  expect(await anns.details()).toMatchObject({ members: 2, seq: 2 });
  expect((await bob.rooms.mine()).map((one) => one.roomId)).toEqual([roomId]);
});

test('[CLIENT51] prices and portfolios', async () => {
  shop = await service();
  const ann = await connectOurs(server, 'ann');
  ann.prices.onPrices(ann.note('prices'));
  ann.prices.onPrices(ann.note('one'), 'ACME');
  ann.prices.onPortfolio(ann.note('portfolio'));
  await shop.prices.tick([{ symbol: 'ACME', price: '10.50' }]);
  await ann.until(() => ann.noted<readonly Price[]>('one').flat().length > 0, 'a price');
  expect(ann.noted<readonly Price[]>('one').flat()).toMatchObject([{ symbol: 'ACME', price: '10.50' }]);
  await ann.until(() => ann.noted<readonly Price[]>('prices').flat().length > 0, 'all prices');
  await ann.prices.hold([{ symbol: 'ACME', quantity: '2' }]);
  await ann.until(
    () => ann.noted<Portfolio>('portfolio').some(({ totalValue }) => Number(totalValue) === 21),
    'its value',
  );
  expect((await ann.prices.portfolio()).holdings).toEqual([{ symbol: 'ACME', quantity: '2' }]);
  expect((await ann.prices.list()).map(({ symbol }) => symbol)).toEqual(['ACME']);
});

test('[CLIENT52] presence: who is there, and who comes and goes', async () => {
  const ann = await connectOurs(server, 'ann');
  ann.presences.watch('carol', ann.note('carol'));
  await ann.heard('carol', 1);
  const carol = await connectOurs(server, 'carol');
  await ann.heard('carol', 2);
  expect(await ann.presences.query(['carol', 'dave'])).toMatchObject([
    { userId: 'carol', online: true, sessions: 1 },
    { userId: 'dave', online: false, sessions: 0, lastSeen: null },
  ]);
  await carol.close();
  const told = await ann.heard<PresenceChange>('carol', 3);
  expect(told.map(({ online }) => online)).toEqual([false, true, false]);
});

test('[CLIENT53] orders: the status at once and with every change, of the owner alone', async () => {
  shop = await service();
  const ann = await connectOurs(server, 'ann');
  const { orderId } = await shop.orders.create({ userId: 'ann', status: 'PLACED' });
  const stop = ann.orders.track(orderId, ann.note('status'));
  await ann.heard('status', 1);
  await shop.orders.change(orderId, { status: 'SHIPPED', currentLocation: 'Graz' });
  const told = await ann.heard<OrderStatus>('status', 2);
  expect(told.map(({ status }) => status)).toEqual(['PLACED', 'SHIPPED']);
  ann.orders.track(orderId, ann.note('beside'));
  await ann.heard('beside', 1);
  stop();
  await shop.orders.change(orderId, { status: 'DELIVERED' });
  expect(await ann.heard('beside', 2)).toMatchObject([{ status: 'SHIPPED' }, { status: 'DELIVERED' }]);
  expect(ann.noted('status')).toHaveLength(2);
  const bob = await connectOurs(server, 'bob');
  bob.orders.track(orderId, bob.note('status'), bob.note('refused'));
  expect(await bob.heard('refused', 1)).toMatchObject([{ code: 'FORBIDDEN', detail: { orderId } }]);
  expect(await ann.orders.get(orderId)).toMatchObject({ status: 'DELIVERED' });
});

test('[CLIENT54] notifications: live, listed, and read on all devices', async () => {
  shop = await service();
  const [one, other] = [await connectOurs(server, 'erin'), await connectOurs(server, 'erin')];
  one.notifications.onNotification({ notification: one.note('notes') });
  other.notifications.onNotification({
    notification: other.note('notes'),
    read: other.note('read'),
  });
  await Promise.all([one.topics.publish('/topic/x', 1), other.topics.publish('/topic/x', 1)]);
  await shop.notifications.notify(['erin'], { type: 'INFO', message: 'hello' });
  const [note] = await one.heard<Notification>('notes', 1);
  await other.heard('notes', 1);
  const notificationId = note?.notificationId ?? '';
  await one.notifications.markRead(notificationId);
  expect(await other.heard<NotificationRead>('read', 1)).toMatchObject([{ notificationId }]);
  expect(await one.notifications.list()).toMatchObject([{ notificationId, isRead: true }]);
  expect(await one.notifications.list({ unread: true })).toEqual([]);
});

test('[CLIENT55] inventory: the list, then every change; never below zero', async () => {
  shop = await service();
  const ann = await connectOurs(server, 'ann');
  await shop.inventory.update('lamp', { quantity: 2 });
  ann.inventory.watch({ list: ann.note('list'), change: ann.note('change') });
  ann.inventory.onUrgent(ann.note('urgent'));
  expect(await ann.heard('list', 1)).toMatchObject([[{ productId: 'lamp', quantity: 2 }]]);
  await shop.inventory.update('lamp', { delta: -1, urgent: true });
  expect(await ann.heard('change', 1)).toMatchObject([{ productId: 'lamp', quantity: 1, version: 2 }]);
  await ann.heard('urgent', 1);
  await expect(shop.inventory.update('lamp', { delta: -9 })).rejects.toMatchObject({
    code: 'CONFLICT',
    detail: { productId: 'lamp' },
  });
  expect(await ann.inventory.product('lamp')).toMatchObject({ quantity: 1 });
  expect(await ann.inventory.list()).toHaveLength(1);
});

test('[CLIENT56] queues: one consumer each, and again when it is given back', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  await ann.topics.publish('/queue/jobs', { job: 1 });
  let gaveBack = false;
  bob.topics.consume(
    '/queue/jobs',
    {
      message(message) {
        bob.note('jobs')(`${message.body} ${message.headers['redelivered'] ?? 'first'}`);
        if (gaveBack) message.ack();
        else message.nack();
        gaveBack = true;
      },
    },
    1,
  );
  expect(await bob.heard<string>('jobs', 2)).toEqual(['{"job":1} first', '{"job":1} true']);
});

test('[CLIENT57] plain topics, with wildcards too, and the queues of users', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'b/o%b')];
  ann.topics.on('/topic/news/*', { message: ann.note('news') });
  bob.topics.onOwn('mine', bob.note('mine'));
  await Promise.all([ann.topics.publish('/topic/x', 1), bob.topics.publish('/topic/x', 1)]);
  await bob.topics.publish('/topic/news/local', 'plain text', { headers: { from: 'bob' } });
  const [news] = await ann.heard<Message>('news', 1);
  expect([news?.body, news?.headers['from']]).toEqual(['plain text', 'bob']);
  await ann.topics.sendTo('b/o%b', 'mine', { hello: 1 });
  expect((await bob.heard<Message>('mine', 1)).map(({ body }) => body)).toEqual(['{"hello":1}']);
});
