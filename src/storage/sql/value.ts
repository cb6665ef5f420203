// Values between the contract and a driver: as they are bound, and as they are given back.
import type { ColumnKind } from '../schema.ts';
import { storableText } from '../storable.ts';

/** What a driver binds. */
export type Value = string | number | Uint8Array | null;

/** @throws RangeError for a time that can't be stored, TypeError for a text that is none. */
export function toValue(kind: ColumnKind, value: unknown, toTime: (timeMs: number) => string): Value {
  if (value === null) return null;
  switch (kind) {
    case 'text':
      return storableText(value as string);
    case 'boolean':
      return value ? 1 : 0;
    case 'time':
      return toTime(value as number);
    default:
      return value as Value;
  }
}

/** By kind, what makes a value of the contract of one of the driver that is not null. Others stay as they are. */
export type Decoders = { readonly [Kind in ColumnKind]?: (value: unknown) => unknown };

/** Turns rows as a driver makes them into rows of the contract, in place. */
export function rowDecoder(
  columns: Readonly<Record<string, ColumnKind>>,
  decoders: Decoders,
): (rows: readonly Record<string, unknown>[]) => void {
  const decoded = Object.entries(columns).flatMap(([column, kind]) => {
    const decode = decoders[kind];
    return decode ? [[column, decode] as const] : [];
  });
  return (rows) => {
    for (const row of rows) {
      for (const [column, decode] of decoded) {
        const value = row[column];
        if (value !== null) row[column] = decode(value);
      }
    }
  };
}
