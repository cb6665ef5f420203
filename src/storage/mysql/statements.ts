// Statements that change many rows of one table at once, and how many rows each may have.
import { schemas, type ColumnKind, type TableSchema } from '../schema.ts';
import { toIsoTime } from '../sql/iso-time.ts';
import { toValue, type Value } from '../sql/value.ts';
import type { TableName } from '../tables.ts';

export type BatchedRow = Readonly<Record<string, unknown>>;

/** Parameters in the order of a statement's question marks, of one row. */
export type Parameters = readonly Value[];

const schemaOf = (table: TableName) => schemas[table] as TableSchema<Record<string, unknown>>;

/** ISO-8601 without its `Z`, which the servers don't take. */
export const toServerTime = (timeMs: number): string => toIsoTime(timeMs).slice(0, -1);

/** @throws RangeError or TypeError for a value that can't be stored. */
export function toServerValue(kind: ColumnKind, value: unknown): Value {
  const bound = toValue(kind, value, toServerTime);
  if (kind === 'integer' && bound !== null && !Number.isSafeInteger(bound)) {
    throw new RangeError(`${String(bound)} is not a whole number that can be stored.`);
  }
  if (kind === 'bytes' && bound instanceof Uint8Array) {
    // The driver knows bytes by this class.
    return Buffer.from(bound.buffer, bound.byteOffset, bound.byteLength);
  }
  return bound;
}

/** @throws as `toServerValue` does. */
export function rowParameters(table: TableName, row: BatchedRow): Parameters {
  return Object.entries(schemaOf(table).columns).map(([column, kind]) => toServerValue(kind, row[column]));
}

/** @throws as `toServerValue` does, and TypeError for a key that is not whole. */
export function keyParameters(table: TableName, key: BatchedRow): Parameters {
  const { columns, key: names } = schemaOf(table);
  return names.map((column) => {
    if (key[column] === undefined) throw new TypeError(`A delete needs ${column}.`);
    return toServerValue(columns[column] ?? 'text', key[column]);
  });
}

/** Remembers what was made: there are but a few numbers of rows, as `slices` has them. */
function remembered(
  make: (table: TableName, rows: number) => string,
): (table: TableName, rows: number) => string {
  const made = new Map<string, string>();
  return (table, rows) => {
    const name = `${table} ${rows}`;
    const sql = made.get(name) ?? make(table, rows);
    made.set(name, sql);
    return sql;
  };
}

const repeated = (part: string, count: number, between: string): string =>
  Array.from({ length: count }, () => part).join(between);

export const insertSql = remembered((table, rows) => {
  const columns = Object.keys(schemaOf(table).columns);
  const row = `(${repeated('?', columns.length, ', ')})`;
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${repeated(row, rows, ', ')}`;
});

/**
 * Rows whose keys are there are changed in place. The servers do so with any row that is in the way of the new one, even
 * when it is only its place that is taken: then the place is made NULL, which no row may have, and all is refused.
 */
export const upsertSql = remembered((table, rows) => {
  const { columns, key, place } = schemaOf(table);
  const changes = Object.keys(columns)
    .filter((column) => !key.includes(column))
    .map((column) => {
      const value = `VALUES(${column})`;
      if (column !== place?.[1]) return `${column} = ${value}`;
      const isSame = key.map((name) => `${name} = VALUES(${name})`).join(' AND ');
      return `${column} = IF(${isSame}, ${value}, NULL)`;
    });
  return `${insertSql(table, rows)} ON DUPLICATE KEY UPDATE ${changes.join(', ')}`;
});

export const deleteSql = remembered((table, rows) => {
  const { key } = schemaOf(table);
  const [only] = key;
  const where =
    key.length === 1
      ? `${only} IN (${repeated('?', rows, ', ')})`
      : repeated(`(${key.map((column) => `${column} = ?`).join(' AND ')})`, rows, ' OR ');
  return `DELETE FROM ${table} WHERE ${where}`;
});

/** Makes the counters that are missing, with the epoch, and counts the others on. */
export function countSql(streams: number): string {
  return `INSERT INTO streams (stream, epoch, seq) VALUES ${repeated('(?, ?, ?)', streams, ', ')}
    ON DUPLICATE KEY UPDATE seq = seq + VALUES(seq)`;
}

export function countedSql(streams: number): string {
  return `SELECT stream, seq FROM streams WHERE stream IN (${repeated('?', streams, ', ')})`;
}

// More in one statement are hardly cheaper per row.
const rowsMax = 256;
// A statement is put together and taken apart as a whole, at both ends.
const bytesMax = 1024 * 1024;
const bytesPerParameter = 16;
/** What a statement may need beside its parameters. */
const bytesReserved = 64 * 1024;

/** At most 3 bytes of UTF-8 for each unit of a text: the exact number is not worth its price. */
function bytesAtMost(parameters: Parameters): number {
  let bytes = 0;
  for (const value of parameters) {
    bytes += bytesPerParameter;
    if (typeof value === 'string') bytes += value.length * 3;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
  }
  return bytes;
}

function exactBytes(parameters: Parameters): number {
  return parameters.reduce<number>((bytes, value) => {
    const own = typeof value === 'string' ? Buffer.byteLength(value) : 0;
    return bytes + bytesPerParameter + (value instanceof Uint8Array ? value.byteLength : own);
  }, 0);
}

/**
 * The rows in slices of 1, 2, 4 … rows, so that few different statements serve for any number of them, none too long.
 *
 * @param packetBytesMax the longest statement that the server takes.
 * @throws RangeError for a row that is longer.
 */
export function slices(rows: readonly Parameters[], packetBytesMax: number): Parameters[][] {
  const sizes = rows.map(bytesAtMost);
  const longest = packetBytesMax - bytesReserved;
  rows.forEach((row, index) => {
    if ((sizes[index] ?? 0) <= longest || exactBytes(row) <= longest) return;
    throw new RangeError(`A row is longer than the ${packetBytesMax} bytes that the database server takes.`);
  });
  const made: Parameters[][] = [];
  for (let start = 0; start < rows.length;) {
    let count = Math.min(2 ** Math.floor(Math.log2(rows.length - start)), rowsMax);
    const bytes = () => sizes.slice(start, start + count).reduce((sum, size) => sum + size, 0);
    while (count > 1 && bytes() > Math.min(bytesMax, longest)) count /= 2;
    made.push(rows.slice(start, start + count));
    start += count;
  }
  return made;
}
