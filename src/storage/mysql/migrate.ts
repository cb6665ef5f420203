// Brings a MySQL or MariaDB database to this version's schema, and refuses one of another version.
import {
  assertNewest,
  migrationName,
  versionOf,
  type Migration,
  type MigrationPlan,
  type MigrationReport,
  type PlannedMigration,
} from '../migration.ts';
import { StorageError } from '../storage.ts';
import { emptySchema, readSchema, type FoundSchema } from './found-schema.ts';
import { describe, type MysqlLocation } from './location.ts';
import { mysqlMigrations } from './migrations/all.ts';
import { refused, tableUnless, type MysqlMigration, type TableDefinition } from './migrations/migration.ts';
import { errorNumber, Session, unknownDatabase } from './session.ts';

// As long as another process may take to migrate a large database.
const turnTimeoutMs = 10 * 60_000;
/** For the transactions of others that use a table which is to be changed. */
const lockTimeoutMs = 60_000;

const list: TableDefinition = {
  name: 'schema_migrations',
  columns: {
    version: 'INT NOT NULL',
    name: 'VARCHAR(64) NOT NULL',
    applied_at: 'DATETIME(6) NOT NULL',
  },
  keys: ['PRIMARY KEY (version)'],
};

/**
 * Applies the migrations that a database lacks; makes the database if there is none and the user may. Processes that
 * start together take turns: each migration is applied once. A migration that breaks off in the middle is gone on with
 * by the next call.
 *
 * @throws StorageError with reason UNAVAILABLE: not to be reached, made by a newer or another version, or a migration
 *   failed.
 */
export async function migrateMysql(location: MysqlLocation): Promise<MigrationReport> {
  const session = await openOrMake(location);
  try {
    await takeTurn(session, location);
    const { version: from, found } = await lookAt(session, location);
    // All are planned before the first one runs: what can't be done here changes nothing.
    plan(found, from);
    const applied: string[] = [];
    for (const migration of mysqlMigrations.slice(from)) {
      await apply(session, location, migration);
      applied.push(migrationName(migration));
    }
    return { from, to: mysqlMigrations.length, applied };
  } finally {
    session.close();
  }
}

/**
 * What `migrateMysql` would run. Changes nothing.
 *
 * @throws StorageError as `migrateMysql` does, short of what only shows when a migration runs.
 */
export async function planMysql(location: MysqlLocation): Promise<MigrationPlan> {
  const session = await openOrNull(location);
  if (session === null) return planOfMissing(location);
  try {
    const { version, found } = await lookAt(session, location);
    return { from: version, to: mysqlMigrations.length, pending: plan(found, version) };
  } finally {
    session.close();
  }
}

/** @throws StorageError with reason UNAVAILABLE when the schema is not this version's. */
export async function assertMigrated(session: Session, location: MysqlLocation): Promise<void> {
  const { version } = await lookAt(session, location);
  assertNewest(describe(location), version, mysqlMigrations);
}

const quoted = ({ database }: MysqlLocation) => `\`${database.replaceAll('`', '``')}\``;

const makeDatabase = (location: MysqlLocation) =>
  `CREATE DATABASE IF NOT EXISTS ${quoted(location)} CHARACTER SET utf8mb4`;

/** Null when there is no such database. */
async function openOrNull(location: MysqlLocation): Promise<Session | null> {
  try {
    return await Session.open(location, { lockTimeoutMs });
  } catch (error) {
    if (errorNumber(error) === unknownDatabase) return null;
    throw error;
  }
}

async function openOrMake(location: MysqlLocation): Promise<Session> {
  const there = await openOrNull(location);
  if (there !== null) return there;
  const server = await Session.open(location, { lockTimeoutMs, withoutDatabase: true });
  try {
    await server.run(makeDatabase(location));
  } catch (cause) {
    throw new StorageError(
      'UNAVAILABLE',
      `There is no database ${describe(location)}, and user "${location.user}" can't make it. ` +
        `Have it made: ${makeDatabase(location)}.`,
      { cause },
    );
  } finally {
    server.close();
  }
  return Session.open(location, { lockTimeoutMs });
}

async function planOfMissing(location: MysqlLocation): Promise<MigrationPlan> {
  const server = await Session.open(location, { lockTimeoutMs, withoutDatabase: true });
  try {
    const found = await emptySchema(server, location.database);
    const made = { name: location.database, statements: [makeDatabase(location), `USE ${quoted(location)}`] };
    return { from: 0, to: mysqlMigrations.length, pending: [made, ...plan(found, 0)] };
  } finally {
    server.close();
  }
}

/** The lock ends with the session. */
async function takeTurn(session: Session, location: MysqlLocation): Promise<void> {
  // The name of a lock has at most 64 characters, and is one for all databases of the server.
  const [turn] = await session.rows<{ taken: number | null }>(
    `SELECT GET_LOCK(CONCAT('stagewire:', LEFT(SHA2(DATABASE(), 256), 40)), ${turnTimeoutMs / 1000}) AS taken`,
  );
  if (turn?.taken === 1) return;
  throw refused(`Another process is still migrating the database ${describe(location)}: try again later.`);
}

function plan(found: FoundSchema, version: number): PlannedMigration[] {
  return mysqlMigrations.slice(version).map((migration, index) => {
    // Made with the first of them.
    const listed = index === 0 ? tableUnless(found, list) : [];
    return { name: migrationName(migration), statements: statementsOf(migration, found, listed) };
  });
}

function statementsOf(migration: MysqlMigration, found: FoundSchema, listed: readonly string[]): string[] {
  const { version, name } = migration;
  return [
    ...migration.plan(found),
    ...listed,
    `INSERT INTO ${list.name} (version, name, applied_at) VALUES (${version}, '${name}', UTC_TIMESTAMP(6))`,
  ];
}

async function apply(session: Session, location: MysqlLocation, migration: MysqlMigration): Promise<void> {
  try {
    const found = await readSchema(session, location.database);
    for (const sql of statementsOf(migration, found, tableUnless(found, list))) await session.run(sql);
  } catch (cause) {
    throw new StorageError(
      'UNAVAILABLE',
      `Migration ${migrationName(migration)} of ${describe(location)} failed: ${(cause as Error).message} ` +
        'The next `stagewire migrate` goes on where it broke off.',
      { cause },
    );
  }
}

async function lookAt(
  session: Session,
  location: MysqlLocation,
): Promise<{ version: number; found: FoundSchema }> {
  const found = await readSchema(session, location.database);
  // There is none before the first migration has ended, and there may be one of another tool.
  const listed = tableUnless(found, list).length === 0;
  const rows = listed
    ? await session.rows<Migration>(`SELECT version, name FROM ${list.name} ORDER BY version`)
    : [];
  const version = versionOf(describe(location), rows, mysqlMigrations);
  // Other databases are looked into only where tables that are there are about to change.
  const isTakingOver = version < mysqlMigrations.length && found.columns('chat_rooms') !== null;
  return { version, found: isTakingOver ? await readSchema(session, location.database, 'all') : found };
}
