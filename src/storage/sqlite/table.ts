// One table in SQLite: its row changes, each prepared once.
import type { Statement } from 'better-sqlite3';
import { toIsoTime } from '../sql/iso-time.ts';
import type { ColumnKind, TableSchema } from '../schema.ts';
import type { Connection } from './connection.ts';
import { toValue, type Value } from '../sql/value.ts';
import type { TableName } from '../tables.ts';

export class SqliteTable<Row> {
  readonly #columns: readonly (readonly [keyof Row & string, ColumnKind])[];
  readonly #schema: TableSchema<Row>;
  readonly #insert: Statement;
  readonly #upsert: Statement;
  readonly #delete: Statement;

  constructor(connection: Connection, name: TableName, schema: TableSchema<Row>) {
    this.#columns = Object.entries(schema.columns) as [keyof Row & string, ColumnKind][];
    this.#schema = schema;
    const names = this.#columns.map(([column]) => column);
    const insert = `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    const changes = names
      .filter((column) => !schema.key.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    this.#insert = connection.prepare(insert);
    // Not INSERT OR REPLACE: that deletes the row first, and with it every row that refers to it.
    this.#upsert = connection.prepare(
      `${insert} ON CONFLICT (${schema.key.join(', ')}) DO UPDATE SET ${changes.join(', ')}`,
    );
    this.#delete = connection.prepare(
      `DELETE FROM ${name} WHERE ${schema.key.map((column) => `${column} = ?`).join(' AND ')}`,
    );
  }

  insert(row: Row): void {
    this.#insert.run(...this.#values(row));
  }

  upsert(row: Row): void {
    this.#upsert.run(...this.#values(row));
  }

  delete(key: Partial<Row>): void {
    this.#delete.run(
      ...this.#schema.key.map((column) => {
        if (key[column] === undefined) throw new TypeError(`A delete needs ${column}.`);
        return toValue(this.#schema.columns[column], key[column], toIsoTime);
      }),
    );
  }

  #values(row: Row): Value[] {
    const values: Value[] = [];
    for (const [column, kind] of this.#columns) values.push(toValue(kind, row[column], toIsoTime));
    return values;
  }
}
