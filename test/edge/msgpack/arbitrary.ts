// Frames of clients, made by chance, and an encoder of MessagePack that is not the server's.
import fc from 'fast-check';
import { Packr } from 'msgpackr';

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: false,
  int64AsType: 'number',
});

export const pack = (value: unknown): Uint8Array => new Uint8Array(packr.pack(value));
export const unpack = (bytes: Uint8Array): unknown => packr.unpack(bytes);

export const limits = { frameBytesMax: 65_536, headersMax: 64, headerBytesMax: 16_384 };

/** Half a surrogate pair becomes U+FFFD. */
const wellFormed = (raw: string): string => Buffer.from(raw).toString();

/** Texts that a client may say: no zero byte, no half of a surrogate pair. */
export const text = fc
  .oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ minLength: 30, maxLength: 300 }),
    fc.constantFrom(
      '',
      '0',
      '7',
      '007',
      '4294967295',
      '4294967296',
      '/topic/a',
      '__proto__',
      'x'.repeat(300),
    ),
  )
  .map((raw) => wellFormed(raw.replaceAll('\0', '')));
const number = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff),
);
export const name = fc.oneof(text, number);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }).map((raw) => wellFormed(raw)),
);

/** Names of headers that have no place of their own in any frame. */
const placed = new Set(['', 'id', 'destination', 'receipt', 'transaction']);
const headers = fc
  .array(fc.tuple(text, name), { maxLength: 20 })
  .map((pairs) => new Map(pairs.filter(([key]) => !placed.has(key))));

const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.option(value, { nil: null });

/** The elements after the number, as SPEC.md has them, some of them left out. */
const places: readonly (readonly fc.Arbitrary<unknown>[])[] = [
  [number, text, number, number],
  [text, body, name, headers],
  [name, text, name, headers],
  [name, name],
  [text, name, headers],
  [text, name, headers],
  [name, name],
  [name, name],
  [name, name],
  [name],
];

export const frame: fc.Arbitrary<readonly unknown[]> = fc.nat({ max: places.length - 1 }).chain((index) => {
  const elements = (places[index] ?? []).map((element) => maybe(element));
  return fc
    .tuple(fc.tuple(...elements), fc.nat({ max: elements.length }))
    .map(([all, length]) => [index + 1, ...all.slice(0, length)]);
});
