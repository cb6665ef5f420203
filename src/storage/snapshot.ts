// A snapshot as bytes. It is only ever a short cut: whoever reads one asks the database whether it bears it out, and goes
// without it where it does not. Pure.
//
// The bytes are a mark and the version of this form, the CRC-32 of the rest, and the rest: a msgpack array of the fields
// below. The checksum tells what was spoilt on the way, not what was forged: whoever may write to Redis or the database is
// trusted.
import { Packr } from 'msgpackr';
import { checksum } from '../lib/checksum.ts';

export interface Snapshot<Data = unknown> {
  /** What it is a snapshot of. */
  readonly name: string;
  /** The shape of `data`, as whoever makes it counts: others can't be read. */
  readonly form: number;
  /** The life of what is in it; '' where there are no lives to be told apart. */
  readonly epoch: string;
  /** How far it reaches: of two, the one with the higher place knows more. */
  readonly place: number;
  /** Plain data. */
  readonly data: Data;
}

/** What bytes hold, or why they are worth nothing, in words for the log. */
export type Decoded = { readonly snapshot: Snapshot } | { readonly defect: string };

/** A larger one would hold up those who share a connection with it. */
export const snapshotBytesMax = 8 * 1024 * 1024;

/** Together they are no msgpack that anybody else would write. */
const mark = [0xc1, 0x53] as const;
const version = 1;
const headBytes = 7;

const packr = new Packr({ useRecords: false });

/** Null when it would be too large. */
export function encodeSnapshot({ name, form, epoch, place, data }: Snapshot): Uint8Array | null {
  const rest = packr.pack([name, form, epoch, place, data]);
  if (rest.length + headBytes > snapshotBytesMax) return null;
  const bytes = Buffer.allocUnsafeSlow(headBytes + rest.length);
  bytes.set([...mark, version]);
  bytes.writeUInt32BE(checksum(rest), 3);
  bytes.set(rest, headBytes);
  return bytes;
}

/** @param name what it should be a snapshot of; of which `form`. */
export function decodeSnapshot(bytes: Uint8Array, name: string, form: number): Decoded {
  if (bytes.length > snapshotBytesMax) return { defect: 'it is too large' };
  if (bytes.length < headBytes || bytes[0] !== mark[0] || bytes[1] !== mark[1]) {
    return { defect: 'it is no snapshot' };
  }
  if (bytes[2] !== version) return { defect: `it is of version ${bytes[2]}` };
  const rest = bytes.subarray(headBytes);
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(3) !== checksum(rest)) {
    return { defect: 'its checksum is wrong' };
  }
  const snapshot = unpacked(rest);
  if (!snapshot) return { defect: 'its fields can not be read' };
  if (snapshot.name !== name) return { defect: `it is one of ${snapshot.name.slice(0, 300)}` };
  if (snapshot.form !== form) return { defect: `it is of form ${snapshot.form}` };
  return { snapshot };
}

function unpacked(bytes: Uint8Array): Snapshot | null {
  try {
    const fields = packr.unpack(bytes) as unknown;
    if (!Array.isArray(fields) || fields.length !== 5) return null;
    const [name, form, epoch, place, data] = fields as unknown[];
    if (typeof name !== 'string' || typeof epoch !== 'string') return null;
    if (!Number.isSafeInteger(form) || !Number.isSafeInteger(place)) return null;
    return { name, form: form as number, epoch, place: place as number, data };
  } catch {
    return null;
  }
}
