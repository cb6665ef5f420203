// Frames of clients, against another encoder of MessagePack, and whatever else a socket may bring.
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError, type Frame } from '../../../src/edge/frame.ts';
import { layouts } from '../../../src/edge/msgpack/commands.ts';
import { readFrame } from '../../../src/edge/msgpack/frame-reader.ts';
import { frame, limits, pack, unpack } from './arbitrary.ts';

interface Read {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly isText: boolean;
}

function read(bytes: Uint8Array, bounds = limits): Read {
  let got: Read | undefined;
  readFrame(bytes, bounds, ({ command, headers, body }: Frame, isText) => {
    const all = new Map([...headers]);
    for (const [name, value] of all) expect([headers.get(name), headers.has(name)]).toEqual([value, true]);
    expect(headers.has('not there')).toBe(false);
    got = { command, headers: all, body: Buffer.from(body).toString('hex'), isText };
  });
  return got as Read;
}

/** The code of the ProtocolError, or null; whatever else is thrown goes on. */
function codeOf(bytes: Uint8Array, bounds = limits): string | null {
  try {
    read(bytes, bounds);
    return null;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

/** What the tables say that a frame says. */
function meant([number, ...elements]: readonly unknown[]): Read {
  const layout = layouts[number as number];
  const headers = new Map<string, string>();
  let others = new Map<string, string | number>();
  let body: unknown = '';
  for (const [place, element] of elements.entries()) {
    const type = layout?.types[place];
    if (element === null) continue;
    if (type === 'body') body = element;
    else if (type === 'headers') others = element as typeof others;
    else headers.set(layout?.headers[place] ?? '', `${element as string | number}`);
  }
  for (const [name, value] of others) headers.set(name, String(value));
  const isText = typeof body === 'string' && elements[1] === body && layout?.types[1] === 'body';
  return {
    command: layout?.command ?? '',
    headers,
    body: Buffer.from(body as string).toString('hex'),
    isText,
  };
}

test('[BIN20] [BIN3] what another encoder writes is read as it was meant', () => {
  fc.assert(
    fc.property(frame, (elements) => {
      expect(read(pack(elements))).toEqual(meant(elements));
    }),
    { numRuns: 2_000, seed: 7 },
  );
});

test('[BIN7] a frame that is cut anywhere, or goes on, is none', () => {
  fc.assert(
    fc.property(frame, fc.uint8Array({ minLength: 1, maxLength: 4 }), (elements, more) => {
      const bytes = pack(elements);
      for (let length = 0; length < bytes.length; length++) {
        expect(codeOf(bytes.subarray(0, length))).toBe('BAD_REQUEST');
      }
      expect(codeOf(Uint8Array.from([...bytes, ...more]))).toBe('BAD_REQUEST');
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('[BIN7] bytes that were changed are a frame that another decoder reads too, or none', () => {
  const changes = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(frame, changes, (elements, all) => {
      const bytes = pack(elements);
      for (const [at, octet] of all) bytes[at % bytes.length] = octet;
      if (codeOf(bytes) !== null) return;
      const [number, ...rest] = unpack(bytes) as unknown[];
      const plain = rest.map((element) => (element instanceof Map ? element : (element ?? null)));
      const { headers, ...other } = meant([number, ...plain]);
      // The other one reads texts that are no UTF-8, and large numbers, in ways of its own; here there are none.
      expect({ ...other, headers }).toEqual(read(bytes));
    }),
    { numRuns: 5_000, seed: 7 },
  );
});

test('[BIN7] [BIN8] any bytes are a frame or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 15 }), (bytes, count) => {
      codeOf(bytes);
      codeOf(Uint8Array.from([0x90 | count, ...bytes]));
    }),
    { numRuns: 20_000, seed: 7 },
  );
});

test('[BIN3] every form of a number that holds it is taken', () => {
  const bigEndian = (value: number, octets: number): number[] =>
    Array.from({ length: octets }, (_none, index) => Math.floor(value / 256 ** (octets - 1 - index)) % 256);
  for (const [first, octets, isSigned] of [
    [0xcc, 1, false],
    [0xcd, 2, false],
    [0xce, 4, false],
    [0xcf, 8, false],
    [0xd0, 1, true],
    [0xd1, 2, true],
    [0xd2, 4, true],
    [0xd3, 8, true],
  ] as const) {
    const most = Math.min(0xffff_ffff, 256 ** octets / (isSigned ? 2 : 1) - 1);
    for (const value of [0, 1, 0x7f, most]) {
      const bytes = Uint8Array.from([0x92, 0x0a, first, ...bigEndian(value, octets)]);
      expect(read(bytes).headers.get('receipt')).toBe(String(value));
    }
    const below = Uint8Array.from([0x92, 0x0a, first, ...Array.from({ length: octets }, () => 0xff)]);
    expect(codeOf(below)).toBe(octets === 8 || isSigned ? 'BAD_REQUEST' : null);
  }
  for (const head of [[0x92], [0xdc, 0, 2], [0xdd, 0, 0, 0, 2]]) {
    for (const command of [[0x0a], [0xcc, 0x0a]]) {
      for (const text of [[0xa1], [0xd9, 1], [0xda, 0, 1], [0xdb, 0, 0, 0, 1]]) {
        expect(read(Uint8Array.from([...head, ...command, ...text, 0x78])).headers.get('receipt')).toBe('x');
      }
    }
  }
  for (const map of [[0x81], [0xde, 0, 1], [0xdf, 0, 0, 0, 1]]) {
    const bytes = Uint8Array.from([0x94, 5, 0xa1, 0x78, 0xc0, ...map, 0xa1, 0x61, 0xa1, 0x62]);
    expect(read(bytes).headers.get('a')).toBe('b');
  }
  for (const binary of [
    [0xc4, 1],
    [0xc5, 0, 1],
    [0xc6, 0, 0, 0, 1],
  ]) {
    expect(read(Uint8Array.from([0x93, 2, 0xa1, 0x78, ...binary, 0xff])).body).toBe('ff');
  }
});

test('[BIN8] the bounds of a frame are exact', () => {
  const send = (bytes: number): Uint8Array => pack([2, '/topic/a', new Uint8Array(bytes)]);
  const bounds = { frameBytesMax: 500, headersMax: 2, headerBytesMax: 40 };
  const around = send(300).length - 300;
  expect(codeOf(send(500 - around), bounds)).toBeNull();
  expect(codeOf(send(501 - around), bounds)).toBe('TOO_LARGE');
  const acknowledge = (headers: ReadonlyMap<string, string>): Uint8Array => pack([5, 'x', null, headers]);
  expect(
    codeOf(
      acknowledge(
        new Map([
          ['a', ''],
          ['b', ''],
        ]),
      ),
      bounds,
    ),
  ).toBeNull();
  expect(
    codeOf(
      acknowledge(
        new Map([
          ['a', ''],
          ['b', ''],
          ['c', ''],
        ]),
      ),
      bounds,
    ),
  ).toBe('TOO_LARGE');
  const frameBytes = acknowledge(new Map([['a', 'x']])).length;
  expect(codeOf(acknowledge(new Map([['a', 'x'.repeat(41 - frameBytes)]])), bounds)).toBeNull();
  expect(codeOf(acknowledge(new Map([['a', 'x'.repeat(42 - frameBytes)]])), bounds)).toBe('TOO_LARGE');
});
