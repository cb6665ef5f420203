// What a user's portfolio takes.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

const symbol = fc.constantFrom('AAPL', 'BRK.B', 'öl', '__proto__', '😀');
const decimal = fc.constantFrom('0', '1.50', '3', '99999999999999999999.999999999999');
const user = fc.constant('alice');
const holdings = fc.uniqueArray(fc.record({ symbol, quantity: fc.oneof(decimal, fc.nat(1_000)) }), {
  selector: (holding) => holding.symbol,
});

export const portfolioSamples: KindSamples = {
  id: 'alice',
  setup: holdings.map((some) => [['put', { user: 'alice', json: { holdings: some } }]]),
  commands: {
    put: fc.record({ user, json: fc.record({ holdings }) }),
    get: fc.record({ user }),
    moved: fc.record({
      json: fc.record({
        prices: fc.array(fc.tuple(symbol, decimal), { maxLength: 5 }),
        lease: fc.constantFrom('begins', 'goes on', 'ended'),
      }),
    }),
  },
  streams: { positions: { user: 'alice' } },
  // Prices are the price book's.
  durable: ({ positions }: { positions: ReadonlyMap<string, { quantity: string }> }) =>
    [...positions].map(([name, { quantity }]) => [name, quantity]),
};
