import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateTable, parseRateLimit, RateLimiter } from '../../src/edge/rate-limit.ts';
import type { RateLimit } from '../../src/edge/rate-limit.ts';
import type { RateHammerOrder, RateHammerStep } from '../support/rate-hammer.ts';

/**
 * A token bucket as it is told: so many tokens, one more each interval. In whole microseconds, to be exact.
 */
class Bucket {
  readonly #intervalUs: number;
  readonly #fullUs: number;
  #levelUs: number;
  #atMs: number;

  constructor(limit: RateLimit, nowMs: number) {
    this.#intervalUs = Math.ceil((limit.perMs * 1_000) / limit.messages);
    this.#fullUs = this.#intervalUs * limit.messages;
    this.#levelUs = this.#fullUs;
    this.#atMs = nowMs;
  }

  take(nowMs: number): boolean {
    this.#levelUs = Math.min(this.#fullUs, this.#levelUs + (nowMs - this.#atMs) * 1_000);
    this.#atMs = nowMs;
    if (this.#levelUs < this.#intervalUs) return false;
    this.#levelUs -= this.#intervalUs;
    return true;
  }
}

const startMs = 1_800_000_000_000;
const limits = fc.record({
  messages: fc.integer({ min: 1, max: 40 }),
  perMs: fc.integer({ min: 1, max: 20_000 }),
});

test('[RATE1] a user may send a burst of the whole limit at once, and then one more each interval', () => {
  const limiter = new RateLimiter(createRateTable(), { messages: 30, perMs: 10_000 });
  for (let message = 0; message < 30; message += 1) expect(limiter.take('alice', startMs)).toBe(0);
  expect(limiter.take('alice', startMs)).toBe(334);
  expect(limiter.take('alice', startMs + 333)).toBe(1);
  expect(limiter.take('alice', startMs + 334)).toBe(0);
  expect(limiter.take('alice', startMs + 334)).toBeGreaterThan(0);
  expect(limiter.take('bob', startMs)).toBe(0);
});

test('[RATE1] it allows exactly what a token bucket of its own for each user allows', () => {
  const visits = fc.array(fc.record({ user: fc.nat({ max: 4 }), afterMs: fc.nat({ max: 3_000 }) }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(limits, visits, (limit, steps) => {
      const limiter = new RateLimiter(createRateTable(), limit);
      const buckets = Array.from({ length: 5 }, () => new Bucket(limit, startMs));
      let nowMs = startMs;
      for (const { user, afterMs } of steps) {
        // Most steps are short, so that buckets do run empty.
        nowMs += afterMs % 7 === 0 ? afterMs : afterMs % 20;
        expect(limiter.take(`user-${user}`, nowMs) === 0).toBe(buckets[user]?.take(nowMs));
      }
    }),
    { numRuns: 300 },
  );
});

test('[RATE2] a refusal says when to try again: then it is allowed, a millisecond sooner it is not', () => {
  fc.assert(
    fc.property(limits, fc.nat({ max: 200 }), (limit, stepMs) => {
      const limiter = new RateLimiter(createRateTable(64), limit);
      let nowMs = startMs;
      let retryAfterMs = 0;
      while (retryAfterMs === 0) {
        retryAfterMs = limiter.take('alice', nowMs);
        if (retryAfterMs === 0) nowMs += stepMs % 2;
        // A limit of more than one message in each ms is never reached at that pace.
        if (nowMs > startMs + 1_000) return;
      }
      expect(limiter.take('alice', nowMs + retryAfterMs - 1)).toBeGreaterThan(0);
      expect(limiter.take('alice', nowMs + retryAfterMs)).toBe(0);
    }),
  );
});

test('[RATE3] limiters over one table count together, as threads of one node do', () => {
  const table = createRateTable();
  const [one, two] = [1, 2].map(() => new RateLimiter(table, { messages: 4, perMs: 1_000 }));
  const allowed = [one, two, one, two, one, two].map((limiter) => limiter?.take('alice', startMs) === 0);
  expect(allowed).toEqual([true, true, true, true, false, false]);
});

/**
 * How many messages of each user were allowed, when each thread takes its own steps at the same time as the
 * other.
 */
async function hammer(
  table: SharedArrayBuffer,
  limit: RateLimit,
  stepsOfThreads: readonly (readonly RateHammerStep[])[],
): Promise<Map<string, number>> {
  const shared = { table, limit, gate: new SharedArrayBuffer(4), threadCount: stepsOfThreads.length };
  const threads = stepsOfThreads.map((steps) => {
    const workerData: RateHammerOrder = { ...shared, steps };
    return new Worker(new URL('../support/rate-hammer.js', import.meta.url), { workerData });
  });
  const sums = new Map<string, number>();
  for (const [allowed] of await Promise.all(threads.map((thread) => once(thread, 'message')))) {
    for (const [user, count] of Object.entries(allowed as Record<string, number>)) {
      sums.set(user, (sums.get(user) ?? 0) + count);
    }
  }
  await Promise.all(threads.map((thread) => thread.terminate()));
  return sums;
}

test('[RATE3] two threads that hammer one user are together allowed exactly the limit', async () => {
  const limit = { messages: 500_000, perMs: 300_000 };
  const users = ['alice'];
  // Long enough for both to be at it at once; 60 ms later 100 more have come.
  const steps = [
    { atMs: startMs, users, takes: 300_000 },
    { atMs: startMs + 60, users, takes: 1_000 },
  ];
  expect(await hammer(createRateTable(), limit, [steps, steps])).toEqual(new Map([['alice', 500_100]]));
});

test('[RATE3] users that two threads meet for the first time at once get one bucket each', async () => {
  const limit = { messages: 3, perMs: 1_000 };
  // Each step has new users and expired places, just enough of them, which the threads take in opposite
  // order.
  const steps = Array.from({ length: 1_000 }, (_, step) => ({
    atMs: startMs + step * 1_000,
    users: [1, 2, 3, 4, 5, 6].map((number) => `user-${step}-${number}`),
    takes: 4,
  }));
  const reversed = steps.map((step) => ({ ...step, users: step.users.toReversed() }));
  const sums = await hammer(createRateTable(8), limit, [steps, reversed]);
  expect([...sums].filter(([, allowed]) => allowed !== 3)).toEqual([]);
  expect(sums.size).toBe(6_000);
});

test('[RATE4] a full table makes way for new users; places of idle users are used again', () => {
  const limit = { messages: 5, perMs: 1_000 };
  const limiter = new RateLimiter(createRateTable(8), limit);
  for (let number = 0; number < 100; number += 1) {
    const user = `user-${number}`;
    const allowed = Array.from({ length: 8 }, () => limiter.take(user, startMs) === 0).filter(Boolean);
    expect(allowed, user).toHaveLength(5);
  }
  // Eight users fill it. When their buckets are full again eight others fit, and none pushes out another.
  const laterMs = startMs + 1_000;
  const users = Array.from({ length: 8 }, (_, number) => `later-${number}`);
  for (let take = 0; take < 5; take += 1) {
    for (const user of users) expect(limiter.take(user, laterMs)).toBe(0);
  }
  for (const user of users) expect(limiter.take(user, laterMs)).toBeGreaterThan(0);
});

test('[RATE4] a clock that steps back by an hour holds a user up for one interval, not for the hour', () => {
  const limiter = new RateLimiter(createRateTable(), { messages: 2, perMs: 1_000 });
  limiter.take('alice', startMs);
  const nowMs = startMs - 3_600_000;
  expect(limiter.take('alice', nowMs)).toBe(500);
  expect(limiter.take('alice', nowMs + 500)).toBe(0);
  expect(limiter.take('alice', nowMs + 500)).toBeGreaterThan(0);
});

test('[RATE4] a thread whose time is a little behind gives nobody more than the limit', () => {
  const table = createRateTable();
  const limit = { messages: 10, perMs: 100 };
  const [ahead, behind] = [new RateLimiter(table, limit), new RateLimiter(table, limit)];
  let allowed = 0;
  for (let nowMs = startMs; nowMs < startMs + 1_000; nowMs += 1) {
    if (ahead.take('alice', nowMs) === 0) allowed += 1;
    if (behind.take('alice', nowMs - 9) === 0) allowed += 1;
  }
  expect(allowed).toBeLessThanOrEqual(10 + 100);
});

test('[RATE5] a limit is written messages/duration, or off', () => {
  expect(parseRateLimit('30/10s')).toEqual({ messages: 30, perMs: 10_000 });
  expect(parseRateLimit('100/1m')).toEqual({ messages: 100, perMs: 60_000 });
  expect(parseRateLimit('5/500')).toEqual({ messages: 5, perMs: 500 });
  expect(parseRateLimit('off')).toBeNull();
  for (const text of [
    '',
    '30',
    '30/',
    '/10s',
    '30/10s/1',
    '-1/1s',
    '1.5/1s',
    '30 / 10s',
    'on',
    'OFF',
    '3/1y',
    '0/1s',
    '1/0s',
    '1/25h',
    '2000000/1s',
  ]) {
    expect(() => parseRateLimit(text), text).toThrow(/rate limit|duration/);
  }
});

test('[RATE5] a table of a size that makes no sense is refused', () => {
  expect(createRateTable().byteLength).toBe(65_536 * 12);
  for (const entries of [0, 4, 100, 8.5, 2 ** 22, Number.NaN])
    expect(() => createRateTable(entries)).toThrow(RangeError);
});
