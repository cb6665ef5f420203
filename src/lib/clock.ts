// The one home of time. Everything else is handed a Clock, so that tests can hold it still.

// Each thread counts from its own start.
const startedMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds since some moment, the same for all threads of the process; unlike wall time it never steps back, and it
 * knows fractions.
 */
export const monotonicMs = (): number => startedMs + performance.now();

/** A pending call that can be called off. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in milliseconds since 1970. */
  now(): number;
  /** Calls `task` once, `delayMs` from now. Does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
  /** Calls `task` every `intervalMs`. Does not keep the process alive. */
  every(intervalMs: number, task: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(intervalMs, task) {
    const handle = setInterval(task, intervalMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};
