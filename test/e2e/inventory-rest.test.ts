// The inventory over REST.
import { beforeAll, describe, expect, test } from 'vitest';
import { layouts } from '../support/layouts.ts';
import { range } from '../support/rooms.ts';
import { startServer, type RestAnswer, type TestServer } from '../support/server.ts';
import { putProduct, service } from '../support/stock.ts';
import { connectStomp, parse } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  const get = (path: string): Promise<RestAnswer> =>
    server.rest('GET', `/api/inventory${path}`, { user: 'alice' });
  const idsOf = ({ body }: RestAnswer): unknown[] =>
    (body as { productId: string }[]).map((one) => one.productId);

  test('[INVENTORY20] PUT makes a product and changes it, and everybody is told', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/inventory');
    const made = await putProduct(server, 'chair/1', { quantity: 4 });
    expect(made).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', productId: 'chair/1' } });

    const chair = { productId: 'Chair 1', name: 'Chair', quantity: 4, version: 1, timestamp: isoTime };
    expect(await putProduct(server, 'Chair 1', { name: ' Chair ', quantity: 4 })).toMatchObject({
      status: 200,
      body: chair,
    });
    const changed = await putProduct(server, 'Chair 1', { quantity: 2 });
    expect(changed.body).toEqual({ ...chair, quantity: 2, version: 2 });
    expect((await get('/Chair%201')).body).toEqual({ ...chair, quantity: 2, version: 2 });
    expect((await putProduct(server, 'Chair 1', { quantity: 2, name: 'Seat' })).body).toMatchObject({
      name: 'Seat',
    });

    const told = (await alice.messages('/topic/inventory', 3)).map(parse);
    expect(told).toMatchObject([
      { productId: 'Chair 1', quantity: 4, urgent: false, version: 1 },
      { productId: 'Chair 1', quantity: 2, urgent: false, version: 2 },
      { productId: 'Chair 1', quantity: 2, urgent: false, version: 3 },
    ]);
  });

  test('[INVENTORY21] an unknown product is 404', async () => {
    expect(await get('/none')).toMatchObject({
      status: 404,
      body: {
        code: 'NOT_FOUND',
        productId: 'none',
        message: 'There is no product none.',
        timestamp: isoTime,
      },
    });
  });

  test.each([
    ['no quantity', { name: 'a' }],
    ['a negative one', { quantity: -1 }],
    ['half a piece', { quantity: 1.5 }],
    ['a text', { quantity: '1' }],
    ['too much', { quantity: 2 ** 53 }],
    ['an empty name', { quantity: 1, name: ' ' }],
    ['a long name', { quantity: 1, name: 'x'.repeat(256) }],
    ['a list', []],
    ['no JSON', '{'],
  ])('[INVENTORY22] PUT of %s is 400 and makes nothing', async (_what, body) => {
    const answer = await putProduct(server, 'bad', body);
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST', productId: 'bad', timestamp: isoTime },
    });
    expect((await get('/bad')).status).toBe(404);
  });

  test('[INVENTORY23] PUT is for services and admins, reading for all who are signed in', async () => {
    await putProduct(server, 'safe', { quantity: 1 });
    const body = { quantity: 2 };
    const refused = await server.rest('PUT', '/api/inventory/safe', { user: 'alice', body });
    expect(refused).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', productId: 'safe' } });
    expect(await server.rest('PUT', '/api/inventory/safe', { body })).toMatchObject({ status: 401 });
    for (const path of ['/api/inventory', '/api/inventory/safe']) {
      expect(await server.rest('GET', path)).toMatchObject({ status: 401 });
    }
    expect((await get('/safe')).body).toMatchObject({ quantity: 1, version: 1 });
    const admin = { user: 'root', roles: ['admin'], body };
    expect(await server.rest('PUT', '/api/inventory/safe', admin)).toMatchObject({ status: 200 });
  });

  test('[INVENTORY24] a body over 1 MiB is 413', async () => {
    const body = JSON.stringify({ quantity: 1, filler: 'x'.repeat(1024 * 1024) });
    expect(await putProduct(server, 'large', body)).toMatchObject({
      status: 413,
      body: { code: 'TOO_LARGE' },
    });
    expect((await get('/large')).status).toBe(404);
  });

  test('[INVENTORY25] products are listed by id, in pages', async () => {
    const ids = range(1, 25).map((number) => `z-${String(number).padStart(2, '0')}`);
    await Promise.all(ids.map((id) => putProduct(server, id, { quantity: 1, name: `Name of ${id}` })));
    const first = await get('?after=z&limit=10');
    expect(first.status).toBe(200);
    expect(idsOf(first)).toEqual(ids.slice(0, 10));
    expect((first.body as unknown[])[0]).toEqual({
      productId: 'z-01',
      name: 'Name of z-01',
      quantity: 1,
      version: 1,
      timestamp: isoTime,
    });
    expect(idsOf(await get('?after=z-10&limit=10000'))).toEqual(ids.slice(10));
    expect(idsOf(await get('?after=z-25'))).toEqual([]);
    expect(idsOf(await get(''))).toEqual(expect.arrayContaining(ids));
  });

  test.each(['0', '-1', '1.5', '10001', 'many', ''])('[INVENTORY26] limit=%s is 400', async (limit) => {
    expect(await get(`?limit=${limit}`)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  });

  test('[INVENTORY20] products outlive the server', async () => {
    const settings = layout.settings;
    const one = await startServer({ settings });
    await putProduct(one, 'kept', { quantity: 3, name: 'Kept' });
    await one.kill();
    const next = await one.restart();
    await putProduct(next, 'kept', { quantity: 4 });
    const { body } = await next.rest('GET', '/api/inventory/kept', service);
    expect(body).toMatchObject({ name: 'Kept', quantity: 4, version: 2 });
    await next.stop();
  });
});
