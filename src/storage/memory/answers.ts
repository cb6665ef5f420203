// Rows as queries in memory give them: copies, between bounds.
import { firstIndex } from './table.ts';
import type { MemoryRows } from './rows.ts';
import type { Queries, QueryName, Rows } from '../storage.ts';

/** Every query. */
export type MemoryQueries = {
  readonly [Name in QueryName]: (rows: MemoryRows, args: Queries[Name]['args']) => Rows<Name>;
};

// A body is the one value of a row that could be changed in place.
const copy = <Row extends object>(row: Row): Row =>
  'body' in row ? { ...row, body: Buffer.from(row.body as Uint8Array) } : { ...row };

export const copied = <Row extends object>(rows: readonly Row[]): Row[] => rows.map(copy);

export const oneOrNone = <Row extends object>(row: Row | undefined): Row[] => (row ? [copy(row)] : []);

/** At most `limit` rows from the first for which `holds` on, given that it holds for all that follow. */
export function page<Row extends object>(
  rows: readonly Row[],
  limit: number,
  holds: (row: Row) => boolean,
): Row[] {
  const start = firstIndex(rows, holds);
  return copied(rows.slice(start, start + Math.max(limit, 0)));
}

/** At most `limit` rows, those before the first for which `holds`, last first. */
export function pageBefore<Row extends object>(
  rows: readonly Row[],
  limit: number,
  holds: (row: Row) => boolean,
): Row[] {
  const end = firstIndex(rows, holds);
  return copied(rows.slice(Math.max(end - Math.max(limit, 0), 0), end)).toReversed();
}
