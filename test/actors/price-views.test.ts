// Ticks are read by hand: the schema that describes them must take the same.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeTicks } from '../../src/actors/kinds/price-views.ts';
import { Refusal } from '../../src/errors.ts';
import { exactNumbers } from '../../src/lib/decimal.ts';

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'x'.repeat(33),
    '😀'.repeat(32),
    '😀'.repeat(33),
    'A B',
    'a/b',
    '\u200b',
    '1e5',
    '-1',
    '',
    '01',
  ),
  fc.constantFrom(2 ** 53, -1, 0.1, 1e-7, 1e21, 0),
);
const symbol = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('A', 'öl', '😀', 'BRK.B') }, odd);
const price = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('1.50', '0', 7, 0.25) }, odd);
const volume = fc.oneof({ weight: 5, arbitrary: fc.nat() }, odd);
const tick = fc.record({ symbol, price, volume, other: odd }, { requiredKeys: ['symbol', 'price'] });
const body = fc.oneof(
  { weight: 8, arbitrary: fc.array(tick, { maxLength: 4 }) },
  { weight: 2, arbitrary: tick },
  fc.jsonValue({ maxDepth: 2 }),
);

test('[PRICE8] the description of ticks takes what is taken, and nothing else', () => {
  fc.assert(
    fc.property(body, (value) => {
      const text = JSON.stringify(value);
      let taken = true;
      try {
        decodeTicks({ bytes: Buffer.from(text), isText: true, headers: null });
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Refusal);
        taken = false;
      }
      expect(decodeTicks.schema?.safeParse(JSON.parse(exactNumbers(text))).success).toBe(taken);
    }),
    { numRuns: 2_000 },
  );
});
