// Brings a database file to this version's schema, and refuses one of another version.
import { existsSync } from 'node:fs';
import { reasonOf, unavailable } from '../failure.ts';
import { connect, lockedOrUnavailable, useWriteAheadLog, type Connection } from './connection.ts';
import {
  assertNewest,
  migrationName,
  versionOf,
  type Migration,
  type MigrationPlan,
  type MigrationReport,
} from '../migration.ts';
import { sqliteMigrations } from './migrations/all.ts';
import type { SqliteMigration } from './migrations/migration.ts';
import { StorageError } from '../storage.ts';

// As long as another process may take to migrate a large database.
const busyTimeoutMs = 60_000;
// Can only be chosen for a new file. Measured: commits of 1 to 10 chat messages cost 4 to 8 % less than with SQLite's
// own 4,096, because what a commit writes are whole pages.
const pageBytes = 2048;

const newestVersion = sqliteMigrations.length;

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
    const from = versionOfFile(connection, file);
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

/**
 * What `migrateSqlite` would run. Changes nothing.
 *
 * @throws StorageError with reason UNAVAILABLE: not a database, or made by a newer or another version.
 */
export function planSqlite(file: string): MigrationPlan {
  const from = existsSync(file) ? versionThere(file) : 0;
  const pending = sqliteMigrations.slice(from).map((migration) => ({
    name: migrationName(migration),
    statements: statementsOf(migration),
  }));
  return { from, to: newestVersion, pending };
}

function versionThere(file: string): number {
  const connection = connect(file, { readonly: true, busyTimeoutMs });
  try {
    return versionOfFile(connection, file);
  } catch (error) {
    throw unavailable(error);
  } finally {
    connection.close();
  }
}

/** @throws StorageError with reason UNAVAILABLE when the schema is not this version's. */
export function assertMigrated(connection: Connection, file: string): void {
  assertNewest(file, versionOfFile(connection, file), sqliteMigrations);
}

/**
 * One migration, or null when there is none left, which is seen without the lock: whoever holds that may be stopped.
 * What is to be applied is read again under the lock that the change needs.
 */
function applyNext(connection: Connection, file: string): string | null {
  if (versionOfFile(connection, file) === newestVersion) return null;
  connection.exec('BEGIN IMMEDIATE');
  try {
    const migration = sqliteMigrations[versionOfFile(connection, file)];
    if (migration) apply(connection, migration, file);
    connection.exec('COMMIT');
    return migration ? migrationName(migration) : null;
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function statementsOf({ version, name, sql }: SqliteMigration): string[] {
  return [
    sql.trim(),
    `CREATE TABLE IF NOT EXISTS schema_migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL
);`,
    `INSERT INTO schema_migrations VALUES (${version}, '${name}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));`,
  ];
}

function apply(connection: Connection, migration: SqliteMigration, file: string): void {
  try {
    for (const sql of statementsOf(migration)) connection.exec(sql);
  } catch (cause) {
    throw new StorageError(
      'UNAVAILABLE',
      `Migration ${migrationName(migration)} of ${file} failed and changed nothing: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}

/** @throws StorageError when the file has migrations that this version doesn't know. */
function versionOfFile(connection: Connection, file: string): number {
  const known = connection.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'`).get();
  if (!known) return 0;
  const found = connection
    .prepare<[], Migration>('SELECT version, name FROM schema_migrations ORDER BY version')
    .all();
  return versionOf(file, found, sqliteMigrations);
}
