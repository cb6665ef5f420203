// Ticks as a stream of JSON lines: applied as they come, up to the first bad line.
import { describe, expect, test } from 'vitest';
import { startServer } from '../support/server.ts';

const service = { user: 'feed', roles: ['service'], headers: { 'content-type': 'application/x-ndjson' } };

describe.concurrent('JSON lines', () => {
  test('[PRICE17] a stream of any length is applied whole', async () => {
    const server = await startServer();
    const count = 200_000;
    const lines = Array.from(
      { length: count },
      (_none, index) => `{"symbol":"S${index % 100}","price":${index}}\n`,
    );
    const body = lines.join('');
    const answer = await server.rest('POST', '/api/prices/ticks', { ...service, body });
    expect(answer).toMatchObject({ status: 200, body: { applied: count } });
    const { body: prices } = await server.rest('GET', '/api/prices?symbols=S0,S99', { user: 'alice' });
    expect(prices).toMatchObject([
      { symbol: 'S0', price: String(count - 100) },
      { symbol: 'S99', price: String(count - 1) },
    ]);
  });

  test.each([
    ['no JSON', 'hello'],
    ['a bad price', '{"symbol":"A","price":"x"}'],
    ['a rounded price', '{"symbol":"A","price":0.12345678901234567}'],
    ['a list', '[{"symbol":"A","price":"9"}]'],
    ['two in a line', '{"symbol":"A","price":"9"},{"symbol":"A","price":"9"}'],
  ])('[PRICE18] it stops at the first bad line, and says which: %s', async (_what, bad) => {
    const server = await startServer();
    const good = Array.from({ length: 2_500 }, (_none, index) => `{"symbol":"A","price":"${index + 1}"}`);
    const body = [...good, bad, '{"symbol":"A","price":"9"}', ''].join('\n');
    const answer = await server.rest('POST', '/api/prices/ticks', { ...service, body });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST', line: 2_501, applied: 2_500 },
    });
    const { body: prices } = await server.rest('GET', '/api/prices', { user: 'alice' });
    expect(prices).toMatchObject([{ symbol: 'A', price: '2500' }]);
  });

  test('[PRICE10] lines of somebody who is no service are refused', async () => {
    const server = await startServer();
    const body = '{"symbol":"A","price":"1"}\n';
    const answer = await server.rest('POST', '/api/prices/ticks', { ...service, roles: [], body });
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect((await server.rest('GET', '/api/prices', { user: 'alice' })).body).toEqual([]);
  });
});
