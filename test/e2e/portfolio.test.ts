// A user's portfolio: put over REST, valued at the last known prices, told as they move.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { postTicks } from '../support/prices.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, type ReceivedFrame, type TestClient } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const queue = '/user/queue/portfolio';
const path = '/api/portfolio';

/** Waits for a portfolio that is worth this. */
function worth(client: TestClient, totalValue: string): Promise<ReceivedFrame> {
  return client.waitFor(
    (frame) => frame.headers['destination'] === queue && parse(frame)['totalValue'] === totalValue,
    `a portfolio worth ${totalValue}`,
  );
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: { ...layout.settings, priceIntervalMs: '50ms' } });
  });

  test('[PORTFOLIO1] what was put is shown at the last known prices', async () => {
    const empty = { holdings: [], positions: [], totalValue: '0', timestamp: isoTime };
    expect(await server.rest('GET', path, { user: 'new' })).toMatchObject({ status: 200, body: empty });
    await postTicks(server, { 'one.A': '0.1', 'one.B': '10.50' });
    const holdings = [
      { symbol: 'one.A', quantity: '3' },
      { symbol: 'one.B', quantity: 2 },
      { symbol: 'one.C', quantity: '1.00' },
    ];
    const put = await server.rest('PUT', path, { user: 'one', body: { holdings } });
    const shown = {
      holdings: holdings.map(({ symbol, quantity }) => ({ symbol, quantity: String(quantity) })),
      positions: [
        { symbol: 'one.A', quantity: '3', price: '0.1', value: '0.3' },
        { symbol: 'one.B', quantity: '2', price: '10.50', value: '21' },
        { symbol: 'one.C', quantity: '1.00', price: null, value: null },
      ],
      totalValue: '21.3',
      timestamp: isoTime,
    };
    expect(put).toMatchObject({ status: 200, body: shown });
    expect((await server.rest('GET', path, { user: 'one' })).body).toEqual(shown);
    expect((await server.rest('GET', path, { user: 'other' })).body).toEqual(empty);
    const again = await server.rest('PUT', path, { user: 'one', body: { holdings: [] } });
    expect(again.body).toEqual(empty);
  });

  test.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['no UTF-8', Buffer.from('{"holdings":[{"symbol":"\xff","quantity":"1"}]}', 'latin1')],
    ['a list', '[]'],
    ['no holdings', {}],
    ['a symbol twice', { holdings: ['1', '2'].map((quantity) => ({ symbol: 'A', quantity })) }],
    ['a quantity below zero', { holdings: [{ symbol: 'A', quantity: '-1' }] }],
    ['a rounded quantity', '{"holdings":[{"symbol":"A","quantity":0.12345678901234567}]}'],
    ['no quantity', { holdings: [{ symbol: 'A' }] }],
    [
      'too many holdings',
      { holdings: Array.from({ length: 1_001 }, (_none, index) => ({ symbol: `S${index}`, quantity: 1 })) },
    ],
  ])('[PORTFOLIO2] a portfolio of a wrong shape is BAD_REQUEST: %s', async (_what, body) => {
    await server.rest('PUT', path, { user: 'careful', body: { holdings: [{ symbol: 'X', quantity: '1' }] } });
    const answer = await server.rest('PUT', path, { user: 'careful', body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    const { body: kept } = await server.rest('GET', path, { user: 'careful' });
    expect(kept).toMatchObject({ holdings: [{ symbol: 'X', quantity: '1' }] });
  });

  test('[PORTFOLIO2] a portfolio over 1 MiB is TOO_LARGE, and one needs a token', async () => {
    const body = `{"holdings":[]${' '.repeat(1024 * 1024)}}`;
    const large = await server.rest('PUT', path, { user: 'alice', body });
    expect(large).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    for (const method of ['GET', 'PUT']) {
      const unknown = await server.rest(method, path, method === 'PUT' ? { body: { holdings: [] } } : {});
      expect(unknown).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    }
  });

  test('[PORTFOLIO4] all sessions of the user are told at once, after a change, and as prices move', async () => {
    await postTicks(server, { 'four.A': '2', 'four.B': '1' });
    const body = { holdings: [{ symbol: 'four.A', quantity: '10' }] };
    await server.rest('PUT', path, { user: 'four', body });
    const sessions = await connectOnEveryEdge(server, layout, { user: 'four' });
    const stranger = await connectStomp(server, { user: 'fourth' });
    for (const client of [...sessions, stranger]) await client.subscribe(queue);
    for (const session of sessions) {
      const [first] = await session.messages(queue, 1);
      expect(parse(first as ReceivedFrame)).toEqual({
        positions: [{ symbol: 'four.A', quantity: '10', price: '2', value: '20' }],
        totalValue: '20',
        timestamp: isoTime,
      });
    }
    await postTicks(server, { 'four.A': '2.5', 'four.B': '7' });
    for (const session of sessions) await worth(session, '25');
    const more = { holdings: [...body.holdings, { symbol: 'four.B', quantity: '0.1' }] };
    await server.rest('PUT', path, { user: 'four', body: more });
    for (const session of sessions) await worth(session, '25.7');
    await postTicks(server, { 'four.B': '8' });
    for (const session of sessions) await worth(session, '25.8');
    await stranger.messages(queue, 1);
    expect(stranger.received(queue).map((frame) => parse(frame)['totalValue'])).toEqual(['0']);
    const refusal = { code: 'FORBIDDEN' };
    await expect(stranger.send('/user/four/queue/portfolio', '{}')).rejects.toMatchObject({ refusal });
  });
});

test.each([['SIGTERM'], ['SIGKILL']] as const)(
  '[PORTFOLIO3] %s keeps the portfolio, and it is shown at the prices of before',
  async (signal) => {
    let server = await startServer();
    const body = { holdings: [{ symbol: 'A', quantity: '3' }] };
    await server.rest('PUT', path, { user: 'alice', body });
    await postTicks(server, { A: '1.50' });
    await server.stop(signal);
    server = await server.restart();
    const shown = {
      positions: [{ symbol: 'A', quantity: '3', price: '1.50', value: '4.5' }],
      totalValue: '4.5',
    };
    expect(await server.rest('GET', path, { user: 'alice' })).toMatchObject({ status: 200, body: shown });
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(queue);
    const [first] = await alice.messages(queue, 1);
    expect(parse(first as ReceivedFrame)).toMatchObject(shown);
  },
);

test('[PORTFOLIO4] what is told after a change counts prices that wait for the end of their interval', async () => {
  const server = await startServer({ settings: { priceIntervalMs: '60s' } });
  const alice = await connectStomp(server, { user: 'alice' });
  await alice.subscribe(queue);
  await postTicks(server, { A: '1' });
  await postTicks(server, { A: '2', B: '3' });
  const holdings = ['A', 'B', 'C'].map((symbol) => ({ symbol, quantity: '1' }));
  await server.rest('PUT', path, { user: 'alice', body: { holdings } });
  const [, told] = await alice.messages(queue, 2);
  expect(parse(told as ReceivedFrame)).toMatchObject({
    positions: [{ price: '2' }, { price: '3' }, { symbol: 'C', price: null, value: null }],
    totalValue: '5',
  });
});
