// Database URLs: which store a URL names, opened or migrated. The driver of another server is loaded when there is one:
// each thread that opens a store would pay for it at its start.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Claim } from './claim.ts';
import { openMemory } from './memory/memory.ts';
import { claimSqlite } from './sqlite/claim.ts';
import type { MigrationPlan, MigrationReport } from './migration.ts';
import { parseMysqlUrl, type MysqlLocation } from './mysql/location.ts';
import { migrateSqlite, planSqlite } from './sqlite/migrate.ts';
import { openSqlite } from './sqlite/sqlite.ts';
import { StorageError, type Storage } from './storage.ts';

type Location =
  | { readonly store: 'memory' }
  | { readonly store: 'sqlite'; readonly file: string }
  | { readonly store: 'mysql'; readonly at: MysqlLocation };

export interface OpenOptions {
  /** Commits are made only while it holds; whether it does is not asked unless given. */
  readonly claim?: Claim | null;
}

/**
 * Opens the database of a URL: `sqlite:path` (a path from the working directory, or an absolute one),
 * `mysql://user:password@host:port/database` or `memory:`, which is empty and ends with the process.
 *
 * @throws StorageError with reason UNAVAILABLE and a message for the operator: a URL of no known form, or a database
 *   that is missing, not migrated or not readable.
 */
export async function openStorage(url: string, { claim = null }: OpenOptions = {}): Promise<Storage> {
  const location = locate(url);
  switch (location.store) {
    case 'memory':
      return openMemory();
    case 'sqlite':
      return openSqlite({ file: location.file, claim });
    case 'mysql':
      return (await import('./mysql/mysql.ts')).openMysql({ location: location.at, claim });
  }
}

/**
 * Brings the database of a URL to this version's schema; makes it, and the folder of a file, when there is none.
 *
 * @throws StorageError as `openStorage` does, or when a migration fails.
 */
export async function migrate(url: string): Promise<MigrationReport> {
  const location = locate(url);
  switch (location.store) {
    case 'memory':
      return { from: 0, to: 0, applied: [] };
    case 'sqlite':
      makeFolder(location.file);
      return migrateSqlite(location.file);
    case 'mysql':
      return (await import('./mysql/migrate.ts')).migrateMysql(location.at);
  }
}

/**
 * What `migrate` would run. Changes nothing.
 *
 * @throws StorageError as `migrate` does, short of what only shows when a migration runs.
 */
export async function planMigration(url: string): Promise<MigrationPlan> {
  const location = locate(url);
  switch (location.store) {
    case 'memory':
      return { from: 0, to: 0, pending: [] };
    case 'sqlite':
      return planSqlite(location.file);
    case 'mysql':
      return (await import('./mysql/migrate.ts')).planMysql(location.at);
  }
}

/**
 * Makes the caller the owner of a migrated database: stores that were opened with an earlier claim commit nothing more.
 * Null where nobody else can be, as in memory.
 *
 * @param owner in words for the operator.
 * @param now milliseconds since 1970.
 * @throws StorageError as `openStorage` does.
 */
export async function claimStorage(url: string, owner: string, now: number): Promise<Claim | null> {
  const location = locate(url);
  switch (location.store) {
    case 'memory':
      return null;
    case 'sqlite':
      return claimSqlite({ file: location.file, owner, now });
    case 'mysql':
      return (await import('./mysql/claim.ts')).claimMysql(location.at, owner, now);
  }
}

function locate(url: string): Location {
  if (url === 'memory:') return { store: 'memory' };
  const [, scheme, rest] = /^([a-z0-9+.-]+):(.*)$/is.exec(url) ?? [];
  switch (scheme?.toLowerCase()) {
    case 'sqlite':
      return { store: 'sqlite', file: sqliteFile(rest ?? '') };
    case 'mysql':
    case 'mariadb':
      return { store: 'mysql', at: parseMysqlUrl(url) };
    default:
      // The URL itself is not shown: it may hold a password.
      throw refused('A database URL is sqlite:PATH, mysql://USER:PASSWORD@HOST:PORT/DATABASE or memory:.');
  }
}

function sqliteFile(path: string): string {
  if (path === '') throw refused('sqlite: needs the path of a file, as in sqlite:./data/stagewire.db.');
  if (path === ':memory:') throw refused('For a database in memory, write memory:.');
  if (path.startsWith('//') && !path.startsWith('///')) {
    throw refused('Write sqlite:PATH, without // before the path.');
  }
  return path;
}

function makeFolder(file: string): void {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new StorageError('UNAVAILABLE', `Can't make the folder ${folder} (${code}).`, { cause });
  }
}

function refused(message: string): StorageError {
  return new StorageError('UNAVAILABLE', message);
}
