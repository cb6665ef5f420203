import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, messageBlock, messageFrame } from '../../../src/edge/stomp/encoder.ts';
import type { Header, StompVersion } from '../../../src/edge/stomp/version.ts';
import { bytesOf, parse, VERSIONS, type ParsedFrame } from './parsed.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Reads a frame of the server with the parser of the clients' frames: only the command word differs. */
function readBack(version: StompVersion, frame: Uint8Array): readonly ParsedFrame[] {
  const commandEnd = frame.indexOf(10);
  const { frames, error } = parse(version, [bytesOf('SEND'), frame.subarray(commandEnd)]);
  expect(error).toBeNull();
  return frames;
}

const firstOfEach = (headers: readonly Header[]): Header[] =>
  headers.filter(([name], index) => headers.findIndex(([other]) => other === name) === index);

const awkward = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\\', ':', '\n', '\r', ' ', '\t', 'n', 'c', 'r', 'ž', '€', '😀', '\ufeff'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

/** What a version has a way to write. */
function isWritable(version: StompVersion, [name, value]: Header): boolean {
  if (name === '' || name === 'content-length') return false;
  if (version === '1.2') return !/\0/.test(name + value);
  if (version === '1.1') return !/[\0\r]/.test(name + value);
  const padding = /^[ \t]|[ \t]$/;
  return !/[\0\r\n]/.test(name + value) && !name.includes(':') && !padding.test(name) && !padding.test(value);
}

const headersOf = (version: StompVersion) =>
  fc.array(
    fc.tuple(awkward, awkward).filter((header) => isWritable(version, header)),
    { maxLength: 8 },
  );

describe('encoder', () => {
  it.each(VERSIONS)('[STOMP17] encode then parse gives the same headers and body (STOMP %s)', (version) => {
    fc.assert(
      fc.property(headersOf(version), fc.uint8Array({ maxLength: 300 }), (headers, body) => {
        const [frame, ...more] = readBack(version, encodeFrame(version, 'ERROR', headers, body));
        expect(more).toEqual([]);
        expect(frame?.body).toBe(Buffer.from(body).toString('latin1'));
        expect(frame?.headers).toEqual([...firstOfEach(headers), ['content-length', `${body.length}`]]);
      }),
      { seed: 17, numRuns: 2_000 },
    );
  });

  it.each(VERSIONS)(
    '[STOMP18] no header makes another one, ends the frame or is empty (STOMP %s)',
    (version) => {
      const anything = fc.string({ unit: fc.constantFrom('\0', '\n', '\r', ':', '\\', 'x'), maxLength: 6 });
      const header = fc.tuple(
        anything.map((name) => `a${name}`),
        anything,
      );
      fc.assert(
        fc.property(fc.array(header, { maxLength: 5 }), (headers) => {
          const frame = text(encodeFrame(version, 'RECEIPT', headers));
          const lines = frame.split('\n');
          expect(frame.indexOf('\0')).toBe(frame.length - 1);
          expect(frame).not.toContain('\r');
          expect(lines.length).toBeLessThanOrEqual(headers.length + 3);
          expect(lines.slice(1, -2).every((line) => /^a[^:]*:/.test(line))).toBe(true);
        }),
        { seed: 18, numRuns: 1_000 },
      );
    },
  );

  const bytesOnTheWire: [title: string, frame: Uint8Array, wire: string][] = [
    [
      '[STOMP17] a frame without a body',
      encodeFrame('1.2', 'RECEIPT', [['receipt-id', 'a']]),
      'RECEIPT\nreceipt-id:a\n\n\0',
    ],
    [
      '[STOMP17] a body of text',
      encodeFrame('1.2', 'ERROR', [['message', 'a']], 'ž'),
      'ERROR\nmessage:a\ncontent-length:2\n\nž\0',
    ],
    ['[STOMP17] an empty body', encodeFrame('1.2', 'MESSAGE', [], ''), 'MESSAGE\ncontent-length:0\n\n\0'],
    [
      '[STOMP17] a content-length among the headers',
      encodeFrame('1.2', 'MESSAGE', [['content-length', '9']], 'ab'),
      'MESSAGE\ncontent-length:2\n\nab\0',
    ],
    [
      '[STOMP5] escapes of 1.2',
      encodeFrame('1.2', 'MESSAGE', [['a:', '\\\r\n:b']]),
      'MESSAGE\na\\c:\\\\\\r\\n\\cb\n\n\0',
    ],
    [
      '[STOMP5] escapes of 1.1',
      encodeFrame('1.1', 'MESSAGE', [['a:', '\\\n:b']]),
      'MESSAGE\na\\c:\\\\\\n\\cb\n\n\0',
    ],
    ['[STOMP5] none in 1.0', encodeFrame('1.0', 'MESSAGE', [['a', '\\:b']]), 'MESSAGE\na:\\:b\n\n\0'],
    [
      '[STOMP6] none in CONNECTED',
      encodeFrame('1.2', 'CONNECTED', [['user-name', 'a:\\b']]),
      'CONNECTED\nuser-name:a:\\b\n\n\0',
    ],
    [
      '[STOMP18] a line end in CONNECTED',
      encodeFrame('1.2', 'CONNECTED', [['user-name', 'a\nb:c']]),
      'CONNECTED\nuser-name:a b:c\n\n\0',
    ],
    ['[STOMP18] NUL in 1.2', encodeFrame('1.2', 'MESSAGE', [['a\0', 'b\0']]), 'MESSAGE\na :b \n\n\0'],
    ['[STOMP18] CR and NUL in 1.1', encodeFrame('1.1', 'MESSAGE', [['a', 'b\r\0']]), 'MESSAGE\na:b  \n\n\0'],
    [
      '[STOMP18] CR, LF and NUL in 1.0',
      encodeFrame('1.0', 'MESSAGE', [['a\n', 'b\r\n\0']]),
      'MESSAGE\na :b   \n\n\0',
    ],
    [
      '[STOMP18] a name with a colon in 1.0',
      encodeFrame('1.0', 'MESSAGE', [
        ['a:b', 'c'],
        ['d', 'e'],
      ]),
      'MESSAGE\nd:e\n\n\0',
    ],
    [
      '[STOMP18] half a surrogate pair',
      encodeFrame('1.2', 'MESSAGE', [['a', '\ud800']]),
      'MESSAGE\na:\ufffd\n\n\0',
    ],
  ];
  it.each(bytesOnTheWire)('%s', (_title, frame, wire) => {
    expect(text(frame)).toBe(wire);
  });
});

