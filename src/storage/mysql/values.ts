// Values of the contract as MySQL keeps them, and back.
import type { ColumnKind } from '../schema.ts';
import { storableText, storableTime } from '../storable.ts';

export type Value = string | number | Buffer | null;

/** The greatest whole number that bounds are told as; no row has one above it. */
const boundMax = Number.MAX_SAFE_INTEGER;

/** `2026-01-31 12:00:00.000`, in UTC. @throws RangeError as `storableTime` does. */
export function toDateTime(timeMs: number): string {
  return new Date(storableTime(timeMs)).toISOString().replace('T', ' ').slice(0, -1);
}

export function fromDateTime(text: string): number {
  // Microseconds are the reference's; ours are whole milliseconds.
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, 23)}Z`);
}

/** @throws RangeError for a time that can't be kept. */
export function toValue(kind: ColumnKind, value: unknown): Value {
  if (value === null) return null;
  switch (kind) {
    case 'text':
      return storableText(value as string);
    case 'boolean':
      return value ? 1 : 0;
    case 'time':
      return toDateTime(value as number);
    case 'bytes': {
      const bytes = value as Uint8Array;
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    default:
      return value as number;
  }
}

export function fromValue(kind: ColumnKind, value: unknown): unknown {
  if (value === null) return null;
  switch (kind) {
    case 'time':
      return fromDateTime(value as string);
    case 'boolean':
      return Number(value) !== 0;
    case 'integer':
      return Number(value);
    default:
      return value;
  }
}

/** A bound of a comparison, which may be infinite. */
export function toBound(value: number): number {
  return Math.min(Math.max(value, -boundMax), boundMax);
}
