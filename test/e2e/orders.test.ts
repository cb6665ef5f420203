// Orders over REST: services make and change them, owners look at them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { layouts } from '../support/layouts.ts';
import { changeOrder, createOrder, shop } from '../support/orders.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const identifier = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
const good = { userId: 'alice', status: 'PLACED' };

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  const post = (body: unknown, who: object = shop) => server.rest('POST', '/api/orders', { ...who, body });
  const patch = (id: string, body: unknown, who: object = shop) =>
    server.rest('PATCH', `/api/orders/${encodeURIComponent(id)}`, { ...who, body });
  const get = (id: string, who: object = { user: 'alice' }) =>
    server.rest('GET', `/api/orders/${encodeURIComponent(id)}`, who);
  const changesOf = (id: string) =>
    database.rows('SELECT * FROM order_changes WHERE order_id = ? ORDER BY version', id);

  test('[ORDER1] a service makes an order, with an id of its own or a new one', async () => {
    const made = await post({ ...good, colour: 'red' });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      orderId: identifier,
      userId: 'alice',
      status: 'PLACED',
      estimatedDelivery: null,
      currentLocation: null,
      lastUpdated: isoTime,
      createdAt: isoTime,
    });
    expect(await post({ ...good, orderId: null })).toMatchObject({
      status: 201,
      body: { orderId: identifier },
    });
    const named = await post({
      orderId: 'named-1',
      userId: 'alice',
      status: 'x'.repeat(50),
      estimatedDelivery: '2030-01-31T10:00:00+05:30',
      currentLocation: 'é'.repeat(255),
    });
    expect(named).toMatchObject({
      status: 201,
      body: { orderId: 'named-1', estimatedDelivery: '2030-01-31T04:30:00.000Z' },
    });
    expect((await get('named-1')).body).toMatchObject(named.body as object);
    expect(database.rows('SELECT * FROM orders WHERE order_id = ?', 'named-1')).toMatchObject([
      { user_id: 'alice', estimated_delivery: '2030-01-31T04:30:00.000Z', version: 1 },
    ]);
  });

  test.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['a list', []],
    ['no user', { status: 'PLACED' }],
    ['no status', { userId: 'alice' }],
    ['an empty status', { ...good, status: '' }],
    ['a long status', { ...good, status: 'x'.repeat(51) }],
    ['half a character', '{"userId":"alice","status":"\\ud83d"}'],
    ['a long user', { ...good, userId: 'x'.repeat(37) }],
    ['a long id', { ...good, orderId: 'x'.repeat(37) }],
    ['an empty id', { ...good, orderId: '' }],
    ['an id that is no text', { ...good, orderId: 7 }],
    ['an id with a slash', { ...good, orderId: 'a/b' }],
    ['an id with a line end', { ...good, orderId: 'a\nb' }],
    ['a day for a time', { ...good, estimatedDelivery: '2030-01-31' }],
    ['a day that is not', { ...good, estimatedDelivery: '2030-02-31T00:00:00Z' }],
    ['a year that no database holds', { ...good, estimatedDelivery: '9999-12-31T23:59:59-10:00' }],
    ['a time that is a number', { ...good, estimatedDelivery: 1_900_000_000_000 }],
    ['a long location', { ...good, currentLocation: 'x'.repeat(256) }],
  ])('[ORDER2] an order of a wrong shape is BAD_REQUEST and is not made: %s', async (_what, body) => {
    const before = database.rows('SELECT count(*) AS orders FROM orders');
    const refused = await post(body);
    expect(refused).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    // It names no order: the one that was to be made has no id.
    expect(Object.keys(refused.body as object).toSorted()).toEqual(['code', 'message']);
    expect(database.rows('SELECT count(*) AS orders FROM orders')).toEqual(before);
  });

  test('[ORDER3] only services and admins make and change orders', async () => {
    const orderId = await createOrder(server, 'alice');
    for (const who of [{ user: 'alice' }, { user: 'alice', roles: ['courier', 'SERVICE'] }]) {
      expect(await post(good, who)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
      const refused = await patch(orderId, { status: 'PAID' }, who);
      expect(refused).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', orderId } });
    }
    for (const answer of [await post(good, {}), await patch(orderId, good, {}), await get(orderId, {})]) {
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    }
    expect((await get(orderId)).body).toMatchObject({ status: 'PLACED', history: [{ status: 'PLACED' }] });
    const admin = { user: 'root', roles: ['admin'] };
    expect(await post({ ...good, orderId: 'by-admin' }, admin)).toMatchObject({ status: 201 });
    expect(await patch('by-admin', { status: 'PAID' }, admin)).toMatchObject({ status: 200 });
  });

  test('[ORDER4] an id that is taken is CONFLICT, and the order stays as it is', async () => {
    const orderId = await createOrder(server, 'alice', { orderId: 'taken' });
    const tries = await Promise.all(
      range(1, 5).map(() => post({ userId: 'bob', status: 'STOLEN', orderId })),
    );
    for (const answer of tries) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'CONFLICT', orderId: 'taken' } });
    }
    expect((await get(orderId)).body).toMatchObject({ userId: 'alice', status: 'PLACED' });
    const race = await Promise.all(range(1, 5).map(() => post({ ...good, orderId: 'raced' })));
    expect(race.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409', '409', '409', '409']);
  });

  test('[ORDER5] an order is shown to its owner and to services, and to nobody else', async () => {
    const orderId = await createOrder(server, 'alice');
    for (const who of [{ user: 'alice' }, shop, { user: 'root', roles: ['admin'] }]) {
      expect(await get(orderId, who)).toMatchObject({ status: 200, body: { orderId, userId: 'alice' } });
    }
    const hidden = await get(orderId, { user: 'bob' });
    expect(hidden).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', orderId } });
    const unknown = await get('nowhere');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', orderId: 'nowhere' } });
  });

  test('[ORDER6] a change changes what is given, and null takes away what may be missing', async () => {
    const id = await createOrder(server, 'alice', {
      estimatedDelivery: '2030-01-01T00:00:00.123456Z',
      currentLocation: 'Oslo',
    });
    const changed = await patch(id, { status: 'SHIPPED', userId: 'bob' });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({
      orderId: id,
      userId: 'alice',
      status: 'SHIPPED',
      estimatedDelivery: '2030-01-01T00:00:00.123Z',
      currentLocation: 'Oslo',
      lastUpdated: isoTime,
      createdAt: isoTime,
    });
    const moved = await patch(id, { currentLocation: 'Bergen' });
    expect(moved.body).toMatchObject({ status: 'SHIPPED', currentLocation: 'Bergen' });
    const cleared = await patch(id, { estimatedDelivery: null, currentLocation: null });
    expect(cleared.body).toMatchObject({ status: 'SHIPPED', estimatedDelivery: null, currentLocation: null });
    expect((await get(id)).body).toMatchObject(cleared.body as object);

    const wrong = [
      {},
      '',
      [],
      { status: null },
      { status: '' },
      { estimatedDelivery: 'soon' },
      { colour: 'red' },
    ];
    for (const body of wrong) {
      const refused = await patch(id, body);
      expect(refused).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', orderId: id } });
    }
    expect(changesOf(id)).toHaveLength(4);
    const unknown = await patch('nowhere', { status: 'SHIPPED' });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', orderId: 'nowhere' } });
  });

  test('[ORDER7] every change is kept; the newest hundred are shown, newest first', async () => {
    const id = await createOrder(server, 'alice', { currentLocation: 'Oslo' });
    await changeOrder(server, id, { status: 'SHIPPED', estimatedDelivery: '2030-01-01T00:00:00Z' });
    const { history } = (await get(id)).body as { history: unknown[] };
    expect(history).toEqual([
      {
        status: 'SHIPPED',
        estimatedDelivery: '2030-01-01T00:00:00.000Z',
        currentLocation: 'Oslo',
        changedBy: 'shop',
        changedAt: isoTime,
      },
      {
        status: 'PLACED',
        estimatedDelivery: null,
        currentLocation: 'Oslo',
        changedBy: 'shop',
        changedAt: isoTime,
      },
    ]);
    for (const number of range(3, 110)) await changeOrder(server, id, { currentLocation: `mile ${number}` });
    const shown = (await get(id)).body as { history: { currentLocation: string }[] };
    expect(shown.history.map(({ currentLocation }) => currentLocation)).toEqual(
      range(11, 110)
        .toReversed()
        .map((number) => `mile ${number}`),
    );
    expect(changesOf(id).map(({ version }) => version)).toEqual(range(1, 110));
  });

  test('[ORDER8] a body over 1 MiB is TOO_LARGE', async () => {
    const id = await createOrder(server, 'alice');
    const status = 'x'.repeat(1024 * 1024);
    for (const answer of [await post({ ...good, status }), await patch(id, { status })]) {
      expect(answer).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    }
  });

  test('[ORDER16] a request repeated with its Idempotency-Key gets the same answer and changes nothing', async () => {
    const headers = { 'Idempotency-Key': 'order-once' };
    const made = await post(good, { ...shop, headers });
    const { orderId } = made.body as { orderId: string };
    expect(await post(good, { ...shop, headers })).toMatchObject({ status: 201, body: made.body as object });
    const changed = await patch(orderId, { status: 'SHIPPED' }, { ...shop, headers });
    await changeOrder(server, orderId, { status: 'DELIVERED' });
    const again = await patch(orderId, { status: 'SHIPPED' }, { ...shop, headers });
    expect(again).toMatchObject({ status: 200, body: changed.body as object });
    expect(changesOf(orderId).map(({ status }) => status)).toEqual(['PLACED', 'SHIPPED', 'DELIVERED']);
  });

  test('[ORDER9] an order with any id is found by it, and outlives the server', async () => {
    const ids = ['-', '100%', 'a%2Fb', 'ø ?#', 'new'];
    for (const orderId of ids) await createOrder(server, 'alice', { orderId });
    const read = (): Promise<unknown[]> => Promise.all(ids.map(async (id) => (await get(id)).body));
    const before = await read();
    expect(before).toMatchObject(ids.map((orderId) => ({ orderId, status: 'PLACED' })));
    await server.kill();
    server = await server.restart();
    expect(await read()).toEqual(before);
    await changeOrder(server, 'a%2Fb', { status: 'SHIPPED' });
    expect((await get('a%2Fb')).body).toMatchObject({
      history: [{ status: 'SHIPPED' }, { status: 'PLACED' }],
    });
  });
});
