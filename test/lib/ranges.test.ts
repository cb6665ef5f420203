// Ranges against a plain set.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isIn, runEnd, withNumber, type Ranges } from '../../src/lib/ranges.ts';

const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
const rangesOf = (values: readonly number[]): Ranges => values.reduce<Ranges>(withNumber, []);

test('[RANGES1] ranges hold exactly the numbers that were put in, whatever their order', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const ranges = rangesOf(values);
      const set = new Set(values);
      for (let value = 0; value <= 42; value += 1) expect(isIn(ranges, value)).toBe(set.has(value));
    }),
  );
});

test('[RANGES1] ranges ascend, and there are as few as can be', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const ranges = rangesOf(values);
      for (const [index, [from, to]] of ranges.entries()) {
        expect(from).toBeLessThanOrEqual(to);
        // A gap of at least one number lies between two.
        expect(from).toBeGreaterThan((ranges[index - 1]?.[1] ?? -1) + 1);
      }
    }),
  );
});

test('[RANGES2] a number that is in makes no new ranges, and the ones before a change stay as they were', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 40 }), (values, value) => {
      const before = rangesOf(values);
      const copy = structuredClone(before);
      const after = withNumber(before, value);
      expect(after === before).toBe(values.includes(value));
      expect(before).toEqual(copy);
    }),
  );
});

test('[RANGES3] a run ends before the first number that is not in', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 42 }), (values, from) => {
      let end = from - 1;
      while (values.includes(end + 1)) end += 1;
      expect(runEnd(rangesOf(values), from)).toBe(end);
    }),
  );
});
