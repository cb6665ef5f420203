// What a named query is in SQLite: a statement, and what its arguments and columns are.
import { schemas, type ColumnKind } from '../schema.ts';
import type { Queries, QueryName } from '../storage.ts';
import type { TableName } from '../tables.ts';

export interface Selection<Argument extends string = string> {
  /** Parameters are named as the query's arguments are. */
  readonly sql: string;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** Arguments that are times. All others are bound as they are. */
  readonly times?: readonly Argument[];
}

/** Of every query. */
export type Selections = {
  readonly [Name in QueryName]: Selection<keyof Queries[Name]['args'] & string>;
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

/** SQLite takes a limit below zero for none at all. */
export const limited = 'LIMIT max(:limit, 0)';
