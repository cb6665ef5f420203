// What a named query is in SQL: a statement, and what its arguments and columns are.
import { schemas, type ColumnKind } from '../schema.ts';
import { nearestTime, storableText } from '../storable.ts';
import type { Queries, QueryName } from '../storage.ts';
import type { TableName } from '../tables.ts';

export interface Selection<Argument extends string = string> {
  /** Parameters are named as the query's arguments are. */
  readonly sql: string;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** Arguments that are times. */
  readonly times?: readonly Argument[];
}

/** Of some queries, by their names. */
export type Selections<Name extends QueryName = QueryName> = {
  readonly [N in Name]: Selection<keyof Queries[N]['args'] & string>;
};

/** All columns of a table, as they are called in a statement where the table is called `alias`. */
export function columnsOf(table: TableName, alias: string = table): string {
  return Object.keys(schemas[table].columns)
    .map((column) => `${alias}.${column}`)
    .join(', ');
}

/** Whole rows of one table. */
export function select(table: TableName, rest: string): Pick<Selection, 'sql' | 'columns'> {
  return { sql: `SELECT ${columnsOf(table)} FROM ${table} ${rest}`, columns: schemas[table].columns };
}

/** Below every whole number that is stored. */
export const lowest = String(Number.MIN_SAFE_INTEGER - 1);

// Beyond every whole number that is stored: not every database knows infinite ones.
const boundMax = 1e18;

/**
 * The arguments of a query as a driver can bind them: texts that are UTF-8, times as text, finite bounds, and no limit
 * below zero, which SQLite takes for none at all.
 */
export function boundArguments(
  args: object,
  times: readonly string[],
  toTime: (timeMs: number) => string,
): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(args) as [string, string | number][]) {
    if (typeof value === 'string') values[name] = storableText(value);
    else if (times.includes(name)) values[name] = toTime(nearestTime(value));
    else values[name] = Math.min(Math.max(value, name === 'limit' ? 0 : -boundMax), boundMax);
  }
  return values;
}
