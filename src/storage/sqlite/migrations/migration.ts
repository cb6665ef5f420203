// One step of a SQLite file's schema.
import type { Migration } from '../../migration.ts';

export interface SqliteMigration extends Migration {
  /** Statements that run in one transaction, with foreign keys off. */
  readonly sql: string;
}
