// A few connections for queries: each query has one to itself, and those that find none free wait their turn. How many
// wait is bounded by whoever asks.
import { monotonicMs } from '../../lib/clock.ts';
import { Queue } from '../../lib/queue.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Keeper } from './keeper.ts';
import type { MysqlLimits } from './limits.ts';
import { sessionSettings } from './session-settings.ts';
import { StorageError } from '../storage.ts';

interface Waiting {
  readonly sinceMs: number;
  readonly resolve: (keeper: Keeper) => void;
  readonly reject: (error: StorageError) => void;
}

// As many as one thread can keep busy: it puts statements together and takes rows apart no faster than they answer.
const connectionsMax = 4;
// Those of all queries, and of the sizes that some have.
const statementsMax = 128;

export type PoolOptions = Pick<ConnectionOptions, 'location' | 'clock'> & {
  readonly limits: Pick<MysqlLimits, 'openMs' | 'graceMs' | 'queryMs' | 'turnMs'>;
};

export class Pool {
  readonly #keepers: readonly Keeper[];
  readonly #free: Keeper[];
  readonly #turnMs: number;
  readonly #waiting = new Queue<Waiting>();

  constructor(options: PoolOptions) {
    const { clock, limits } = options;
    const settings = (isMariadb: boolean) => [
      ...sessionSettings(isMariadb),
      // What nobody waits for any more must not go on reading.
      isMariadb
        ? `SET SESSION max_statement_time = ${limits.queryMs / 1_000}`
        : `SET SESSION max_execution_time = ${limits.queryMs}`,
    ];
    const open = () => Connection.open({ ...options, statementsMax, settings });
    this.#turnMs = limits.turnMs;
    this.#keepers = Array.from({ length: connectionsMax }, () => new Keeper({ clock, limits, open }));
    this.#free = [...this.#keepers];
  }

  /** Runs a task with a connection of its own. @throws StorageError with reason UNAVAILABLE, or what the task does. */
  async use<Result>(task: (connection: Connection) => Promise<Result>): Promise<Result> {
    const keeper = await this.#take();
    try {
      return await task(await keeper.get());
    } finally {
      this.#give(keeper);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.close()));
  }

  #take(): Promise<Keeper> {
    // The one that was used last: the others stay idle, and when few are needed few are opened.
    const free = this.#free.pop();
    if (free) return Promise.resolve(free);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sinceMs: monotonicMs(), resolve, reject });
    });
  }

  #give(keeper: Keeper): void {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next) return void this.#free.push(keeper);
      if (monotonicMs() - next.sinceMs <= this.#turnMs) return next.resolve(keeper);
      next.reject(tooLate());
    }
  }
}

function tooLate(): StorageError {
  return new StorageError('UNAVAILABLE', 'The database is too slow for what it is asked.');
}
