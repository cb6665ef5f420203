// One step of a MySQL database's schema. Each change of a table is committed by itself there, so a step may break off
// in the middle; it is then planned again from what is there.
import type { Migration } from '../../migration.ts';
import { StorageError } from '../../storage.ts';
import type { FoundSchema } from '../found-schema.ts';

export interface MysqlMigration extends Migration {
  /**
   * The statements that this schema still lacks, in their order; each may rest on those before it, and on the
   * migrations before this one. After any of them a new plan is the rest of the old one.
   *
   * @throws StorageError with reason UNAVAILABLE when the step can't be made here.
   */
  readonly plan: (found: FoundSchema) => readonly string[];
}

export interface TableDefinition {
  readonly name: string;
  readonly columns: Readonly<Record<string, string>>;
  /** Keys and foreign keys. */
  readonly keys: readonly string[];
}

/**
 * A table whose texts are compared exactly, where it is missing.
 *
 * @throws StorageError when there is another one of that name.
 */
export function tableUnless(found: FoundSchema, { name, columns, keys }: TableDefinition): readonly string[] {
  const lines = [...Object.entries(columns).map(([column, type]) => `${column} ${type}`), ...keys];
  const options = `ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=${found.exactCollation}`;
  const made = found.columns(name);
  if (made === null) return [`CREATE TABLE IF NOT EXISTS ${name} (\n  ${lines.join(',\n  ')}\n) ${options}`];
  const wanted = Object.keys(columns);
  if (made.length === wanted.length && wanted.every((column) => made.includes(column))) return [];
  throw refused(
    `The database ${found.database} has a table ${name} of another application: give Stagewire another database, ` +
      'or rename that table.',
  );
}

export function refused(message: string): StorageError {
  return new StorageError('UNAVAILABLE', message);
}
