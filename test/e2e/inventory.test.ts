// The inventory over STOMP: services change quantities, everybody sees each change, none is refused half-way.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView, type DatabaseRow } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { range, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { putProduct, service } from '../support/stock.ts';
import { connectStomp, parse, RefusedError, type TestClient } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const all = '/topic/inventory';
const urgent = '/topic/inventory/urgent';

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;
  let shop: TestClient;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
    shop = await connectStomp(server, service);
  });
  afterAll(() => database.close());

  const stored = (id: string): DatabaseRow | undefined =>
    database.rows('SELECT quantity, version FROM products WHERE product_id = ?', id)[0];
  const update = (id: string, body: unknown, client = shop): Promise<void> =>
    client.send(`/app/inventory.update/${id}`, body);
  const refusal = async (sending: Promise<void>): Promise<unknown> => {
    const error: unknown = await sending.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    return error instanceof RefusedError ? error.refusal : error;
  };

  /** The messages of one product that a client has got. */
  const changesOf = async (
    client: TestClient,
    topic: string,
    id: string,
    count: number,
  ): Promise<unknown[]> => {
    const ofProduct = (frame: { headers: Readonly<Record<string, string>>; body: string }): boolean =>
      frame.headers['destination'] === topic && frame.body.includes(`"${id}"`);
    return (await client.waitForMany(count, ofProduct, `${count} changes of ${id}`)).map(parse);
  };

  test('[INVENTORY1] a change is a message to all, and in the database by then', async () => {
    const clients = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const client of clients) await client.subscribe(all);
    await update('chair', { quantity: 5 });
    expect(stored('chair')).toEqual({ quantity: 5, version: 1 });
    await update('chair', { delta: -2 });
    await update('chair', { delta: 10, urgent: false });
    for (const client of clients) {
      expect(await changesOf(client, all, 'chair', 3)).toEqual([
        { productId: 'chair', quantity: 5, urgent: false, version: 1, timestamp: isoTime },
        { productId: 'chair', quantity: 3, urgent: false, version: 2, timestamp: isoTime },
        { productId: 'chair', quantity: 13, urgent: false, version: 3, timestamp: isoTime },
      ]);
      const [first, ...others] = client.received(all);
      expect(first?.headers['epoch']).toMatch(/^\S+$/);
      for (const [index, frame] of others.entries()) {
        expect(frame.headers['epoch']).toBe(first?.headers['epoch']);
        expect(seqOf(frame)).toBe(seqOf(first as never) + index + 1);
      }
    }
  });

  test('[INVENTORY2] an urgent change goes to the urgent topic too, another one does not', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(all);
    await alice.subscribe(urgent);
    await update('lamp', { quantity: 1, urgent: true });
    await update('lamp', { quantity: 2 });
    await update('lamp', { delta: -2, urgent: true });
    const told = await changesOf(alice, all, 'lamp', 3);
    expect(told).toMatchObject([{ urgent: true }, { urgent: false }, { urgent: true, quantity: 0 }]);
    expect(await changesOf(alice, urgent, 'lamp', 2)).toEqual([told[0], told[2]]);
  });

  test('[INVENTORY3] a quantity makes a product, a delta of none is NOT_FOUND', async () => {
    expect(await refusal(update('unknown', { delta: 1 }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(stored('unknown')).toBeUndefined();
    await update('unknown', { quantity: 0 });
    await update('unknown', { delta: 1 });
    expect(stored('unknown')).toEqual({ quantity: 1, version: 2 });
  });

  test('[INVENTORY4] what would leave less than nothing, or more than can be counted, is CONFLICT', async () => {
    await update('table', { quantity: 3 });
    expect(await refusal(update('table', { delta: -4 }))).toMatchObject({ code: 'CONFLICT' });
    expect(await refusal(update('table', { delta: Number.MAX_SAFE_INTEGER }))).toMatchObject({
      code: 'CONFLICT',
    });
    expect(stored('table')).toEqual({ quantity: 3, version: 1 });
    await update('table', { delta: -3 });
    await update('table', { delta: Number.MAX_SAFE_INTEGER });
    expect(stored('table')).toEqual({ quantity: Number.MAX_SAFE_INTEGER, version: 3 });
  });

  test.each([
    ['a negative quantity', '{"quantity":-1}'],
    ['quantity and delta', '{"quantity":1,"delta":1}'],
    ['neither', '{"urgent":true}'],
    ['half a piece', '{"delta":0.5}'],
    ['more than whole numbers reach', '{"quantity":9007199254740992}'],
    ['a text', '{"quantity":"1"}'],
    ['no JSON', '{'],
    ['a key of no characters', '{"quantity":1,"idempotencyKey":""}'],
  ])('[INVENTORY5] %s is BAD_REQUEST, and nothing is applied', async (_what, body) => {
    await putProduct(server, 'desk', { quantity: 7 });
    const before = stored('desk');
    expect(await refusal(update('desk', body))).toMatchObject({ code: 'BAD_REQUEST', productId: 'desk' });
    expect(stored('desk')).toEqual(before);
  });

  test('[INVENTORY6] a refusal has productId, message, timestamp and code', async () => {
    await update('shelf', { quantity: 1 });
    const destination = '/app/inventory.update/shelf';
    shop.sendFrame('SEND', { destination, receipt: 'r-1' }, '{"delta":-2}');
    shop.sendFrame('SEND', { destination }, '{"delta":-3}');
    const [asked, unasked] = (
      await shop.waitForMany(2, (frame) => frame.body.includes('shelf') && frame.body.includes('CONFLICT'))
    ).map(parse);
    const refused = {
      productId: 'shelf',
      message: 'Product shelf has 1 left.',
      timestamp: isoTime,
      code: 'CONFLICT',
      destination,
    };
    expect(asked).toEqual({ ...refused, receipt: 'r-1' });
    expect(unasked).toEqual(refused);
  });

  test('[INVENTORY7] only services and admins change anything', async () => {
    await update('bed', { quantity: 1 });
    const alice = await connectStomp(server, { user: 'alice', roles: ['user'] });
    expect(await refusal(update('bed', { delta: 1 }, alice))).toMatchObject({
      code: 'FORBIDDEN',
      productId: 'bed',
    });
    expect(stored('bed')).toEqual({ quantity: 1, version: 1 });
    const admin = await connectStomp(server, { user: 'root', roles: ['admin'] });
    await update('bed', { delta: 1 }, admin);
    expect(stored('bed')).toEqual({ quantity: 2, version: 2 });
  });

  test('[INVENTORY8] deltas at the same time from everywhere add up, and never go below zero', async () => {
    await update('ticket', { quantity: 40 });
    const clients = await connectOnEveryEdge(server, layout, service);
    const watcher = await connectStomp(server, { user: 'alice' });
    await watcher.subscribe(all);
    const outcomes = await Promise.all(
      range(1, 90).map((number) =>
        update('ticket', { delta: -1 }, clients[number % clients.length]).then(
          () => 'sold',
          (error: unknown) => (error as RefusedError).refusal['code'],
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'sold')).toHaveLength(40);
    expect(outcomes.filter((outcome) => outcome === 'CONFLICT')).toHaveLength(50);
    expect(stored('ticket')).toEqual({ quantity: 0, version: 41 });
    const changes = (await changesOf(watcher, all, 'ticket', 40)) as { quantity: number; version: number }[];
    expect(changes.map(({ quantity }) => quantity)).toEqual(range(0, 39).toReversed());
    expect(changes.map(({ version }) => version)).toEqual(range(2, 41));
  });

  test('[INVENTORY8] many products at once have one order of changes, the same for all', async () => {
    const watchers = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const watcher of watchers) await watcher.subscribe(all);
    const ids = range(1, 20).map((number) => `part-${number}`);
    await Promise.all(range(1, 10).flatMap((quantity) => ids.map((id) => update(id, { quantity }))));
    const seen: string[][] = [];
    for (const watcher of watchers) {
      const frames = await watcher.messages(all, 200);
      expect(frames.map(seqOf)).toEqual(range(seqOf(frames[0] as never), seqOf(frames[0] as never) + 199));
      seen.push(frames.map(({ body }) => body));
    }
    for (const bodies of seen) expect(bodies).toEqual(seen[0]);
    for (const id of ids) {
      const versions = seen[0]?.map((body) => JSON.parse(body) as Record<string, unknown>);
      expect(versions?.filter((one) => one['productId'] === id).map((one) => one['version'])).toEqual(
        range(1, 10),
      );
    }
  });

  test('[INVENTORY9] a repeat with the same idempotencyKey changes nothing', async () => {
    await update('sofa', { quantity: 5 });
    for (let time = 0; time < 3; time += 1) await update('sofa', { delta: -1, idempotencyKey: 'order-1' });
    const header = { 'idempotency-key': 'order-1' };
    await shop.send('/app/inventory.update/sofa', { delta: -1 }, header);
    expect(stored('sofa')).toEqual({ quantity: 4, version: 2 });
    // Keys are of one product, and a refused change leaves its key free.
    await update('couch', { quantity: 1, idempotencyKey: 'order-1' });
    expect(await refusal(update('couch', { delta: -2, idempotencyKey: 'b' }))).toMatchObject({
      code: 'CONFLICT',
    });
    await update('couch', { delta: -1, idempotencyKey: 'b' });
    expect(stored('couch')).toEqual({ quantity: 0, version: 2 });
  });

  test('[INVENTORY10] nobody sends to the topics themselves, and wildcards do not show them', async () => {
    for (const topic of [all, urgent]) {
      expect(await refusal(shop.send(topic, { quantity: 1 }))).toMatchObject({ code: 'FORBIDDEN' });
    }
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/**');
    await alice.subscribe(all, { id: 'all' });
    await update('stool', { quantity: 1 });
    const [frame] = await alice.messages(all, 1);
    expect(frame?.headers['subscription']).toBe('all');
    await expect(alice.subscribe('/topic/inventory/other')).rejects.toThrow(/NOT_FOUND/);
  });

  test('[INVENTORY11] an id has 1 to 64 characters and no control characters', async () => {
    await update('Stühle €/m²'.replace('/', ':'), { quantity: 1 });
    await update('x'.repeat(64), { quantity: 1 });
    for (const id of ['x'.repeat(65), 'a\tb']) {
      expect(await refusal(update(id, { quantity: 1 }))).toMatchObject({
        code: 'BAD_REQUEST',
        productId: id,
      });
      expect(stored(id)).toBeUndefined();
    }
  });
});
