// What an operator reads of a time without the database: one line when it begins and one when it is over, whatever is
// asked and fails meanwhile.
import type { Logger } from 'pino';
import type { Clock, Timer } from '../lib/clock.ts';

export interface OutageOptions {
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly log: Logger;
}

/** One that works for less than this between two failures was not back. */
const steadyMs = 1_000;

interface Current {
  readonly sinceMs: number;
  failedCommits: number;
  failedQueries: number;
  /** Runs while the database works. */
  steady: Timer | null;
}

export class Outage {
  readonly #options: OutageOptions;
  #current: Current | null = null;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#current === null;
  }

  /** @param sinceMs when what shows it was asked for. */
  away(reason: string, sinceMs: number): void {
    if (this.#current) {
      this.#current.steady?.cancel();
      this.#current.steady = null;
      return;
    }
    this.#current = { sinceMs, failedCommits: 0, failedQueries: 0, steady: null };
    this.#options.log.error({ reason }, 'the database is away');
  }

  /** Counts what fails meanwhile. */
  failed(use: 'commit' | 'query'): void {
    if (!this.#current) return;
    if (use === 'commit') this.#current.failedCommits += 1;
    else this.#current.failedQueries += 1;
  }

  /** The database can be used. */
  well(): void {
    const current = this.#current;
    if (!current || current.steady) return;
    const { clock, monotonicMs, log } = this.#options;
    const { sinceMs } = current;
    const awayMs = Math.round(monotonicMs() - sinceMs);
    current.steady = clock.after(steadyMs, () => {
      this.#current = null;
      const { failedCommits, failedQueries } = current;
      log.info({ awayMs, failedCommits, failedQueries }, 'the database is back');
    });
  }

  close(): void {
    this.#current?.steady?.cancel();
  }
}
