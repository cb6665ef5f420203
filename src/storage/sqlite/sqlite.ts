// SQLite as a store: group commit, queries, closing. Everything is done in the caller's thread before the call
// returns; the promises only keep the contract.
import type { Statement } from 'better-sqlite3';
import type { Claim } from '../claim.ts';
import { constraint, unavailable } from '../failure.ts';
import { SqliteFence } from './claim.ts';
import { assertMigrated } from './migrate.ts';
import { connect, isBusy, isRefusedByData, useWriteAheadLog, type Connection } from './connection.ts';
import { WriteAheadLog } from './log.ts';
import { SqliteQueries } from './queries.ts';
import { SqliteWrites } from './writes.ts';
import type { Outcome, Query, QueryName, Rows, Storage, Transaction } from '../storage.ts';

export interface SqliteOptions {
  /** Path of the database file, absolute or relative to the working directory. */
  readonly file: string;
  /** Refuses every commit with UNAVAILABLE. */
  readonly readonly?: boolean;
  /** How long a call waits for another connection's lock before it is UNAVAILABLE. 5,000 by default. */
  readonly busyTimeoutMs?: number;
  /** Commits are made only while it holds. */
  readonly claim?: Claim | null;
  /** The file doesn't grow beyond this: commits that need more are UNAVAILABLE. No bound by default. */
  readonly fileBytesMax?: number;
}

const busyTimeoutMs = 5_000;
/** The same once somebody has waited in vain, until the lock can be had: those behind must not wait one by one. */
const lockedTimeoutMs = 250;
// A checkpoint stops this thread: at 4 MiB for about 5 ms. A longer log saves little and stalls for longer.
const checkpointBytes = 4 * 1024 * 1024;
// A log that one huge commit blew up is cut to this; below it the file is written over, which spares its growth.
const logBytesMax = 16 * 1024 * 1024;
const cacheKibibytes = 8 * 1024;

/**
 * Opens a migrated database.
 *
 * @throws StorageError with reason UNAVAILABLE: no database, not of this version's schema, or not readable.
 */
export function openSqlite(options: SqliteOptions): Storage {
  const connection = connect(options.file, {
    readonly: options.readonly ?? false,
    busyTimeoutMs: options.busyTimeoutMs ?? busyTimeoutMs,
  });
  try {
    assertMigrated(connection, options.file);
    configure(connection, options);
    const fence = options.claim ? new SqliteFence(connection, options.claim) : null;
    const timeoutMs = options.busyTimeoutMs ?? busyTimeoutMs;
    return new SqliteStorage(connection, new WriteAheadLog(options.file), fence, timeoutMs);
  } catch (error) {
    connection.close();
    throw unavailable(error);
  }
}

function configure(connection: Connection, options: SqliteOptions): void {
  if (!options.readonly) useWriteAheadLog(connection, options.file);
  const pageBytes = connection.pragma('page_size', { simple: true }) as number;
  // A commit is made durable by WriteAheadLog.
  connection.pragma('synchronous = NORMAL');
  connection.pragma('foreign_keys = ON');
  connection.pragma(`wal_autocheckpoint = ${Math.ceil(checkpointBytes / pageBytes)}`);
  connection.pragma(`journal_size_limit = ${logBytesMax}`);
  connection.pragma(`cache_size = -${cacheKibibytes}`);
  if (options.fileBytesMax !== undefined) {
    connection.pragma(`max_page_count = ${Math.ceil(options.fileBytesMax / pageBytes)}`);
  }
}

class SqliteStorage implements Storage {
  readonly #connection: Connection;
  readonly #log: WriteAheadLog;
  readonly #fence: SqliteFence | null;
  readonly #writes: SqliteWrites;
  readonly #queries: SqliteQueries;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #savepoint: Statement;
  readonly #release: Statement;
  readonly #rollbackToSavepoint: Statement;
  readonly #busyTimeoutMs: number;
  #logBroken = false;
  #isLocked = false;

