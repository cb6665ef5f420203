// One table in SQLite: its row changes, each prepared once.
import type { Statement } from 'better-sqlite3';
import { toIsoTime } from './iso-time.ts';
import type { ColumnKind, TableSchema } from '../schema.ts';
import type { Connection } from './connection.ts';
import { storableText } from '../storable.ts';
import type { TableName } from '../tables.ts';

type Value = string | number | Uint8Array | null;

function toValue(kind: ColumnKind, value: unknown): Value {
  if (value === null) return null;
  switch (kind) {
    case 'text':
      return storableText(value as string);
    case 'boolean':
      return value ? 1 : 0;
    case 'time':
      return toIsoTime(value as number);
    default:
      return value as Value;
  }
}

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
        return toValue(this.#schema.columns[column], key[column]);
      }),
    );
  }

  #values(row: Row): Value[] {
    const values: Value[] = [];
    for (const [column, kind] of this.#columns) values.push(toValue(kind, row[column]));
    return values;
  }
}
