// The domains over the binary protocol, beside @stomp/stompjs, and the client that README.md shows.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLibrary } from '../support/library-client.ts';
import { connectBinary, json, Say } from '../support/msgpack-client.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Within the package, so that it finds the packages it imports. */
const script = `${root}dist/test/e2e/readme-binary.mjs`;
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '2', shards: '2' } });
});

afterAll(() => rmSync(script, { force: true }));

test('[BIN2] the client in README.md runs as it stands', async () => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const [, code = ''] = /### The binary protocol\n.*?```js\n(.*?)```/s.exec(readme) ?? [];
  writeFileSync(script, code.replace('ws://127.0.0.1:8080/ws', server.wsUrl));
  const child = spawn(process.execPath, [script, await server.token('alice')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    printed.push(line);
    if (printed.length === 2) break;
  }
  child.kill();
  expect(printed).toEqual(['MESSAGE hot', 'RECEIPT 1']);
});

describe.concurrent('domains', () => {
  test('[BIN19] a room of @stomp/stompjs and binary clients, both ways', async () => {
    const roomId = await createRoom(server, 'rita');
    const library = await connectLibrary(server, 'rita');
    const binary = await connectBinary(server, { user: 'ben' });
    const heard = await library.subscribe<{ content: string; senderId: string; seq: number }>(
      `/topic/room.${roomId}`,
    );
    await binary.subscribe(1, `/topic/room.${roomId}`);
    await library.publish(`/app/chat.send/${roomId}`, { content: 'from stompjs é' });
    await binary.send(`/app/chat.send/${roomId}`, { content: 'from binary 😀' });
    await binary.ask([Say.send, `/app/chat.send/${roomId}`, Buffer.from('{"content":"as bytes"}')]);
    const contents = ['from stompjs é', 'from binary 😀', 'as bytes'];
    const got = await binary.messages(1, 3);
    expect(got.map((message) => json(message)['content'])).toEqual(contents);
    expect(got.map(({ seq, headers, epoch }) => [seq, headers, epoch === null])).toEqual(
      [1, 2, 3].map((seq) => [seq, null, false]),
    );
    await library.until(() => heard.length === 3, 'three messages');
    expect(heard.map(({ content, seq }) => [content, seq])).toEqual(
      contents.map((content, index) => [content, index + 1]),
    );
    await expect(binary.send(`/app/chat.send/${roomId}`, 'no JSON')).rejects.toThrow('BAD_REQUEST');
    const bytes = Buffer.from([0x7b, 0xff]);
    await expect(binary.send(`/app/chat.send/${roomId}`, bytes)).rejects.toThrow('UTF-8');
    await library.client.deactivate();
  });

  test('[BIN19] documents are opened, edited and followed', async () => {
    const [ann, bea] = [
      await connectBinary(server, { user: 'ann' }),
      await connectStomp(server, { user: 'bea' }),
    ] as const;
    const operation = (text: string, revision: number): object => {
      return { type: 'INSERT', position: 0, text, revision, operationId: `op-${text}` };
    };
    await ann.subscribe(1, '/topic/doc.both');
    await bea.subscribe('/topic/doc.both');
    await ann.send('/app/doc.operation/both', operation('a', 0));
    await bea.send('/app/doc.operation/both', operation('b', 0));
    const seen = await ann.messages(1, 2);
    expect(seen.map((message) => json(message)['serverRevision'])).toEqual([0, 1]);
    await ann.subscribe(2, '/app/doc.open/both');
    const [opened] = await ann.messages(2, 1);
    expect(opened && json(opened)).toEqual({ docId: 'both', content: 'ab', revision: 2 });
    await ann.subscribe(3, '/topic/doc.both', { resume: 'gone:1' });
    const [state] = await ann.messages(3, 1);
    expect(state && json(state)).toEqual({ docId: 'both', content: 'ab', revision: 2 });
    expect(state).toMatchObject({ seq: 2, flags: 2, headers: null, id: expect.stringMatching(/^v-\d+$/) });
    await expect(ann.send('/app/doc.operation/both', operation('c', 9))).rejects.toThrow('BAD_REQUEST');
  });

  test('[BIN19] prices, presence, orders, notifications and inventory', async () => {
    const client = await connectBinary(server, { user: 'olga' });
    const service = await connectBinary(server, { user: 'system', roles: ['service'] });
    const rest = (method: string, path: string, body: object): Promise<{ status: number }> =>
      server.rest(method, path, { user: 'system', roles: ['service'], body });
    await client.subscribe(1, '/topic/prices.BIN');
    await client.subscribe(2, '/topic/presence.system');
    await client.subscribe(3, '/user/queue/order.status');
    await client.subscribe(4, '/user/queue/notifications');
    await client.subscribe(5, '/topic/inventory');
    await service.send('/app/price.tick', [{ symbol: 'BIN', price: '1.50' }]);
    const [price] = await client.messages(1, 1);
    expect(JSON.parse(price?.body.toString() ?? '')).toMatchObject({ symbol: 'BIN', price: '1.50' });
    expect(price).toMatchObject({ seq: null, headers: null });
    const [presence] = await client.messages(2, 1);
    expect(presence && json(presence)).toMatchObject({ userId: 'system', online: true });
    expect(
      (await rest('POST', '/api/orders', { orderId: 'o-bin', userId: 'olga', status: 'NEW' })).status,
    ).toBe(201);
    await client.subscribe(6, '/app/order.track/o-bin');
    expect((await client.messages(6, 1)).map(json)).toMatchObject([{ orderId: 'o-bin', status: 'NEW' }]);
    await rest('PATCH', '/api/orders/o-bin', { status: 'SENT' });
    expect((await client.messages(3, 1)).map(json)).toMatchObject([{ orderId: 'o-bin', status: 'SENT' }]);
    const notification = { userIds: ['olga'], type: 'T', message: 'hello' };
    expect((await rest('POST', '/api/notifications', notification)).status).toBe(201);
    const [notified] = await client.messages(4, 1);
    expect(notified && json(notified)).toMatchObject({ message: 'hello', isRead: false });
    expect(notified?.seq).toBe(1);
    await client.send(`/app/notification.read/${String(notified && json(notified)['notificationId'])}`, {});
    await rest('PUT', '/api/inventory/p-bin', { quantity: 5 });
    await service.send('/app/inventory.update/p-bin', { delta: -2 });
    const stock = (await client.messages(5, 2)).map(json);
    expect(stock.map(({ quantity }) => quantity)).toEqual([5, 3]);
    await expect(client.send('/app/inventory.update/p-bin', { delta: -1 })).rejects.toThrow('FORBIDDEN');
  });
});
