import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FrameLimits } from '../../../src/edge/frame.ts';
import { StompParser } from '../../../src/edge/stomp/parser.ts';
import { bytesOf, parse, roomyLimits } from './parsed.ts';

const limits: FrameLimits = { frameBytesMax: 100, headersMax: 3, headerBytesMax: 40 };
const parseText = (...chunks: string[]) => parse('1.2', chunks.map(bytesOf), limits);
const tooLarge = { frames: [], error: { code: 'TOO_LARGE' } };

describe('limits', () => {
  it('[STOMP13] a frame of exactly frameBytesMax passes, one byte more does not', () => {
    const head = 'SEND\na:b\n\n';
    const body = 'x'.repeat(100 - head.length - 1);
    expect(parseText(`${head}${body}\0`).frames).toHaveLength(1);
    expect(parseText(`${head}${body}x\0`)).toMatchObject(tooLarge);
  });

  it('[STOMP13] the same with content-length', () => {
    const frame = (length: number) => `SEND\ncontent-length:${length}\n\n${'x'.repeat(length)}\0`;
    const fitting = 100 - frame(10).length + 10;
    expect(parseText(frame(fitting)).frames).toHaveLength(1);
    expect(parseText(frame(fitting + 1))).toMatchObject(tooLarge);
  });

  it('[STOMP13] line ends between frames do not count', () => {
    expect(parseText('\n'.repeat(500), 'SEND\n\na\0').frames).toHaveLength(1);
  });

  it.each(['101', '999999999999999999999999', '9'.repeat(20)])(
    '[STOMP13] content-length %s trips before any of the body came',
    (length) => {
      expect(parseText(`SEND\ncontent-length:${length}\n\n`)).toMatchObject(tooLarge);
    },
  );

  it('[STOMP13] headers trip at headerBytesMax, without waiting for their end', () => {
    const head = `SEND\na:${'x'.repeat(40 - 9)}\n\n`;
    expect(head).toHaveLength(40);
    expect(parseText(`${head}\0`).frames).toHaveLength(1);
    expect(parseText(`SEND\na:${'x'.repeat(40 - 7)}`)).toMatchObject(tooLarge);
    expect(parseText(`SEND\na:${'x'.repeat(40 - 8)}`)).toMatchObject({ frames: [], error: null });
  });

  it('[STOMP13] a command line without end trips too', () => {
    expect(parseText('S'.repeat(40))).toMatchObject(tooLarge);
  });

  it('[STOMP13] headerBytesMax above frameBytesMax means frameBytesMax', () => {
    const parsed = parse('1.2', [bytesOf('S'.repeat(100))], { ...limits, headerBytesMax: 1_000 });
    expect(parsed).toMatchObject(tooLarge);
  });

  it('[STOMP13] a body without content-length trips at frameBytesMax, without waiting for its NUL', () => {
    expect(parseText(`SEND\n\n${'x'.repeat(93)}`)).toMatchObject({ frames: [], error: null });
    expect(parseText(`SEND\n\n${'x'.repeat(94)}`)).toMatchObject(tooLarge);
    expect(parseText('SEND\n\n', 'x'.repeat(93), 'x')).toMatchObject(tooLarge);
  });

  it('[STOMP13] headers are counted, repeated ones too', () => {
    expect(parseText('SEND\na:1\na:2\nb:1\n\n\0').frames).toHaveLength(1);
    expect(parseText('SEND\na:1\na:2\na:3\na:4\n\n\0')).toMatchObject(tooLarge);
  });

  it('[STOMP13] frames before the one that is too large are handed over', () => {
    expect(parseText(`SEND\n\na\0SEND\n\n${'x'.repeat(200)}`)).toMatchObject({
      frames: [{ body: 'a' }],
      error: { code: 'TOO_LARGE' },
    });
  });
});

describe('memory', () => {
  it('[STOMP16] nothing is held between whole frames', () => {
    const parser = new StompParser(roomyLimits);
    for (const chunk of ['SEND\n', '\nab', 'c\0\n\nSEND\n\nd\0\n'])
      parser.push(bytesOf(chunk), () => undefined);
    expect(parser.bufferedBytes).toBe(0);
  });

  it('[STOMP16] an announced length reserves nothing', () => {
    const parser = new StompParser(roomyLimits);
    parser.push(bytesOf('SEND\ncontent-length:60000\n\nabc'), () => undefined);
    expect(parser.bufferedBytes).toBeLessThan(1_000);
  });

  it('[STOMP16] nothing of a chunk is kept after the call', () => {
    const parser = new StompParser(roomyLimits);
    const bodies: string[] = [];
    const text = 'SEND\na:b\n\nhello\0';
    for (const part of [text.slice(0, 7), text.slice(7, 12), text.slice(12)]) {
      const chunk = bytesOf(part);
      parser.push(chunk, (frame) =>
        bodies.push(`${frame.headers.get('a')} ${Buffer.from(frame.body).toString()}`),
      );
      chunk.fill(0xff);
    }
    expect(bodies).toEqual(['b hello']);
  });

  it('[STOMP16] a chunk of many large frames is read in place', () => {
    const frame = `SEND\n\n${'x'.repeat(60_000)}\0`;
    const parsed = parse('1.2', [bytesOf(frame.repeat(20) + frame.slice(0, 30_000))]);
    expect(parsed.frames).toHaveLength(20);
    expect(parsed.bufferedBytesMax).toBe(30_000);
  });

  // Scanning or copying from the start on every byte would take minutes.
  it('[STOMP15] a large frame that comes byte by byte takes linear time', () => {
    const frameBytesMax = 4_000_000;
    const parser = new StompParser({ frameBytesMax, headersMax: 200_000, headerBytesMax: 1_000_000 });
    const head = `SEND\n${'header:value\n'.repeat(40_000)}\n`;
    const stream = bytesOf(`${head}${'x'.repeat(3_000_000)}\0`);
    let frames = 0;
    for (let at = 0; at < stream.length; at++) parser.push(stream.subarray(at, at + 1), () => frames++);
    expect(frames).toBe(1);
  });

  it('[STOMP16] arbitrary bytes make frames or ProtocolErrors and never hold more than frameBytesMax', () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(
          fc.constantFrom(
            'SEND\n',
            'ACK\n',
            'a:b\n',
            '\n',
            '\0',
            '\r',
            ':',
            '\\',
            'content-length:',
            '7',
            'ž',
          ),
        )
        .map((words) => bytesOf(words.join(''))),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('1.0' as const, '1.1' as const, '1.2' as const),
        fc.array(pieces),
        (version, chunks) => {
          const parsed = parse(version, chunks, limits);
          expect(parsed.bufferedBytesMax).toBeLessThanOrEqual(limits.frameBytesMax);
        },
      ),
      { seed: 16, numRuns: 3_000 },
    );
  });
});
