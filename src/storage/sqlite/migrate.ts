// Brings a database file to this version's schema, and refuses one of another version.
import { connect, lockedOrUnavailable, reasonOf, useWriteAheadLog, type Connection } from './connection.ts';
import type { Migration } from '../migration.ts';
import { sqliteMigrations } from './migrations/all.ts';
import { StorageError } from '../storage.ts';

export interface MigrationReport {
  /** Version of the schema that was found; 0 for a new database. */
  readonly from: number;
  readonly to: number;
  /** Names of what was applied, such as `0001_reference`. */
  readonly applied: readonly string[];
}

// As long as another process may take to migrate a large database.
const busyTimeoutMs = 60_000;
// Can only be chosen for a new file. Measured: commits of 1 to 10 chat messages cost 4 to 8 % less than with SQLite's
// own 4,096, because what a commit writes are whole pages.
const pageBytes = 2048;

const newestVersion = sqliteMigrations.length;

const nameOf = ({ version, name }: Migration): string => `${String(version).padStart(4, '0')}_${name}`;

/**
 * Applies the migrations that a file lacks, each in its own transaction; makes the file if there is none. Processes
 * that start together take turns: each migration is applied once.
 *
 * @throws StorageError with reason UNAVAILABLE: not a database, made by a newer or another version, or a migration
 *   failed, of which nothing is left.
 */
export function migrateSqlite(file: string): MigrationReport {
  const connection = connect(file, { create: true, busyTimeoutMs });
  try {
    connection.pragma(`page_size = ${pageBytes}`);
    useWriteAheadLog(connection, file);
    connection.pragma('synchronous = FULL');
    // Tables that others refer to are made anew, so references hold only between migrations.
    connection.pragma('foreign_keys = OFF');
    const from = versionOf(connection, file);
    const applied: string[] = [];
    for (;;) {
      const name = applyNext(connection, file);
      if (name === null) return { from, to: newestVersion, applied };
      applied.push(name);
    }
  } catch (error) {
    throw lockedOrUnavailable(error, file, busyTimeoutMs);
  } finally {
    connection.close();
  }
}

/** @throws StorageError with reason UNAVAILABLE when the schema is not this version's. */
export function assertMigrated(connection: Connection, file: string): void {
  const version = versionOf(connection, file);
  if (version < newestVersion) {
    throw new StorageError(
      'UNAVAILABLE',
      `The database ${file} has schema ${version} and this version of Stagewire needs ${newestVersion}: ` +
        'run `stagewire migrate`.',
    );
  }
}

/**
 * One migration, or null when there is none left, which is seen without the lock: whoever holds that may be stopped.
 * What is to be applied is read again under the lock that the change needs.
 */
function applyNext(connection: Connection, file: string): string | null {
  if (versionOf(connection, file) === newestVersion) return null;
  connection.exec('BEGIN IMMEDIATE');
  try {
    const migration = sqliteMigrations[versionOf(connection, file)];
    if (migration) apply(connection, migration, file);
    connection.exec('COMMIT');
    return migration ? nameOf(migration) : null;
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function apply(connection: Connection, migration: Migration, file: string): void {
  try {
    connection.exec(migration.sql);
    connection.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
      version INTEGER NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      applied_at TEXT NOT NULL
    )`);
    connection
      .prepare(`INSERT INTO schema_migrations VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`)
      .run(migration.version, migration.name);
  } catch (cause) {
    throw new StorageError(
      'UNAVAILABLE',
      `Migration ${nameOf(migration)} of ${file} failed and changed nothing: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}

/** @throws StorageError when the file has migrations that this version doesn't know. */
function versionOf(connection: Connection, file: string): number {
  const known = connection.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'`).get();
  if (!known) return 0;
  const found = connection
    .prepare<[], { version: number; name: string }>(
      'SELECT version, name FROM schema_migrations ORDER BY version',
    )
    .all();
  const newest = found.at(-1)?.version ?? 0;
  if (newest > newestVersion) {
    throw new StorageError(
      'UNAVAILABLE',
      `The database ${file} has schema ${newest}, made by a newer version of Stagewire; this one knows ` +
        `${newestVersion}. Start the newer version, or restore a backup made before it.`,
    );
  }
  found.forEach(({ version, name }, index) => {
    const migration = sqliteMigrations[index];
    if (migration?.version === version && migration.name === name) return;
    throw new StorageError(
      'UNAVAILABLE',
      `The database ${file} has a migration ${version} "${name}" that this version of Stagewire doesn't know. ` +
        'Use the version that made it, or another database.',
    );
  });
  return found.length;
}