describe('messages to many', () => {
  it('[STOMP19] one block serves every subscription', () => {
    const block = messageBlock('1.2', [['destination', '/topic/a']], bytesOf('hi'));
    const shared = 'destination:/topic/a\ncontent-length:2\n\nhi\0';
    expect(text(block)).toBe(shared);
    expect(text(messageFrame('1.2', 'sub-0', block))).toBe(`MESSAGE\nsubscription:sub-0\n${shared}`);
    expect(text(messageFrame('1.2', 'ž:1', block, [['recovered', 'a:b']]))).toBe(
      `MESSAGE\nsubscription:ž\\c1\nrecovered:a\\cb\n${shared}`,
    );
  });

  it('[STOMP19] a client that sets subscription or content-length changes neither', () => {
    const mischief: Header[] = [
      ['subscription', 'x'],
      ['content-length', '0'],
      ['a', 'b'],
    ];
    const block = messageBlock('1.2', mischief, bytesOf('hi'));
    expect(text(messageFrame('1.2', 's', block, mischief))).toBe(
      'MESSAGE\nsubscription:s\na:b\na:b\ncontent-length:2\n\nhi\0',
    );
  });

  it.each(VERSIONS)('[STOMP19] block and frame carry what one MESSAGE would (STOMP %s)', (version) => {
    const arbitrary = fc.tuple(
      headersOf(version),
      headersOf(version),
      fc.uint8Array({ maxLength: 200 }),
      awkward,
    );
    fc.assert(
      fc.property(arbitrary, ([headers, extraHeaders, body, id]) => {
        fc.pre(isWritable(version, ['subscription', id]));
        const frame = messageFrame(version, id, messageBlock(version, headers, body), extraHeaders);
        const whole = encodeFrame(
          version,
          'MESSAGE',
          [['subscription', id], ...extraHeaders, ...headers],
          body,
        );
        expect(text(frame)).toBe(text(whole));
        expect(readBack(version, frame)).toHaveLength(1);
      }),
      { seed: 19, numRuns: 500 },
    );
  });
});
