// How often operations of a document go, and how seldom a cursor is told.
import { expect, test } from 'vitest';
import { Pace } from '../../src/client/pace.ts';

test('[CLIENT67] the first operation goes at once, those of one edit together, and the next when each has had its time', () => {
  const pace = new Pace();
  expect(pace.take(1, 1_000)).toBe(0);
  expect(pace.take(1, 1_100)).toBe(400);
  expect(pace.take(2, 1_500)).toBe(0);
  expect(pace.take(1, 1_510)).toBe(0);
  expect(pace.take(1, 1_520)).toBe(980);
  for (let count = 100; count > 92; count -= 1) expect(pace.take(count, 3_000)).toBe(0);
  expect(pace.take(92, 3_000)).toBe(4_000);
  expect(pace.take(2, 7_000)).toBe(0);
  pace.rest();
  expect(pace.take(1, 7_000)).toBe(500);
});
