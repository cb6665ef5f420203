// What the price book takes.
import fc from 'fast-check';
import type { PriceRow } from '../../src/storage/tables.ts';
import type { CommandSample, KindSamples } from './kind.contract.ts';

const symbol = fc.constantFrom('AAPL', 'BRK.B', 'öl', '__proto__', '😀');
const price = fc.oneof(fc.constantFrom('0', '1.50', '99999999999999999999.999999999999'), fc.nat(1_000));
const tick = fc.record({ symbol, price, volume: fc.nat() }, { requiredKeys: ['symbol', 'price'] });
const service = fc.constant(['service']);

export const pricesSamples: KindSamples = {
  id: '',
  setup: fc
    .array(tick, { minLength: 1, maxLength: 5 })
    .map((json) => [['ticks', { roles: ['service'], json }]]),
  commands: {
    ticks: fc.record({
      roles: service,
      json: fc.oneof(tick, fc.array(tick, { minLength: 1, maxLength: 9 })),
    }),
    list: fc.record<CommandSample>({ params: fc.constantFrom({}, { symbols: 'AAPL,öl,nothing' }) }),
    watch: fc.record({
      json: fc.record({ user: fc.constantFrom('alice', 'bob'), symbols: fc.array(symbol, { maxLength: 4 }) }),
    }),
  },
  streams: {
    all: { user: 'alice' },
    symbol: { user: 'alice', params: { symbol: 'AAPL' } },
  },
  durable: ({ quotes }: { quotes: ReadonlyMap<string, PriceRow & { updatedAt: number }> }) =>
    [...quotes.values()]
      .map((quote) => [quote.symbol, quote.price, quote.open, quote.day, quote.volume, quote.updatedAt])
      .toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
};
