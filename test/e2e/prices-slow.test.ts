// A viewer that can't keep up: it gets the newest values when it reads on, and not what they were meanwhile.
import { expect, test } from 'vitest';
import { postTicks, pricesOf, toldPrice } from '../support/prices.ts';
import { startServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const all = '/topic/prices';
const symbolCount = 5_000;
/** Of some 600 KB each: several times what the kernel takes in for a socket that is not read. */
const rounds = 50;
const timeoutMs = 120_000;

test.each([
  ['one shard', '1'],
  ['two shards', '2'],
])(
  '[PRICE19] %s: a viewer that stops reading stays, and reads the newest value of each symbol, not a backlog',
  async (_name, shards) => {
    const server = await startServer({ settings: { priceIntervalMs: '50ms', shards, edges: '1' } });
    const symbols = Array.from({ length: symbolCount }, (_none, index) => `S${index}`);
    const fast = await connectStomp(server, { user: 'fast' });
    const slow = await connectStomp(server, { user: 'slow' });
    for (const viewer of [fast, slow]) await viewer.subscribe(all);
    slow.pause();
    for (let round = 1; round <= rounds; round += 1) {
      const price = String(round);
      await postTicks(server, Object.fromEntries(symbols.map((symbol) => [symbol, price])));
      await toldPrice(fast, all, [symbols.at(-1) ?? '', price]);
    }
    slow.readOn();
    const newest = new Map<string, number>();
    let looked = 0;
    const isUpToDate = (): boolean => {
      const messages = slow.received(all);
      for (const { body } of messages.slice(looked)) {
        for (const { symbol, price } of pricesOf([body])) {
          // Never an older one after a newer one.
          expect(Number(price)).toBeGreaterThanOrEqual(newest.get(symbol) ?? 0);
          newest.set(symbol, Number(price));
        }
      }
      looked = messages.length;
      return symbols.every((symbol) => newest.get(symbol) === rounds);
    };
    await slow.waitFor(isUpToDate, 'the newest value of each symbol');
    const bytesOf = (bodies: readonly { body: string }[]): number =>
      bodies.reduce((sum, { body }) => sum + body.length, 0);
    expect(bytesOf(slow.received(all))).toBeLessThan(bytesOf(fast.received(all)) / 2);
    // It is a viewer like any other again.
    await postTicks(server, { S7: '999' });
    await toldPrice(slow, all, ['S7', '999']);
    await slow.disconnect();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  timeoutMs,
);
