// The client's types are those of the schemas that check the server's answers; here they check what it pushes, too.
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { ZodObject } from 'zod';
import { cursorView, documentAnswer, operationAnswer } from '../../src/actors/kinds/document-views.ts';
import { inventoryChange, productAnswer } from '../../src/actors/kinds/inventory-views.ts';
import { notificationAnswer, notificationRead } from '../../src/actors/kinds/notification-views.ts';
import { orderAnswer, orderStatusView, orderWithHistoryAnswer } from '../../src/actors/kinds/order-views.ts';
import { portfolioAnswer, portfolioView } from '../../src/actors/kinds/portfolio-views.ts';
import { presenceAnswer, presenceChange } from '../../src/actors/kinds/presence-views.ts';
import { priceSchema } from '../../src/actors/kinds/price-views.ts';
import {
  memberAnswer,
  messageAnswer,
  readReceipt,
  roomDetailAnswer,
  roomEvent,
} from '../../src/actors/kinds/room-views.ts';
import { closeOurClients, connectOurs, type OurClient } from '../support/our-client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: OurClient;
let shop: OurClient;

beforeAll(async () => {
  server = await startServer({ settings: { priceIntervalMs: '50ms' } });
});
afterEach(closeOurClients);

/** All that was heard under the name is of the schema, without a field that the schema does not know. */
async function expectHeard(name: string, count: number, schema: ZodObject): Promise<void> {
  expectToBe(schema, ...(await ann.heard(name, count)).flat());
}

function expectToBe(schema: ZodObject, ...bodies: readonly unknown[]): void {
  expect(bodies.length).toBeGreaterThan(0);
  for (const body of bodies) expect(schema.strict().safeParse(body).error?.issues).toBeUndefined();
}

async function expectRooms(): Promise<void> {
  const { roomId } = await ann.rooms.create('lobby');
  const room = ann.rooms.room(roomId);
  room.onMessage({ message: ann.note('messages') });
  room.onEvent(ann.note('events'));
  room.onRead(ann.note('receipts'));
  // Subscriptions made before on this connection have begun when it comes back; requests over REST would overtake them.
  await room.send('hello');
  await ann.heard('messages', 1);
  await room.addMember('shop');
  const [message] = await room.history();
  await shop.rooms.room(roomId).markRead(message?.messageId ?? '');
  room.typing();
  await room.removeMember('shop');
  await expectHeard('messages', 1, messageAnswer);
  await expectHeard('events', 3, roomEvent);
  await expectHeard('receipts', 1, readReceipt);
  expectToBe(messageAnswer, ...(await room.history()));
  expectToBe(memberAnswer, ...(await room.members()));
  expectToBe(roomDetailAnswer, await room.details());
}

async function expectDocuments(): Promise<void> {
  ann.subscribe('/topic/doc.draft', { message: ({ body }) => ann.note('operations')(JSON.parse(body)) });
  ann.subscribe('/topic/doc.draft.cursors', { message: ({ body }) => ann.note('cursors')(JSON.parse(body)) });
  const document = await shop.opened('draft');
  document.insert(0, 'one two');
  document.edit([
    { position: 0, length: 1, text: '' },
    { position: 4, length: 0, text: '!' },
  ]);
  document.placeCursor(1, 3);
  await document.settled();
  await expectHeard('operations', 2, operationAnswer);
  await ann.heard('cursors', 1);
  document.close();
  await shop.close();
  await expectHeard('cursors', 2, cursorView);
  expectToBe(documentAnswer, await ann.documents.get('draft'));
}

async function expectPrices(): Promise<void> {
  ann.prices.onPrices(ann.note('prices'));
  ann.prices.onPortfolio(ann.note('portfolio'));
  await shop.prices.tick([{ symbol: 'ACME', price: '10.50', volume: 3 }]);
  expectToBe(
    portfolioAnswer,
    await ann.prices.hold([
      { symbol: 'ACME', quantity: 2 },
      { symbol: 'NONE', quantity: '1' },
    ]),
  );
  await expectHeard('prices', 1, priceSchema);
  await ann.until(() => ann.noted('portfolio').length > 0, 'a portfolio');
  await expectHeard('portfolio', 1, portfolioView);
}

async function expectOrders(): Promise<void> {
  const { orderId } = await shop.orders.create({ orderId: 'o-1', userId: 'ann', status: 'PLACED' });
  ann.orders.track(orderId, ann.note('statuses'));
  await ann.heard('statuses', 1);
  const change = { status: 'SENT', estimatedDelivery: '2030-01-01T00:00:00Z', currentLocation: 'Oslo' };
  expectToBe(orderAnswer, await shop.orders.change(orderId, change));
  await expectHeard('statuses', 2, orderStatusView);
  expectToBe(orderWithHistoryAnswer, await ann.orders.get(orderId));
}

async function expectNotifications(): Promise<void> {
  const live = (): void => ann.note('live')(true);
  ann.notifications.onNotification({ notification: ann.note('notified'), read: ann.note('read'), live });
  await ann.heard('live', 1);
  await shop.notifications.notify(['ann'], { type: 'NEWS', message: 'one', referenceId: null });
  const [notified] = await ann.heard<{ notificationId: string }>('notified', 1);
  await ann.notifications.markRead(notified?.notificationId ?? '');
  await expectHeard('notified', 1, notificationAnswer);
  await expectHeard('read', 1, notificationRead);
}

async function expectInventory(): Promise<void> {
  ann.inventory.watch({ list: ann.note('lists'), change: ann.note('changes') });
  await ann.heard('lists', 1);
  await shop.inventory.update('bolt', { quantity: 5, urgent: true });
  await expectHeard('changes', 1, inventoryChange);
  expectToBe(productAnswer, ...(await ann.inventory.list()), await ann.inventory.product('bolt'));
}

async function expectPresence(): Promise<void> {
  ann.presences.watch('ann', ann.note('presence'));
  await expectHeard('presence', 1, presenceChange);
  expectToBe(presenceAnswer, ...(await ann.presences.query(['ann', 'nobody'])));
}

test('[CLIENT58] every body that is pushed or answered is of the type that the client gives it', async () => {
  [ann, shop] = [await connectOurs(server, 'ann'), await connectOurs(server, 'shop', { roles: ['service'] })];
  await expectRooms();
  await expectPrices();
  await expectOrders();
  await expectNotifications();
  await expectInventory();
  await expectPresence();
  await expectDocuments();
});
