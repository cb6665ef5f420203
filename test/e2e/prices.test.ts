// Prices as services and viewers meet them: ticks in by REST and STOMP, the newest value of each symbol out.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { pairsOf, postTicks, pricesOf, toldPrice } from '../support/prices.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const ticksPath = '/api/prices/ticks';
const service = { user: 'feed', roles: ['service'] };

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: { ...layout.settings, priceIntervalMs: '50ms' } });
  });

  const listed = async (symbols: string): Promise<unknown> => {
    const path = `/api/prices?symbols=${encodeURIComponent(symbols)}`;
    const { status, body } = await server.rest('GET', path, { user: 'alice' });
    expect(status).toBe(200);
    return body;
  };

  test('[PRICE14] ticks of a service are answered with their number, and are listed', async () => {
    const body = [
      { symbol: 'L.1', price: '10.50', volume: 7 },
      { symbol: 'L.2', price: 0.25 },
      { symbol: 'L.1', price: '9.45' },
    ];
    const answer = await server.rest('POST', ticksPath, { ...service, body });
    expect(answer).toMatchObject({ status: 200, body: { applied: 3 } });
    const one = await server.rest('POST', ticksPath, { ...service, body: { symbol: 'L.3', price: '0' } });
    expect(one).toMatchObject({ status: 200, body: { applied: 1 } });
    expect(await listed('L.2,L.1,unknown')).toEqual([
      { symbol: 'L.2', price: '0.25', change: '0', changePercent: '0', volume: 0, timestamp: isoTime },
      { symbol: 'L.1', price: '9.45', change: '-1.05', changePercent: '-10', volume: 7, timestamp: isoTime },
    ]);
    const { body: all } = await server.rest('GET', '/api/prices', { user: 'alice' });
    const symbols = (all as { symbol: string }[]).map(({ symbol }) => symbol);
    expect(symbols).toEqual(expect.arrayContaining(['L.1', 'L.2', 'L.3']));
    expect(symbols).toEqual(symbols.toSorted());
    expect(await listed('')).toEqual([]);
  });

  test('[PRICE14] ticks can be sent over STOMP', async () => {
    const feed = await connectStomp(server, service);
    await feed.send('/app/price.tick', [{ symbol: 'stomp', price: '1' }]);
    expect(await listed('stomp')).toMatchObject([{ symbol: 'stomp', price: '1' }]);
    await expect(feed.send('/app/price.tick', [{ symbol: 'stomp', price: '-1' }])).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST', index: 0 },
    });
  });

  test('[PRICE10] only services send ticks, and nobody without a token sees prices', async () => {
    const body = [{ symbol: 'denied', price: '1' }];
    for (const roles of [[], ['other']]) {
      const answer = await server.rest('POST', ticksPath, { user: 'eve', roles, body });
      expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
    const eve = await connectStomp(server, { user: 'eve' });
    await expect(eve.send('/app/price.tick', body)).rejects.toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    for (const destination of ['/topic/prices', '/topic/prices.denied']) {
      await expect(eve.send(destination, body)).rejects.toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    }
    expect(await server.rest('POST', ticksPath, { body })).toMatchObject({ status: 401 });
    expect(await server.rest('GET', '/api/prices')).toMatchObject({ status: 401 });
    expect(await listed('denied')).toEqual([]);
    expect(await server.rest('POST', ticksPath, { user: 'root', roles: ['admin'], body })).toMatchObject({
      status: 200,
    });
  });

  test.each([
    ['no JSON', 'hello', undefined],
    ['nothing', '', undefined],
    ['no UTF-8', Buffer.from('[{"symbol":"\xff","price":"1"}]', 'latin1'), undefined],
    ['an empty list', '[]', undefined],
    ['a number', '17', 0],
    ['lists in lists', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 0],
    ['a bad one after a good one', '[{"symbol":"bad","price":"1"},{"symbol":"bad","price":"1e5"}]', 1],
    ['a rounded number', '{"symbol":"bad","price":12345678.123456789}', 0],
  ])('[PRICE8] a list with anything wrong is refused whole: %s', async (_what, body, index) => {
    const answer = await server.rest('POST', ticksPath, { ...service, body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect((answer.body as { index?: number }).index).toBe(index);
    expect(await listed('bad')).toEqual([]);
  });

  test('[PRICE15] a list may have 8 MiB and no more', async () => {
    const list = '[{"symbol":"large","price":"1"}]';
    const padded = list.padEnd(8 * 1024 * 1024, ' ');
    expect(await server.rest('POST', ticksPath, { ...service, body: padded })).toMatchObject({ status: 200 });
    const answer = await server.rest('POST', ticksPath, { ...service, body: `${padded} ` });
    expect(answer).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
  });

  test('[PRICE5] a subscription gets the last known values at once, then what moves', async () => {
    await postTicks(server, { 'sub.1': '1', 'sub.2': '2' });
    const viewers = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const [index, viewer] of viewers.entries()) {
      const unknown = `unknown.${index}`;
      await viewer.subscribe('/topic/prices', { id: 'all' });
      await viewer.subscribe('/topic/prices.sub.2', { id: 'one' });
      const [first] = await viewer.messages('/topic/prices', 1);
      expect(first?.headers['subscription']).toBe('all');
      expect(pairsOf([first?.body ?? ''])).toEqual(
        expect.arrayContaining([
          ['sub.1', '1'],
          ['sub.2', '2'],
        ]),
      );
      const [alone] = await viewer.messages('/topic/prices.sub.2', 1);
      expect(parse(alone as never)).toEqual({
        symbol: 'sub.2',
        price: '2',
        change: '0',
        changePercent: '0',
        volume: 0,
        timestamp: isoTime,
      });
      await viewer.subscribe(`/topic/prices.${unknown}`);
      await postTicks(server, { 'sub.2': '3', [unknown]: '4' });
      await toldPrice(viewer, '/topic/prices', ['sub.2', '3']);
      await toldPrice(viewer, '/topic/prices.sub.2', ['sub.2', '3']);
      const [known] = await viewer.messages(`/topic/prices.${unknown}`, 1);
      expect(pairsOf([known?.body ?? ''])).toEqual([[unknown, '4']]);
      const own = viewer.received('/topic/prices.sub.2').map(({ body }) => body);
      expect(new Set(pricesOf(own).map(({ symbol }) => symbol))).toEqual(new Set(['sub.2']));
      await postTicks(server, { 'sub.2': '2' });
      await viewer.disconnect();
    }
  });

  test('[PRICE16] wildcards do not show prices', async () => {
    const viewer = await connectStomp(server, { user: 'alice' });
    await viewer.subscribe('/topic/*', { id: 'wild' });
    await viewer.subscribe('/topic/prices', { id: 'prices' });
    await postTicks(server, { wild: '1' });
    await toldPrice(viewer, '/topic/prices', ['wild', '1']);
    await viewer.send('/topic/plain', 'end');
    await viewer.waitFor(({ body }) => body === 'end');
    const shown = viewer.frames.filter(({ headers }) => headers['subscription'] === 'wild');
    expect(shown.map(({ body }) => body)).toEqual(['end']);
  });
});

