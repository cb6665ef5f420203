// Prices as services send them and viewers see them.
import { expect } from 'vitest';
import type { TestServer } from './server.ts';
import type { TestClient } from './stomp.ts';

export interface Price {
  readonly symbol: string;
  readonly price: string;
  readonly change: string;
  readonly changePercent: string;
  readonly volume: number;
  readonly timestamp: string;
}

/** The prices of messages, in order; a message is a list or one alone. */
export function pricesOf(bodies: readonly string[]): Price[] {
  return bodies.flatMap((body) => JSON.parse(body) as Price | Price[]);
}

/** `[symbol, price]` of each. */
export function pairsOf(bodies: readonly string[]): [symbol: string, price: string][] {
  return pricesOf(bodies).map(({ symbol, price }) => [symbol, price]);
}

/** Sends ticks over REST as a service does. */
export async function postTicks(server: TestServer, prices: Readonly<Record<string, string>>): Promise<void> {
  const body = Object.entries(prices).map(([symbol, price]) => ({ symbol, price }));
  const answer = await server.rest('POST', '/api/prices/ticks', { user: 'feed', roles: ['service'], body });
  expect(answer).toMatchObject({ status: 200, body: { applied: body.length } });
}

/** Waits until a viewer of `/topic/prices` or of a symbol has been told this price. */
export async function toldPrice(
  client: TestClient,
  destination: string,
  [symbol, price]: readonly [symbol: string, price: string],
): Promise<void> {
  const text = `"symbol":${JSON.stringify(symbol)},"price":"${price}"`;
  const tells = ({ headers, body }: { headers: Readonly<Record<string, string>>; body: string }): boolean =>
    headers['destination'] === destination && body.includes(text);
  await client.waitFor(tells, `${symbol} at ${price}`);
}
