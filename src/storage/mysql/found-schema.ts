// What a MySQL or MariaDB database has: the ground on which a migration decides what is left to be done.
import { StorageError } from '../storage.ts';
import type { Session } from './session.ts';

export interface FoundColumn {
  readonly table: string;
  readonly column: string;
  /** As it is written in a statement, such as `varchar(36)`. */
  readonly type: string;
  readonly isNullable: boolean;
  /** Null for a column that holds no text. */
  readonly collation: string | null;
}

/** One column of a foreign key. */
export interface FoundReference {
  readonly name: string;
  /** Where it is, which may be another database than the one it refers to. */
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly toSchema: string;
  readonly toTable: string;
  readonly toColumn: string;
}

export interface FoundIndex {
  readonly table: string;
  readonly index: string;
}

export interface FoundParts {
  readonly database: string;
  readonly exactCollation: string;
  readonly columns: readonly FoundColumn[];
  readonly references: readonly FoundReference[];
  readonly indexes: readonly FoundIndex[];
}

export class FoundSchema {
  /** The name of the database. */
  readonly database: string;
  /**
   * The collation to which two texts are one only when they are the same characters, and which orders by code point;
   * it has another name on MySQL than on MariaDB.
   */
  readonly exactCollation: string;
  /** Of this database's tables, and of those of others to this one. */
  readonly references: readonly FoundReference[];
  readonly #tables = new Map<string, Map<string, FoundColumn>>();
  readonly #indexes: ReadonlySet<string>;

  constructor({ database, exactCollation, columns, references, indexes }: FoundParts) {
    this.database = database;
    this.exactCollation = exactCollation;
    this.references = references;
    for (const column of columns) {
      const table = this.#tables.get(column.table) ?? new Map<string, FoundColumn>();
      this.#tables.set(column.table, table.set(column.column, column));
    }
    this.#indexes = new Set(indexes.map(({ table, index }) => `${table}.${index}`));
  }

  /** Names of a table's columns, or null where there is no such table. */
  columns(table: string): readonly string[] | null {
    const found = this.#tables.get(table);
    return found ? [...found.keys()] : null;
  }

  column(table: string, column: string): FoundColumn | undefined {
    return this.#tables.get(table)?.get(column);
  }

  hasIndex(table: string, index: string): boolean {
    return this.#indexes.has(`${table}.${index}`);
  }
}

const collations = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'] as const;

/**
 * @param whose foreign keys: those of this database, or those of all that refer to it too, for which a server looks
 *   into every database it has.
 * @throws StorageError with reason UNAVAILABLE, also for a server that is too old.
 */
export async function readSchema(
  session: Session,
  database: string,
  whose: 'own' | 'all' = 'own',
): Promise<FoundSchema> {
  const columns = await session.rows<Omit<FoundColumn, 'isNullable'> & { nullable: string }>(
    `SELECT table_name AS \`table\`, column_name AS \`column\`, column_type AS type, is_nullable AS nullable,
      collation_name AS collation
    FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, ordinal_position`,
    [database],
  );
  return new FoundSchema({
    database,
    exactCollation: await findExactCollation(session),
    columns: columns.map(({ nullable, ...column }) => ({ ...column, isNullable: nullable === 'YES' })),
    references: await session.rows<FoundReference>(
      `SELECT constraint_name AS name, table_schema AS \`schema\`, table_name AS \`table\`,
        column_name AS \`column\`, referenced_table_schema AS toSchema, referenced_table_name AS toTable,
        referenced_column_name AS toColumn
      FROM information_schema.key_column_usage
      WHERE referenced_table_name IS NOT NULL AND (table_schema = ?${whose === 'all' ? ' OR referenced_table_schema = ?' : ''})
      ORDER BY table_schema, table_name, constraint_name, ordinal_position`,
      whose === 'all' ? [database, database] : [database],
    ),
    indexes: await session.rows<FoundIndex>(
      `SELECT DISTINCT table_name AS \`table\`, index_name AS \`index\`
      FROM information_schema.statistics WHERE table_schema = ?`,
      [database],
    ),
  });
}

/** What a database holds that was just made. */
export async function emptySchema(session: Session, database: string): Promise<FoundSchema> {
  const none = { columns: [], references: [], indexes: [] };
  return new FoundSchema({ database, exactCollation: await findExactCollation(session), ...none });
}

async function findExactCollation(session: Session): Promise<string> {
  const found = await session.rows<{ name: string }>(
    'SELECT collation_name AS name FROM information_schema.collations WHERE collation_name IN (?, ?)',
    collations,
  );
  const name = collations.find((collation) => found.some((row) => row.name === collation));
  if (name !== undefined) return name;
  throw new StorageError(
    'UNAVAILABLE',
    'The database server is too old: Stagewire needs MySQL 8.0.17 or MariaDB 10.6.',
  );
}
