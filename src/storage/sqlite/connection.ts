// The one importer of the SQLite driver: opens a file the way Stagewire uses it, and sorts the driver's errors.
import Driver from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { reasonOf, unavailable } from '../failure.ts';
import { StorageError } from '../storage.ts';

export type Connection = Driver.Database;

interface ConnectionOptions {
  readonly readonly?: boolean;
  /** Whether a missing file is made, or refused. */
  readonly create?: boolean;
  /** How long a statement waits for another connection's lock. */
  readonly busyTimeoutMs: number;
}

const journalAttemptsMax = 100;

/** @throws StorageError with reason UNAVAILABLE: the file is missing, can't be opened, or is no SQLite database. */
export function connect(file: string, options: ConnectionOptions): Connection {
  // An absolute path, because the driver gives '', ':memory:' and 'file:' names meanings of their own.
  const path = resolve(file);
  let connection: Connection | undefined;
  try {
    connection = new Driver(path, {
      readonly: options.readonly ?? false,
      fileMustExist: !options.create,
      timeout: options.busyTimeoutMs,
    });
    // The driver opens the file without reading it; this reads the first page.
    connection.pragma('schema_version');
    return connection;
  } catch (error) {
    connection?.close();
    throw cannotOpen(file, error, !options.create && !existsSync(path));
  }
}

function cannotOpen(file: string, cause: unknown, missing: boolean): StorageError {
  if (missing) {
    return new StorageError('UNAVAILABLE', `There is no database ${file}: run \`stagewire migrate\`.`, {
      cause,
    });
  }
  const code = cause instanceof Driver.SqliteError ? cause.code : '';
  if (code === 'SQLITE_NOTADB') {
    return new StorageError('UNAVAILABLE', `${file} is not a SQLite database.`, { cause });
  }
  return new StorageError('UNAVAILABLE', `Can't open the database ${file}: ${reasonOf(cause)}.`, { cause });
}

/**
 * The journal in which readers and the one writer don't wait for each other, and a commit is one write and one flush.
 * The file remembers it.
 *
 * @throws StorageError with reason UNAVAILABLE where SQLite can't have one, as on network file systems.
 */
export function useWriteAheadLog(connection: Connection, file: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (connection.pragma('journal_mode = WAL', { simple: true }) === 'wal') return;
      break;
    } catch (error) {
      // Alone of all statements this change doesn't wait for a lock. Whoever holds it is most likely about to make
      // the same change, so wait for them with one that does.
      if (!isBusy(error) || attempt === journalAttemptsMax) throw error;
      connection.exec('BEGIN IMMEDIATE; COMMIT');
    }
  }
  throw new StorageError(
    'UNAVAILABLE',
    `The database ${file} can't have a write-ahead log: put it on a local disk.`,
  );
}

/** Whether another connection's lock was waited for in vain. */
export function isBusy(error: unknown): boolean {
  return error instanceof Driver.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

/**
 * Whether what was asked can never work, as opposed to the database being in trouble. What isn't an error of SQLite
 * comes from a value that can't be bound.
 */
export function isRefusedByData(error: unknown): boolean {
  if (!(error instanceof Driver.SqliteError)) return true;
  return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(error.code);
}

/** What somebody is told who asked for the lock of the database alone, once, before anything else. */
export function lockedOrUnavailable(cause: unknown, file: string, waitedMs: number): StorageError {
  if (!isBusy(cause)) return unavailable(cause);
  return new StorageError(
    'UNAVAILABLE',
    `The database ${file} was locked for ${waitedMs / 1_000} s by another process, which may have been stopped in the ` +
      'middle of a write: end it or let it go on, and try again.',
    { cause },
  );
}
