// The bench's histogram against sorting the values.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../bench/lib/histogram.ts';

const values = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 300 });
const percents = fc.double({ min: 0.1, max: 100, noNaN: true });

function exactPercentile(recorded: readonly number[], percent: number): number {
  const sorted = recorded.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? Number.NaN;
}

describe('histogram', () => {
  it('[BENCH1] gives every percentile at most 1 % too high and never too low', () => {
    fc.assert(
      fc.property(values, percents, (recorded, percent) => {
        const histogram = new Histogram();
        recorded.forEach((value) => histogram.record(value));
        const exact = exactPercentile(recorded, percent);
        const found = histogram.percentile(percent);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact * 1.01);
      }),
    );
  });

  it('[BENCH2] packed in parts and merged holds what one histogram would', () => {
    fc.assert(
      fc.property(values, values, percents, (left, right, percent) => {
        const merged = new Histogram();
        for (const part of [left, right]) {
          const histogram = new Histogram();
          part.forEach((value) => histogram.record(value));
          merged.merge(JSON.parse(JSON.stringify(histogram.pack())) as number[]);
        }
        const exact = exactPercentile([...left, ...right], percent);
        expect(merged.total).toBe(left.length + right.length);
        expect(merged.percentile(percent)).toBeGreaterThanOrEqual(exact);
        expect(merged.percentile(percent)).toBeLessThanOrEqual(exact * 1.01);
      }),
    );
  });

  it('[BENCH3] counts what is below zero as zero and has no percentile when empty', () => {
    const histogram = new Histogram();
    expect(histogram.percentile(50)).toBeNaN();
    histogram.record(-5);
    expect(histogram.percentile(100)).toBe(0);
  });
});
