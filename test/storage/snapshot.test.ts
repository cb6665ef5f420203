// Snapshots as bytes: what was spoilt is never taken for good.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Packr } from 'msgpackr';
import { checksum } from '../../src/lib/checksum.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  snapshotBytesMax,
  type Snapshot,
} from '../../src/storage/snapshot.ts';

const name = 'document/d1';
const form = 3;
const example: Snapshot = {
  name,
  form,
  epoch: 'e1',
  place: 7,
  data: { content: 'h\u00e9llo', list: [1, 2] },
};

function encoded(snapshot: Snapshot): Uint8Array {
  return encodeSnapshot(snapshot) ?? expect.fail('too large');
}

function defectOf(bytes: Uint8Array): string | null {
  const decoded = decodeSnapshot(bytes, name, form);
  return 'defect' in decoded ? decoded.defect : null;
}

/** Bytes with a right checksum around any fields. */
function sealed(fields: unknown): Buffer {
  const rest = new Packr({ useRecords: false }).pack(fields);
  const head = Buffer.from(encoded(example).subarray(0, 7));
  head.writeUInt32BE(checksum(rest), 3);
  return Buffer.concat([head, rest]);
}

/** Bytes as lists: they may come out as another kind of bytes. */
function plain(snapshot: Snapshot): unknown {
  const { data: of } = snapshot;
  return { ...snapshot, data: of instanceof Uint8Array ? [...of] : of };
}

const data = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('-0')),
  fc.uint8Array(),
  fc.array(fc.tuple(fc.string(), fc.nat())),
);
const snapshot = fc.record({
  name: fc.constant(name),
  form: fc.constant(form),
  epoch: fc.string(),
  place: fc.maxSafeInteger(),
  data,
});

describe('a snapshot', () => {
  test('[SNAP1] comes out of its bytes as it went in, wherever those lie in memory', () => {
    fc.assert(
      fc.property(snapshot, fc.nat(20), (one, offset) => {
        const bytes = encoded(one);
        const moved = Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset);
        for (const at of [bytes, new Uint8Array(bytes), moved]) {
          const decoded = decodeSnapshot(at, name, form);
          expect('snapshot' in decoded && plain(decoded.snapshot)).toEqual(plain(one));
        }
      }),
      { seed: 1 },
    );
  });

  test('[SNAP2] is never taken for good when any of its bytes were changed, lost or added', () => {
    const spoil = fc.oneof(
      fc.tuple(fc.constant('change'), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 })),
      fc.tuple(fc.constant('cut'), fc.nat(), fc.constant(new Uint8Array())),
      fc.tuple(fc.constant('insert'), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 })),
      fc.tuple(fc.constant('remove'), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 })),
    );
    fc.assert(
      fc.property(snapshot, spoil, (one, [how, at, bytes]) => {
        const good = Buffer.from(encoded(one));
        const place = at % good.length;
        let bad = Buffer.from(good);
        if (how === 'change') bad.set(bytes.subarray(0, good.length - place), place);
        else if (how === 'cut') bad = bad.subarray(0, place);
        else {
          const rest = good.subarray(how === 'remove' ? place + bytes.length : place);
          bad = Buffer.concat(
            [good.subarray(0, place), how === 'remove' ? [] : bytes, rest].map((part) => Buffer.from(part)),
          );
        }
        if (!bad.equals(good)) expect(defectOf(bad)).not.toBeNull();
      }),
      { seed: 2, numRuns: 3_000 },
    );
  });

  test('[SNAP2] is never seen in bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(defectOf(bytes)).not.toBeNull();
        expect(defectOf(Buffer.concat([encoded(example).subarray(0, 7), bytes]))).not.toBeNull();
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });

  test('[SNAP3] of something else, of another form or version, or of no shape at all is told from a good one', () => {
    expect(defectOf(encoded(example))).toBeNull();
    expect(defectOf(encoded({ ...example, name: 'document/d2' }))).toBe('it is one of document/d2');
    expect(defectOf(encoded({ ...example, form: 2 }))).toBe('it is of form 2');
    const other = Buffer.from(encoded(example));
    other[2] = 2;
    expect(defectOf(other)).toBe('it is of version 2');
    const { epoch, place } = example;
    expect(defectOf(sealed([name, form, epoch, place, null]))).toBeNull();
    const shapes = [
      [],
      null,
      'text',
      [name, form, epoch, place],
      [name, form, epoch, place, 1, 2],
      [name, form, 7, place, null],
      [name, form, epoch, 0.5, null],
      [name, form, epoch, Infinity, null],
      [name, '3', epoch, place, null],
      [null, form, epoch, place, null],
    ];
    for (const shape of shapes) expect(defectOf(sealed(shape))).toBe('its fields can not be read');
  });

  test('[SNAP3] that is too large is not made, and not read', () => {
    const content = 'x'.repeat(snapshotBytesMax);
    expect(encodeSnapshot({ ...example, data: content })).toBeNull();
    expect(encodeSnapshot({ ...example, data: content.slice(100) })).not.toBeNull();
    expect(defectOf(Buffer.alloc(snapshotBytesMax + 1))).toBe('it is too large');
  });
});
