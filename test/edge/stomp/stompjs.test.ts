import { FrameImpl, Parser } from '@stomp/stompjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/edge/stomp/encoder.ts';
import type { Header, StompVersion } from '../../../src/edge/stomp/version.ts';
import { bytesOf, cut, parse, VERSIONS, type ParsedFrame } from './parsed.ts';

type RawFrame = Parameters<typeof FrameImpl.fromRawFrame>[0];

interface Sent {
  readonly headers: readonly Header[];
  readonly body: string | Uint8Array;
}

const sorted = (headers: readonly Header[]): Header[] => headers.toSorted(([a], [b]) => (a < b ? -1 : 1));
const latin1 = (body: string | Uint8Array): string => Buffer.from(body as string).toString('latin1');

/** A frame as the client library writes it on a connection of that version. */
function marshal(version: StompVersion, command: string, sent: Sent): Uint8Array {
  const wire: unknown = FrameImpl.marshall({
    command,
    headers: Object.fromEntries(sent.headers),
    escapeHeaderValues: version !== '1.0',
    ...(typeof sent.body === 'string' ? { body: sent.body } : { binaryBody: sent.body }),
  });
  return typeof wire === 'string' ? bytesOf(wire) : new Uint8Array(wire as ArrayBuffer);
}

/** Frames as the client library reads them on a connection of that version. */
function unmarshal(version: StompVersion, bytes: Uint8Array): { frames: ParsedFrame[]; heartBeats: number } {
  const frames: ParsedFrame[] = [];
  let heartBeats = 0;
  const onFrame = (raw: RawFrame): void => {
    const { command, headers, binaryBody } = FrameImpl.fromRawFrame(raw, version !== '1.0');
    frames.push({ command, headers: sorted(Object.entries(headers)), body: latin1(binaryBody) });
  };
  const reader = new Parser(onFrame, () => heartBeats++);
  reader.parseChunk(new Uint8Array(bytes).buffer);
  return { frames, heartBeats };
}

const parseSorted = (version: StompVersion, chunks: readonly Uint8Array[]): ParsedFrame[] => {
  const { frames, error } = parse(version, chunks);
  expect(error).toBeNull();
  return frames.map((frame) => ({ ...frame, headers: sorted(frame.headers) }));
};

const value = fc.string({
  unit: fc.constantFrom('a', 'n', 'c', 'r', '\\', ':', '\n', '\r', ' ', '/', 'ž', '😀'),
  maxLength: 10,
});

/** Header values both sides can write: the library writes \r also in 1.1, which does not have it. */
function valueOf(version: StompVersion): fc.Arbitrary<string> {
  const unwritable = { '1.0': /[\r\n]/, '1.1': /\r/, '1.2': /^\b$/ }[version];
  // The library trims what it reads, in every version.
  return value.filter((text) => !unwritable.test(text) && text === text.trim());
}

// The library takes a backslash and the letter after it for an escape even when that backslash is escaped.
const readsRight = (headers: readonly Header[]): boolean =>
  headers.every(([, text]) => !/\\[rnc]/.test(text));

const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', 'ž'), maxLength: 6 }).map((rest) => `x${rest}`);
const sentOf = (version: StompVersion): fc.Arbitrary<Sent> =>
  fc.record({
    headers: fc.uniqueArray(fc.tuple(name, valueOf(version)), { selector: ([key]) => key, maxLength: 5 }),
    body: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array()),
  });

describe('frames of @stomp/stompjs', () => {
  it.each(VERSIONS)('[STOMP20] what the library sends arrives as it was meant (STOMP %s)', (version) => {
    fc.assert(
      fc.property(
        fc.array(sentOf(version), { maxLength: 4 }),
        fc.array(fc.nat({ max: 300 })),
        (list, places) => {
          const stream = Buffer.concat(
            list.flatMap((sent) => [marshal(version, 'SEND', sent), bytesOf('\n')]),
          );
          const parsed = parseSorted(version, cut(stream, places));
          expect(parsed.map((frame) => frame.body)).toEqual(list.map((sent) => latin1(sent.body)));
          const customHeaders = parsed.map((frame) =>
            frame.headers.filter(([key]) => key !== 'content-length'),
          );
          expect(customHeaders).toEqual(list.map((sent) => sorted(sent.headers)));
          if (list.every((sent) => readsRight(sent.headers))) {
            expect(unmarshal(version, stream)).toEqual({ frames: parsed, heartBeats: list.length });
          }
        },
      ),
      { seed: 20, numRuns: 1_000 },
    );
  });

  it.each(VERSIONS)('[STOMP20] the library reads what we send (STOMP %s)', (version) => {
    fc.assert(
      fc.property(sentOf(version), ({ headers, body }) => {
        fc.pre(readsRight(headers));
        const bytes = encodeFrame(version, 'MESSAGE', headers, body);
        const contentLength: Header = ['content-length', `${Buffer.from(body as string).length}`];
        expect(unmarshal(version, bytes).frames).toEqual([
          { command: 'MESSAGE', headers: sorted([...headers, contentLength]), body: latin1(body) },
        ]);
      }),
      { seed: 201, numRuns: 1_000 },
    );
  });

  it('[STOMP20] CONNECT and CONNECTED pass unescaped both ways', () => {
    const headers: Header[] = [
      ['accept-version', '1.2,1.1,1.0'],
      ['passcode', 'a\\n:b'],
    ];
    const connect = marshal('1.2', 'CONNECT', { headers, body: '' });
    expect(parse('1.2', [connect]).frames).toEqual([{ command: 'CONNECT', headers, body: '' }]);
    const connected = encodeFrame('1.2', 'CONNECTED', [['user-name', 'a\\n:b']]);
    expect(unmarshal('1.2', connected).frames).toEqual([
      { command: 'CONNECTED', headers: [['user-name', 'a\\n:b']], body: '' },
    ]);
  });

  it('[STOMP20] a large frame that the library splits over WebSocket messages', () => {
    const body = 'abcž'.repeat(10_000);
    const wire = Buffer.from(
      marshal('1.2', 'SEND', { headers: [['destination', '/topic/a']], body }),
    ).toString();
    const chunks = Array.from({ length: Math.ceil(wire.length / 8_192) }, (_, index) =>
      bytesOf(wire.slice(index * 8_192, (index + 1) * 8_192)),
    );
    expect(parse('1.2', chunks).frames).toMatchObject([{ command: 'SEND', body: latin1(body) }]);
  });
});