describe('a restart', () => {
  test.each([['SIGTERM'], ['SIGKILL']] as const)('[PRICE12] %s keeps the last values', async (signal) => {
    let server = await startServer();
    const viewer = await connectStomp(server, { user: 'alice' });
    await viewer.subscribe('/topic/prices');
    await postTicks(server, { A: '4', B: '5' });
    await toldPrice(viewer, '/topic/prices', ['B', '5']);
    await postTicks(server, { A: '5.00' });
    // A stop stores what waits for its flush; a crash may lose that, but nothing that anyone has seen.
    if (signal === 'SIGKILL') await toldPrice(viewer, '/topic/prices', ['A', '5.00']);
    const before = (await server.rest('GET', '/api/prices', { user: 'alice' })).body;
    await server.stop(signal);
    server = await server.restart();
    expect((await server.rest('GET', '/api/prices', { user: 'alice' })).body).toEqual(before);
    const again = await connectStomp(server, { user: 'alice' });
    await again.subscribe('/topic/prices');
    const [message] = await again.messages('/topic/prices', 1);
    expect(
      pricesOf([message?.body ?? '']).map(({ symbol, price, change }) => [symbol, price, change]),
    ).toEqual(
      expect.arrayContaining([
        ['A', '5.00', '1'],
        ['B', '5', '0'],
      ]),
    );
  });
});