  constructor(connection: Connection, log: WriteAheadLog, fence: SqliteFence | null, timeoutMs: number) {
    this.#connection = connection;
    this.#log = log;
    this.#fence = fence;
    this.#busyTimeoutMs = timeoutMs;
    this.#writes = new SqliteWrites(connection);
    this.#queries = new SqliteQueries(connection);
    // IMMEDIATE takes the write lock at once, while waiting for it can still help: a transaction that has read
    // first and is overtaken by another writer can only be thrown away.
    this.#begin = connection.prepare('BEGIN IMMEDIATE');
    this.#commit = connection.prepare('COMMIT');
    this.#rollback = connection.prepare('ROLLBACK');
    this.#savepoint = connection.prepare('SAVEPOINT one');
    this.#release = connection.prepare('RELEASE one');
    this.#rollbackToSavepoint = connection.prepare('ROLLBACK TO one');
  }

  commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    if (transactions.length === 0) return Promise.resolve([]);
    try {
      // Nothing to write needs no lock and no flush: whether the claim holds is a read, however often it is asked.
      if (this.#fence && transactions.every(({ length }) => length === 0)) {
        this.#fence.assertHolds();
        return Promise.resolve(transactions.map(() => null));
      }
      if (this.#logBroken) this.#leaveLog();
      const outcomes = this.#applyTogether(transactions) ?? this.#applyEachAlone(transactions);
      this.#noteLocked(false);
      return Promise.resolve(outcomes);
    } catch (error) {
      const outcome = unavailable(this.#abandon(error));
      if (isBusy(error)) this.#noteLocked(true);
      return Promise.resolve(transactions.map(() => outcome));
    }
  }

  query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    try {
      // Commits that could not be flushed are there to be read, and a crash would take them away again.
      if (this.#logBroken) this.#leaveLog();
      return Promise.resolve(this.#queries.run(query));
    } catch (error) {
      return Promise.reject(unavailable(error));
    }
  }

  close(): Promise<void> {
    try {
      if (this.#connection.open && !this.#connection.readonly) {
        this.#connection.pragma('wal_checkpoint(TRUNCATE)');
      }
    } catch {
      // The log is left in its file: what was committed is there, and the next one to open the database reads it.
    } finally {
      this.#log.close();
      this.#connection.close();
    }
    return Promise.resolve();
  }

  /** The usual case, with the least statements. Null, and nothing applied, when one of them must be refused. */
  #applyTogether(transactions: readonly Transaction[]): Outcome[] | null {
    this.#begin.run();
    this.#fence?.assertHolds();
    try {
      for (const transaction of transactions) this.#apply(transaction);
    } catch (error) {
      if (!isRefusedByData(error)) throw error;
      this.#rollback.run();
      return null;
    }
    this.#commit.run();
    this.#flush();
    return transactions.map(() => null);
  }

  #applyEachAlone(transactions: readonly Transaction[]): Outcome[] {
    this.#begin.run();
    this.#fence?.assertHolds();
    const outcomes = transactions.map((transaction): Outcome => {
      this.#savepoint.run();
      try {
        this.#apply(transaction);
      } catch (error) {
        if (!isRefusedByData(error)) throw error;
        this.#rollbackToSavepoint.run();
        this.#release.run();
        return constraint(error);
      }
      this.#release.run();
      return null;
    });
    this.#commit.run();
    this.#flush();
    return outcomes;
  }

  #apply(transaction: Transaction): void {
    for (const write of transaction) this.#writes.apply(write);
  }

  #flush(): void {
    try {
      this.#log.sync();
    } catch (error) {
      this.#logBroken = true;
      throw error;
    }
  }

  /**
   * After a failed flush the system may count pages as written that the disk doesn't have, and recovery reads a log up
   * to its first hole: what is committed behind one would be lost. So the log's rows go into the database file first,
   * and the log starts anew.
   */
  #leaveLog(): void {
    const [result] = this.#connection.pragma('wal_checkpoint(RESTART)') as { busy: number }[];
    if (result?.busy !== 0) throw new Error('The log could not be flushed and is in use.');
    this.#logBroken = false;
  }

  #noteLocked(isLocked: boolean): void {
    if (isLocked === this.#isLocked) return;
    this.#isLocked = isLocked;
    const timeoutMs = isLocked ? Math.min(lockedTimeoutMs, this.#busyTimeoutMs) : this.#busyTimeoutMs;
    this.#connection.pragma(`busy_timeout = ${timeoutMs}`);
  }

  /** After some errors SQLite has rolled back by itself, after others the write lock is still held. */
  #abandon(error: unknown): unknown {
    try {
      if (this.#connection.inTransaction) this.#rollback.run();
      return error;
    } catch (rollbackError) {
      return new AggregateError([error, rollbackError], 'A commit failed and could not be rolled back.');
    }
  }
}
