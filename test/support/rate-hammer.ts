// A thread that takes messages of one user as fast as it can, and says how many were allowed.
import { parentPort, workerData } from 'node:worker_threads';
import { RateLimiter } from '../../src/edge/rate-limit.ts';
import type { RateLimit } from '../../src/edge/rate-limit.ts';

export interface RateHammerOrder {
  readonly table: SharedArrayBuffer;
  readonly limit: RateLimit;
  /** How many times threads have come to a step's beginning; each step begins when all are there. */
  readonly gate: SharedArrayBuffer;
  readonly threadCount: number;
  readonly steps: readonly RateHammerStep[];
}

/** At `atMs` each of the users is taken so many times. */
export interface RateHammerStep {
  readonly atMs: number;
  readonly users: readonly string[];
  readonly takes: number;
}

const order = workerData as RateHammerOrder;
const limiter = new RateLimiter(order.table, order.limit);
const gate = new Int32Array(order.gate);
const allowed: Record<string, number> = {};

function waitForAll(step: number): void {
  Atomics.add(gate, 0, 1);
  Atomics.notify(gate, 0);
  for (let come = 0; come < (step + 1) * order.threadCount; come = Atomics.load(gate, 0)) {
    Atomics.wait(gate, 0, come, 1);
  }
}

for (const [step, { atMs, users, takes }] of order.steps.entries()) {
  waitForAll(step);
  for (let take = 0; take < takes; take += 1) {
    for (const user of users) {
      if (limiter.take(user, atMs) === 0) allowed[user] = (allowed[user] ?? 0) + 1;
    }
  }
}
parentPort?.postMessage(allowed);
