// Group commits on the one connection that is there for them, one after the other: what is asked for meanwhile shares the
// next one.
import { monotonicMs, type Clock } from '../../lib/clock.ts';
import { chance } from '../../lib/random.ts';
import type { Claim } from '../claim.ts';
import { unavailable } from '../failure.ts';
import type { Connection } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import type { Keeper } from './keeper.ts';
import type { MysqlLimits } from './limits.ts';
import { isPassing } from './server-error.ts';
import { StorageError, type Outcome, type Transaction } from '../storage.ts';

export interface CommitsOptions {
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly limits: Pick<MysqlLimits, 'commitMs'>;
  readonly claim: Claim | null;
}

interface Asked {
  readonly transactions: readonly Transaction[];
  readonly answer: (outcomes: readonly Outcome[]) => void;
}

const triesMax = 5;
const pauseMs = 20;
// Each shard has one on its way. Beyond this many a commit is refused at once.
const askedMax = 1_000;
// What is asked for beyond this waits for the next commit, so that one does not take all its time.
const groupWritesMax = 10_000;

export class Commits {
  readonly #options: CommitsOptions;
  readonly #asked: Asked[] = [];
  #working: Promise<void> | null = null;
  #isUnsettled = false;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    if (transactions.length === 0) return Promise.resolve([]);
    if (this.#asked.length >= askedMax) {
      const outcome = new StorageError('UNAVAILABLE', 'Too many commits wait for the database.');
      return Promise.resolve(transactions.map(() => outcome));
    }
    return new Promise((answer) => {
      this.#asked.push({ transactions, answer });
      this.#working ??= this.#work();
    });
  }

  /**
   * Resolves when what became of every commit can be read: at once, unless one broke off.
   *
   * @throws StorageError with reason UNAVAILABLE.
   */
  async settled(): Promise<void> {
    if (this.#isUnsettled) await this.#connection();
  }

  /** Resolves when nothing is asked for any more. */
  async ended(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#asked.length > 0) {
      const group = this.#nextGroup();
      const outcomes = await this.#commit(group.flatMap(({ transactions }) => transactions));
      let start = 0;
      for (const { transactions, answer } of group) {
        answer(outcomes.slice(start, start + transactions.length));
        start += transactions.length;
      }
    }
    // Before those who were answered ask for more.
    this.#working = null;
  }

  #nextGroup(): Asked[] {
    let writes = 0;
    let end = 0;
    for (const { transactions } of this.#asked) {
      writes += transactions.reduce((sum, transaction) => sum + transaction.length, 0);
      if (end > 0 && writes > groupWritesMax) break;
      end += 1;
    }
    return this.#asked.splice(0, end);
  }

  async #commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    const endMs = monotonicMs() + this.#options.limits.commitMs;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#try(transactions, endMs);
      } catch (error) {
        if (!(error instanceof TryAgain) || tries === triesMax || monotonicMs() >= endMs) {
          const outcome = unavailable(error instanceof TryAgain ? error.cause : error);
          return transactions.map(() => outcome);
        }
        await this.#pause(tries);
      }
    }
  }

  /** @throws TryAgain when nothing was applied and another try may do better, or what went wrong. */
  async #try(transactions: readonly Transaction[], endMs: number): Promise<readonly Outcome[]> {
    const connection = await this.#connection();
    const commit = new GroupCommit(connection, this.#options.claim, endMs);
    try {
      return await commit.make(transactions);
    } catch (error) {
      if (isPassing(error) || !commit.isDecided) {
        await commit.rollBack().catch(() => connection.abandon('A commit could not be rolled back'));
        // A server that was not asked to commit can but roll back, and has done so before there is another connection.
        if (isPassing(error) || connection.isLost) throw new TryAgain('It broke off.', { cause: error });
        throw error;
      }
      connection.abandon('It is not known what became of a commit');
      this.#isUnsettled = true;
      throw error;
    }
  }

  /** One on which nothing is open, while nothing is open on those before it. */
  async #connection(): Promise<Connection> {
    const connection = await this.#options.keeper.get();
    this.#isUnsettled = false;
    return connection;
  }

  #pause(tries: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(pauseMs * tries * (0.5 + chance() / 2), resolve);
    });
  }
}

class TryAgain extends Error {}
