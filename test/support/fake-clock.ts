// Time that stands still until a test moves it.
import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Due {
  atMs: number;
  /** Of two at the same time the one set earlier comes first. */
  readonly order: number;
  readonly everyMs: number | null;
  readonly task: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  #count = 0;
  readonly #due = new Set<Due>();

  constructor(startMs = Date.parse('2031-05-06T07:08:09.000Z')) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add(delayMs, null, task);
  }

  every(intervalMs: number, task: () => void): Timer {
    return this.#add(intervalMs, intervalMs, task);
  }

  /** Moves on, and calls what comes due on the way at its own time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let due = this.#first(untilMs); due; due = this.#first(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      if (due.everyMs === null) this.#due.delete(due);
      else due.atMs += due.everyMs;
      due.task();
    }
    this.#nowMs = untilMs;
  }

  /** Moves on while nothing can be called, as in a thread that is blocked. */
  skip(byMs: number): void {
    this.#nowMs += byMs;
  }

  #add(delayMs: number, everyMs: number | null, task: () => void): Timer {
    this.#count += 1;
    const due: Due = { atMs: this.#nowMs + delayMs, order: this.#count, everyMs, task };
    this.#due.add(due);
    return { cancel: () => void this.#due.delete(due) };
  }

  #first(untilMs: number): Due | undefined {
    const found = [...this.#due].filter(({ atMs }) => atMs <= untilMs);
    return found.toSorted((one, other) => one.atMs - other.atMs || one.order - other.order)[0];
  }
}
