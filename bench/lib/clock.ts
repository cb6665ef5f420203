// The bench's one home of time: a monotonic clock that all processes of a run share, pauses, and time limits.
import { hrtime } from 'node:process';
import { performance } from 'node:perf_hooks';

// `performance.now()` is several times cheaper than `hrtime.bigint()` but starts at zero in each process.
const offsetUs = Number(hrtime.bigint()) / 1_000 - performance.now() * 1_000;

/** Microseconds of the machine's monotonic clock: the same in every process, so latency can cross processes. */
export function nowUs(): number {
  return performance.now() * 1_000 + offsetUs;
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves once `nowUs()` has reached `instantUs`; at once when it already has. */
export async function sleepUntil(instantUs: number): Promise<void> {
  const leftMs = Math.ceil((instantUs - nowUs()) / 1_000);
  if (leftMs > 0) {
    await sleep(leftMs);
  }
}

/** Calls `task` once after `delayMs`, unless the returned function is called before. */
export function after(delayMs: number, task: () => void): () => void {
  const handle = setTimeout(task, delayMs);
  return () => clearTimeout(handle);
}

/** Calls `task` about every `intervalMs` until the returned function is called. */
export function repeat(intervalMs: number, task: () => void): () => void {
  const handle = setInterval(task, intervalMs);
  return () => clearInterval(handle);
}

/** The promise's own outcome, or an error naming `what` when `limitMs` pass first. */
export function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const handle = setTimeout(
      () => reject(new Error(`${what} took longer than ${limitMs / 1_000} s`)),
      limitMs,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(handle));
  });
}

/** The time of day in ISO-8601, UTC. */
export function wallTime(): string {
  return new Date().toISOString();
}

/** Whole seconds since 1970, as tokens count time. */
export function wallSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
