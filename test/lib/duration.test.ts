import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDuration } from '../../src/lib/duration.ts';

test('[DURATION1] a whole number with ms, s, m, h, d or nothing (ms) is a duration', () => {
  expect(parseDuration('1500')).toBe(1_500);
  expect(parseDuration('500ms')).toBe(500);
  expect(parseDuration('90s')).toBe(90_000);
  expect(parseDuration('10m')).toBe(600_000);
  expect(parseDuration('24h')).toBe(86_400_000);
  expect(parseDuration('7d')).toBe(604_800_000);
  expect(parseDuration('0')).toBe(0);
});

test('[DURATION2] anything else is refused with a message that shows how to write one', () => {
  for (const text of [
    '',
    's',
    '-1s',
    '1.5h',
    '10 m',
    '5min',
    '1e3',
    '10S',
    ' 5',
    '0x10',
    '9'.repeat(20),
    '９s',
  ]) {
    expect(() => parseDuration(text), text).toThrow(/is not a duration; write one like 500ms, 90s, 10m/);
  }
  expect(() => parseDuration('x'.repeat(10_000))).toThrow(/^.{1,120}$/);
});

test('[DURATION2] no text gives anything but a whole number of milliseconds or an error', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{0,17}(ms|s|m|h|d|x)?$/), (text) => {
      let durationMs: number;
      try {
        durationMs = parseDuration(text);
      } catch (error) {
        return error instanceof Error;
      }
      return Number.isSafeInteger(durationMs) && durationMs >= 0;
    }),
  );
});
