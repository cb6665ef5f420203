import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FrameLimits } from '../../../src/edge/frame.ts';
import { bytesOf, cut, parse, VERSIONS } from './parsed.ts';

const limits: FrameLimits = { frameBytesMax: 120, headersMax: 6, headerBytesMax: 60 };

const lineEnd = fc.constantFrom('\n', '\r\n');
const headerText = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '\\n', '\\\\', 'ž', '😀'),
  maxLength: 6,
});
const body = fc.string({ unit: fc.constantFrom('x', '\n', '\r', ':', 'ž'), maxLength: 30 });

/** A frame as a client writes it; now and then one that is too large. */
const frame = fc
  .record({
    eol: lineEnd,
    headers: fc.array(fc.tuple(headerText, headerText), { maxLength: 4 }),
    body,
    announces: fc.boolean(),
    heartBeats: fc.array(lineEnd, { maxLength: 3 }),
  })
  .map(({ eol, headers, body: text, announces, heartBeats }) => {
    const lines = headers.map(([name, value]) => `n${name}:${value}`);
    if (announces) lines.push(`content-length:${bytesOf(text).length}`);
    return `SEND${eol}${lines.map((line) => line + eol).join('')}${eol}${text}\0${heartBeats.join('')}`;
  });

const goodStream = fc.array(frame, { maxLength: 6 }).map((frames) => bytesOf(frames.join('')));

/** A stream of frames with a few bytes overwritten. */
const damagedStream = fc
  .tuple(goodStream, fc.array(fc.tuple(fc.nat({ max: 400 }), fc.constantFrom(0, 10, 13, 58, 92, 65, 0xff))))
  .map(([bytes, damages]) => {
    const damaged = bytes.slice();
    for (const [place, octet] of damages) if (place < damaged.length) damaged[place] = octet;
    return damaged;
  });

describe('chunking', () => {
  it.each(VERSIONS)(
    '[STOMP15] any cut of a stream gives the same frames and the same error (STOMP %s)',
    (version) => {
      fc.assert(
        fc.property(fc.oneof(goodStream, damagedStream), fc.array(fc.nat({ max: 500 })), (stream, places) => {
          const { frames, error } = parse(version, [stream], limits);
          expect(parse(version, cut(stream, places), limits)).toMatchObject({ frames, error });
        }),
        { seed: 15, numRuns: 2_000 },
      );
    },
  );

  it.each(VERSIONS)(
    '[STOMP15] byte by byte gives the same frames and the same error (STOMP %s)',
    (version) => {
      fc.assert(
        fc.property(damagedStream, (stream) => {
          const { frames, error } = parse(version, [stream], limits);
          const single = Array.from(stream, (octet) => Uint8Array.of(octet));
          expect(parse(version, single, limits)).toMatchObject({ frames, error });
        }),
        { seed: 151, numRuns: 500 },
      );
    },
  );

  it('[STOMP3] frames with line ends between them all come through', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(body, fc.array(lineEnd))), (items) => {
        const text = items.map(([content, eols]) => `SEND\n\n${content}\0${eols.join('')}`).join('');
        const bodies = parse('1.2', [bytesOf(text)], limits).frames.map((parsed) => parsed.body);
        expect(bodies).toEqual(items.map(([content]) => Buffer.from(content).toString('latin1')));
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});
