// A few connections for queries: each query has one to itself, and those that find none free wait their turn.
import { monotonicMs, type Clock } from '../../lib/clock.ts';
import { Queue } from '../../lib/queue.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Keeper } from './keeper.ts';
import { sessionSettings } from './session-settings.ts';
import { StorageError } from '../storage.ts';

interface Waiting {
  readonly sinceMs: number;
  readonly resolve: (keeper: Keeper) => void;
  readonly reject: (error: StorageError) => void;
}

// What one thread of a server keeps busy: it puts statements together and takes rows apart faster than a few answer.
const connectionsMax = 4;
// Those of all queries, and of the sizes that some have.
const statementsMax = 128;
/** One query may take this long; the server ends it then, and the connection is given up. */
export const queryLimitMs = 5_000;
// A thread that starts loads all its actors at once. Beyond this many, and after so long, a query is refused.
const waitingMax = 10_000;
const waitingLimitMs = 5_000;

function settings(isMariadb: boolean): string[] {
  return [
    ...sessionSettings(isMariadb),
    // What nobody waits for any more must not go on reading.
    isMariadb
      ? `SET SESSION max_statement_time = ${queryLimitMs / 1_000}`
      : `SET SESSION max_execution_time = ${queryLimitMs}`,
  ];
}

export class Pool {
  readonly #keepers: readonly Keeper[];
  readonly #free: Keeper[];
  readonly #waiting = new Queue<Waiting>();

  constructor({ location, clock }: { location: ConnectionOptions['location']; clock: Clock }) {
    const open = () => Connection.open({ location, clock, statementsMax, settings });
    this.#keepers = Array.from({ length: connectionsMax }, () => new Keeper({ clock, open }));
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
    if (this.#waiting.length >= waitingMax) return Promise.reject(tooMany());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sinceMs: monotonicMs(), resolve, reject });
    });
  }

  #give(keeper: Keeper): void {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next) return void this.#free.push(keeper);
      if (monotonicMs() - next.sinceMs <= waitingLimitMs) return next.resolve(keeper);
      next.reject(tooMany());
    }
  }
}

function tooMany(): StorageError {
  return new StorageError('UNAVAILABLE', 'Too many queries wait for the database.');
}
