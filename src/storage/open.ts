// Database URLs: which store a URL names, opened or migrated.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { openMemory } from './memory.ts';
import { migrateSqlite, type MigrationReport } from './migrate.ts';
import { openSqlite } from './sqlite.ts';
import { StorageError, type Storage } from './storage.ts';

type Location = { readonly store: 'memory' } | { readonly store: 'sqlite'; readonly file: string };

/**
 * Opens the database of a URL: `sqlite:path` (a path from the working directory, or an absolute one) or `memory:`,
 * which is empty and ends with the process.
 *
 * @throws StorageError with reason UNAVAILABLE and a message for the operator: a URL of no known form, or a database
 *   that is missing, not migrated or not readable.
 */
export function openStorage(url: string): Storage {
  const location = locate(url);
  return location.store === 'memory' ? openMemory() : openSqlite({ file: location.file });
}

/**
 * Brings the database of a URL to this version's schema; makes it, and its folder, when there is none.
 *
 * @throws StorageError as `openStorage` does, or when a migration fails.
 */
export function migrate(url: string): MigrationReport {
  const location = locate(url);
  if (location.store === 'memory') return { from: 0, to: 0, applied: [] };
  makeFolder(location.file);
  return migrateSqlite(location.file);
}

function locate(url: string): Location {
  if (url === 'memory:') return { store: 'memory' };
  const [, scheme, rest] = /^([a-z0-9+.-]+):(.*)$/is.exec(url) ?? [];
  switch (scheme?.toLowerCase()) {
    case 'sqlite':
      return { store: 'sqlite', file: sqliteFile(rest ?? '') };
    case 'mysql':
    case 'mariadb':
      throw refused('MySQL and MariaDB are not supported yet: use sqlite:PATH.');
    default:
      // The URL itself is not shown: it may hold a password.
      throw refused('A database URL is sqlite:PATH or memory:.');
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
