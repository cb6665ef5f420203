// What front ends and services of the reference send: objects with every field of their class, null where it is not
// set, and with fields that only the server fills in.
import { beforeAll, expect, test } from 'vitest';
import { openDocument, operationOf } from '../support/documents.ts';
import { connectReplay, replayed } from '../support/missed.ts';
import { createRoom, say } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { service } from '../support/stock.ts';
import { connectStomp, parse } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

test('[FRAME27] a document operation may hold every field of its class, null where it is not set', async () => {
  const editor = await connectStomp(server, { user: 'alice' });
  await editor.subscribe('/topic/doc.nulls');
  const unset = { serverRevision: 0, operationId: null, userId: null };
  const written = { type: 'INSERT', position: 0, text: 'abc', length: 0, revision: 0, ...unset };
  await editor.send('/app/doc.operation/nulls', written);
  const removed = { type: 'DELETE', position: 0, text: null, length: 1, revision: 1, ...unset };
  await editor.send('/app/doc.operation/nulls', removed);
  expect((await openDocument(editor, 'nulls')).content).toBe('bc');
  const [first, second] = (await editor.messages('/topic/doc.nulls', 2)).map(operationOf);
  expect(first).toMatchObject({ userId: 'alice', serverRevision: 0 });
  // Without an id of its own each operation gets one, so none is taken for a repeat of another.
  expect(first?.operationId).not.toBe(second?.operationId);
  await editor.send('/app/doc.cursor/nulls', { position: 1, anchor: null, revision: null });
  await editor.send('/app/doc.undo/nulls', { operationId: null });
  expect((await openDocument(editor, 'nulls')).content).toBe('abc');
});

test('[FRAME27] so may chat messages, rooms, members and replays', async () => {
  const room = { name: 'nulls', isPrivate: null, roomId: null };
  const created = await server.rest('POST', '/api/rooms', { user: 'alice', body: room });
  expect(created).toMatchObject({ status: 201, body: { isPrivate: false } });
  const roomId = await createRoom(server, 'alice');
  const member = { userId: 'bob', role: null };
  const added = await server.rest('POST', `/api/rooms/${roomId}/members`, { user: 'alice', body: member });
  expect(added).toMatchObject({ status: 201, body: { role: 'MEMBER' } });
  const alice = await connectStomp(server, { user: 'alice' });
  const sent = { roomId, content: 'first', messageType: null, clientMessageId: null, status: null };
  await alice.send(`/app/chat.send/${roomId}`, sent);
  await say(alice, roomId, 'second');
  const bob = await connectReplay(server, { user: 'bob' });
  const all = await replayed(bob, { since: 0, roomId: null, lastMessageId: null });
  expect(all).toMatchObject([{ content: 'first', messageType: 'TEXT' }, { content: 'second' }]);
  const rest = { since: null, roomId, lastMessageId: all[0]?.['messageId'] };
  expect(await replayed(bob, rest)).toEqual(all.slice(1));
});

test('[FRAME27] so may changes of the inventory and ticks', async () => {
  const client = await connectStomp(server, service);
  await client.subscribe('/topic/inventory');
  const unset = { productId: 'p', version: null, timestamp: null, urgent: null, idempotencyKey: null };
  await client.send('/app/inventory.update/p', { ...unset, quantity: 5, delta: null });
  await client.send('/app/inventory.update/p', { ...unset, quantity: null, delta: -2 });
  const changes = (await client.messages('/topic/inventory', 2)).map(parse);
  expect(changes).toMatchObject([
    { quantity: 5, urgent: false },
    { quantity: 3, urgent: false },
  ]);
  const put = await server.rest('PUT', '/api/inventory/p', { ...service, body: { name: null, quantity: 1 } });
  expect(put).toMatchObject({ status: 200, body: { name: null, quantity: 1 } });
  const given = { change: null, changePercent: null, timestamp: null };
  await client.send('/app/price.tick', [{ symbol: 'NULL', price: '1', volume: 7, ...given }]);
  await client.send('/app/price.tick', [{ symbol: 'NULL', price: '2', volume: null, ...given }]);
  const prices = await server.rest('GET', '/api/prices?symbols=NULL', { user: 'alice' });
  expect(prices.body).toMatchObject([{ price: '2', volume: 7 }]);
});
