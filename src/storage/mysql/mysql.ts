// MySQL and MariaDB as a store: one connection for commits, a few for queries.
import { monotonicMs, systemClock, type Clock } from '../../lib/clock.ts';
import type { Claim } from '../claim.ts';
import { newCommitLock, openCommitConnection } from './commit-connection.ts';
import { Commits } from './commits.ts';
import { unavailable } from '../failure.ts';
import { Keeper } from './keeper.ts';
import { defaultLimits, type MysqlLimits } from './limits.ts';
import type { MysqlLocation } from './location.ts';
import { assertMigrated } from './migrate.ts';
import { Pool } from './pool.ts';
import { purge, type Expire } from './purge.ts';
import { runQuery } from './queries.ts';
import { ConnectionLost } from './server-error.ts';
import { Session } from './session.ts';
import {
  StorageError,
  type Outcome,
  type Query,
  type QueryName,
  type Rows,
  type Storage,
  type Transaction,
} from '../storage.ts';

export interface MysqlOptions {
  readonly location: MysqlLocation;
  /** Commits are made only while it holds. */
  readonly claim?: Claim | null;
  readonly clock?: Clock;
  readonly limits?: Partial<MysqlLimits>;
}

const lockTimeoutMs = 5_000;
// A thread that starts loads all its actors at once. Beyond this many a query is refused.
const queriesMax = 50_000;
// A connection that breaks takes one query with it, which is asked again.
const triesMax = 3;

/**
 * Opens a migrated database.
 *
 * @throws StorageError with reason UNAVAILABLE: not to be reached, no database, or not of this version's schema.
 */
export async function openMysql({ location, claim = null, ...options }: MysqlOptions): Promise<Storage> {
  const session = await Session.open(location, { lockTimeoutMs });
  try {
    await assertMigrated(session, location);
  } finally {
    session.close();
  }
  const clock = options.clock ?? systemClock;
  const limits = { ...defaultLimits, ...options.limits };
  const lock = newCommitLock();
  const open = () => openCommitConnection({ location, clock, limits }, lock);
  const keeper = new Keeper({ clock, limits, open });
  try {
    await keeper.get();
  } catch (error) {
    await keeper.close();
    throw error;
  }
  const commits = new Commits({ keeper, clock, limits, claim });
  const pool = new Pool({ location, clock, limits });
  return new MysqlStorage({ keeper, commits, pool, claim, queryMs: limits.queryMs });
}

interface Parts {
  readonly keeper: Keeper;
  readonly commits: Commits;
  readonly pool: Pool;
  readonly claim: Claim | null;
  readonly queryMs: number;
}

class MysqlStorage implements Storage {
  readonly #parts: Parts;
  /** What is asked and not answered yet, but for commits. */
  readonly #asked = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    if (this.#closing) {
      const outcome = closed();
      return transactions.map(() => outcome);
    }
    // Beside other writes it is one of them, and has its place among them.
    const [only, ...others] = transactions.flat();
    if (only?.op !== 'expire' || others.length > 0) return this.#parts.commits.commit(transactions);
    const whole = this.#expire(only, transactions);
    this.#asked.add(whole);
    return whole.finally(() => this.#asked.delete(whole));
  }

  async query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    if (this.#closing) throw closed();
    if (this.#asked.size >= queriesMax) {
      throw new StorageError('UNAVAILABLE', 'Too many queries wait for the database.');
    }
    const asked = this.#ask(query);
    this.#asked.add(asked);
    try {
      return await asked;
    } catch (error) {
      throw unavailable(error);
    } finally {
      this.#asked.delete(asked);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #expire(expire: Expire, transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    const { commits, pool, claim, queryMs } = this.#parts;
    // What is left for the commit then is more work for it, and it tells what is wrong.
    await purge({ pool, claim, limitMs: queryMs }, expire).catch(() => undefined);
    return commits.commit(transactions);
  }

  async #ask<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    const { commits, pool, queryMs } = this.#parts;
    const endMs = monotonicMs() + queryMs;
    for (let tries = 1; ; tries += 1) {
      await commits.settled();
      try {
        return await pool.use((connection) => runQuery(connection, query, queryMs));
      } catch (error) {
        if (!(error instanceof ConnectionLost) || tries === triesMax || monotonicMs() >= endMs) throw error;
      }
    }
  }

  async #close(): Promise<void> {
    const { commits, keeper, pool } = this.#parts;
    await Promise.allSettled(this.#asked);
    await commits.ended();
    await pool.close();
    await keeper.close();
  }
}

function closed(): StorageError {
  return new StorageError('UNAVAILABLE', 'The store is closed.');
}
