import { describe, expect, it } from 'vitest';
import { CLIENT_COMMANDS, ProtocolError } from '../../../src/edge/frame.ts';
import type { StompVersion } from '../../../src/edge/stomp/version.ts';
import { StompParser } from '../../../src/edge/stomp/parser.ts';
import { bytesOf, copyFrame, parse, roomyLimits, VERSIONS, type ParsedFrame } from './parsed.ts';

type Headers = ParsedFrame['headers'];

const send = (headers: Headers, body = ''): ParsedFrame => ({ command: 'SEND', headers, body });
const parseText = (version: StompVersion, text: string) => parse(version, [bytesOf(text)]);

describe('well-formed frames', () => {
  const everyVersion: [title: string, text: string, frames: ParsedFrame[]][] = [
    [
      '[STOMP1] a frame with headers and a body',
      'SEND\na:b\nc:d\n\nhi\0',
      [
        send(
          [
            ['a', 'b'],
            ['c', 'd'],
          ],
          'hi',
        ),
      ],
    ],
    ['[STOMP1] a frame without headers', 'SEND\n\nhi\0', [send([], 'hi')]],
    ['[STOMP1] a frame without headers and body', 'SEND\n\n\0', [send([])]],
    ['[STOMP1] an empty header value', 'SEND\na:\n\n\0', [send([['a', '']])]],
    ['[STOMP1] several frames in one chunk', 'SEND\n\na\0SEND\n\nb\0', [send([], 'a'), send([], 'b')]],
    ['[STOMP3] line ends alone are heart-beats', '\n\r\n\n', []],
    [
      '[STOMP3] line ends around frames',
      '\n\nSEND\n\na\0\n\r\nSEND\n\nb\0\n',
      [send([], 'a'), send([], 'b')],
    ],
    ['[STOMP4] CRLF line ends', 'SEND\r\na:b\r\n\r\nhi\r\n\0', [send([['a', 'b']], 'hi\r\n')]],
    [
      '[STOMP4] CRLF and LF mixed',
      'SEND\r\na:b\nc:d\r\n\nhi\0',
      [
        send(
          [
            ['a', 'b'],
            ['c', 'd'],
          ],
          'hi',
        ),
      ],
    ],
    ['[STOMP7] the first of repeated headers counts', 'SEND\na:1\na:2\n\n\0', [send([['a', '1']])]],
    ['[STOMP8] UTF-8 in names and values', 'SEND\nž:€😀\n\n\0', [send([['ž', '€😀']])]],
    ['[STOMP8] a byte order mark is text', 'SEND\na:\ufeffb\n\n\0', [send([['a', '\ufeffb']])]],
    [
      '[STOMP9] content-length lets NUL into the body',
      'SEND\ncontent-length:3\n\na\0b\0',
      [send([['content-length', '3']], 'a\0b')],
    ],
    ['[STOMP9] content-length 0', 'SEND\ncontent-length:0\n\n\0', [send([['content-length', '0']])]],
    ['[STOMP9] leading zeros', 'SEND\ncontent-length:002\n\nhi\0', [send([['content-length', '002']], 'hi')]],
    [
      '[STOMP9] the first content-length counts',
      'SEND\ncontent-length:1\ncontent-length:9\n\na\0',
      [send([['content-length', '1']], 'a')],
    ],
    ['[STOMP10] a body ends at the first NUL', 'SEND\n\na\0\nSEND\n\nb\0', [send([], 'a'), send([], 'b')]],
    ['[STOMP10] blank lines belong to the body', 'SEND\n\n\n\na\n\0', [send([], '\n\na\n')]],
    [
      '[STOMP11] content-length 0 on a frame without a body',
      'SUBSCRIBE\ncontent-length:0\n\n\0',
      [{ command: 'SUBSCRIBE', headers: [['content-length', '0']], body: '' }],
    ],
    ['[STOMP12] spaces inside a value stay', 'SEND\na:b c\n\n\0', [send([['a', 'b c']])]],
    [
      '[STOMP21] names that mean something to JavaScript are names like others',
      'SEND\n__proto__:a\nconstructor:b\ntoString:c\n\n\0',
      [
        send([
          ['__proto__', 'a'],
          ['constructor', 'b'],
          ['toString', 'c'],
        ]),
      ],
    ],
  ];
  for (const [title, text, frames] of everyVersion) {
    it.each(VERSIONS)(`${title} (STOMP %s)`, (version) => {
      expect(parseText(version, text)).toMatchObject({ frames, error: null });
    });
  }

  it.each(VERSIONS)('[STOMP2] every client command (STOMP %s)', (version) => {
    const text = CLIENT_COMMANDS.map((command) => `${command}\n\n\0`).join('');
    expect(parseText(version, text).frames.map((frame) => frame.command)).toEqual(CLIENT_COMMANDS);
  });

  const oneVersion: [title: string, version: StompVersion, text: string, headers: Headers][] = [
    ['[STOMP4] a CR inside a value', '1.0', 'SEND\na:b\rc\n\n\0', [['a', 'b\rc']]],
    ['[STOMP4] a CR inside a value', '1.1', 'SEND\na:b\rc\n\n\0', [['a', 'b\rc']]],
    ['[STOMP4] only the CR of the line end goes', '1.1', 'SEND\na:b\r\r\n\n\0', [['a', 'b\r']]],
    ['[STOMP5] no escapes', '1.0', 'SEND\na:\\n\\c\\\\\\t\\\n\n\0', [['a', '\\n\\c\\\\\\t\\']]],
    ['[STOMP5] a colon inside a value', '1.0', 'SEND\na:b:c\n\n\0', [['a', 'b:c']]],
    ['[STOMP5] \\n \\c \\\\', '1.1', 'SEND\na:1\\n2\\c3\\\\n4\n\n\0', [['a', '1\n2:3\\n4']]],
    ['[STOMP5] \\n \\c \\\\ \\r', '1.2', 'SEND\na:1\\n2\\c3\\\\r4\\r\n\n\0', [['a', '1\n2:3\\r4\r']]],
    ['[STOMP5] escapes in names', '1.2', 'SEND\na\\cb\\\\:c\n\n\0', [['a:b\\', 'c']]],
    ['[STOMP5] escapes beside UTF-8', '1.2', 'SEND\nž\\c:€\\n\n\n\0', [['ž:', '€\n']]],
    ['[STOMP7] repeats show after unescaping', '1.2', 'SEND\na\\c:1\na\\c:2\n\n\0', [['a:', '1']]],
    ['[STOMP12] padding is trimmed', '1.0', 'SEND\n a : \tb c \t\n\n\0', [['a', 'b c']]],
    [
      '[STOMP12] other white space is not padding',
      '1.0',
      'SEND\na:\u00a0b\u00a0\n\n\0',
      [['a', '\u00a0b\u00a0']],
    ],
    ['[STOMP12] nothing is trimmed', '1.1', 'SEND\n a : b \n\n\0', [[' a ', ' b ']]],
    ['[STOMP12] nothing is trimmed', '1.2', 'SEND\n a : b \n\n\0', [[' a ', ' b ']]],
    ['[STOMP12] a value of padding alone', '1.0', 'SEND\na:  \n\n\0', [['a', '']]],
  ];
  it.each(oneVersion)('%s (STOMP %s)', (_title, version, text, headers) => {
    expect(parseText(version, text)).toMatchObject({ frames: [send(headers)], error: null });
  });

  it.each(['CONNECT', 'STOMP'])('[STOMP6] %s is never unescaped', (command) => {
    const text = `${command}\npasscode:a\\b:c\\n\n\n\0`;
    for (const version of VERSIONS) {
      expect(parseText(version, text).frames).toEqual([
        { command, headers: [['passcode', 'a\\b:c\\n']], body: '' },
      ]);
    }
  });

  it('[STOMP5] a version settled in the callback counts from the next frame on', () => {
    const parser = new StompParser(roomyLimits);
    const frames: ParsedFrame[] = [];
    parser.push(bytesOf('CONNECT\n\n\0SEND\na:\\n\n\n\0'), (frame) => {
      if (frame.command === 'CONNECT') parser.version = '1.0';
      frames.push(copyFrame(frame));
    });
    expect(frames[1]).toEqual(send([['a', '\\n']]));
  });
});

describe('frames that break the protocol', () => {
  const everyVersion: [title: string, text: string | Uint8Array, message: RegExp][] = [
    ['[STOMP2] an unknown command', 'HELLO\n\n\0', /unknown command "HELLO"/],
    ['[STOMP2] a command of the server', 'MESSAGE\n\n\0', /unknown command/],
    ['[STOMP2] a command in lower case', 'send\n\n\0', /unknown command/],
    ['[STOMP2] a padded command', 'SEND \n\n\0', /unknown command/],
    ['[STOMP2] a CR inside the command', 'SE\rND\n\n\0', /unknown command/],
    ['[STOMP2] HTTP', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /unknown command "GET/],
    ['[STOMP2] the name of an object member', 'constructor\n\n\0', /unknown command/],
    ['[STOMP2] a NUL where a command should be', '\0', /NUL before the blank line/],
    ['[STOMP8] a header without colon', 'SEND\nabc\n\n\0', /no colon/],
    ['[STOMP8] a header without colon before one with', 'SEND\nabc\nd:e\n\n\0', /no colon/],
    ['[STOMP8] an empty header name', 'SEND\n:a\n\n\0', /no name/],
    ['[STOMP8] a NUL in the command', 'SE\0ND\n\n\0', /NUL before the blank line/],
    ['[STOMP8] a NUL in a header', 'SEND\na:\0b\n\n\0', /NUL before the blank line/],
    ['[STOMP8] no blank line', 'SEND\na:b\n\0', /NUL before the blank line/],
    ['[STOMP8] a stray byte of UTF-8', Uint8Array.of(...bytesOf('SEND\na:'), 0x80, 10, 10, 0), /not UTF-8/],
    ['[STOMP8] an overlong NUL', Uint8Array.of(...bytesOf('SEND\na:'), 0xc0, 0x80, 10, 10, 0), /not UTF-8/],
    [
      '[STOMP8] half a surrogate pair',
      Uint8Array.of(...bytesOf('SEND\na:'), 0xed, 0xa0, 0x80, 10, 10, 0),
      /not UTF-8/,
    ],
    ['[STOMP9] a negative content-length', 'SEND\ncontent-length:-1\n\n\0', /whole number/],
    ['[STOMP9] a signed content-length', 'SEND\ncontent-length:+1\n\na\0', /whole number/],
    ['[STOMP9] a fractional content-length', 'SEND\ncontent-length:1.0\n\na\0', /whole number/],
    ['[STOMP9] a hexadecimal content-length', 'SEND\ncontent-length:0x1\n\na\0', /whole number/],
    ['[STOMP9] an exponent', 'SEND\ncontent-length:1e0\n\na\0', /whole number/],
    ['[STOMP9] an empty content-length', 'SEND\ncontent-length:\n\n\0', /whole number/],
    ['[STOMP9] digits of another script', 'SEND\ncontent-length:١\n\na\0', /whole number/],
    ['[STOMP9] a body longer than announced', 'SEND\ncontent-length:1\n\nab\0', /no NUL after the body/],
    ['[STOMP11] a body on SUBSCRIBE', 'SUBSCRIBE\nid:1\n\nhi\0', /SUBSCRIBE can't have a body/],
    ['[STOMP11] a line end for a body', 'CONNECT\n\n\n\0', /CONNECT can't have a body/],
    ['[STOMP11] an announced body on ACK', 'ACK\ncontent-length:2\n\n', /ACK can't have a body/],
  ];
  for (const [title, input, message] of everyVersion) {
    it.each(VERSIONS)(`${title} (STOMP %s)`, (version) => {
      const parsed = parse(version, [typeof input === 'string' ? bytesOf(input) : input]);
      expect(parsed).toMatchObject({ frames: [], error: { code: 'BAD_REQUEST' } });
      expect(parsed.error?.message).toMatch(message);
    });
  }

  const oneVersion: [title: string, version: StompVersion, text: string, message: RegExp][] = [
    ['[STOMP4] a CR inside a value', '1.2', 'SEND\na:b\rc\n\n\0', /carriage return/],
    ['[STOMP4] a CR inside a name', '1.2', 'SEND\na\rb:c\n\n\0', /carriage return/],
    ['[STOMP4] a second CR before the line end', '1.2', 'SEND\na:b\r\r\n\n\0', /carriage return/],
    ['[STOMP5] \\r', '1.1', 'SEND\na:\\r\n\n\0', /STOMP 1.1 has no header escape \\r/],
    ['[STOMP5] \\t', '1.1', 'SEND\na:\\t\n\n\0', /no header escape \\t/],
    ['[STOMP5] \\t', '1.2', 'SEND\na:\\t\n\n\0', /no header escape \\t/],
    ['[STOMP5] an escape in capitals', '1.2', 'SEND\na:\\N\n\n\0', /no header escape \\N/],
    ['[STOMP5] an undefined escape in a name', '1.2', 'SEND\na\\x:b\n\n\0', /no header escape \\x/],
    ['[STOMP5] a backslash at the end', '1.2', 'SEND\na:b\\\n\n\0', /no header escape/],
    ['[STOMP8] a name of padding alone', '1.0', 'SEND\n  :a\n\n\0', /no name/],
    ['[STOMP9] a padded content-length', '1.2', 'SEND\ncontent-length: 1\n\na\0', /whole number/],
  ];
  it.each(oneVersion)('%s (STOMP %s)', (_title, version, text, message) => {
    const parsed = parseText(version, text);
    expect(parsed).toMatchObject({ frames: [], error: { code: 'BAD_REQUEST' } });
    expect(parsed.error?.message).toMatch(message);
  });

  it('[STOMP2] the error shows only the start of a long command', () => {
    expect(parseText('1.2', `${'x'.repeat(5000)}\n\n\0`).error?.message.length).toBeLessThan(80);
  });

  it('[STOMP14] frames before the broken one are handed over, those after it are not', () => {
    const parsed = parseText('1.2', 'SEND\n\na\0BROKEN\n\n\0SEND\n\nb\0');
    expect(parsed.frames).toEqual([send([], 'a')]);
    expect(parsed.error?.code).toBe('BAD_REQUEST');
  });

  it('[STOMP14] after an error the parser ignores everything', () => {
    const parser = new StompParser(roomyLimits);
    const frames: unknown[] = [];
    expect(() => parser.push(bytesOf('BROKEN\n\n\0'), (frame) => frames.push(frame))).toThrow(ProtocolError);
    parser.push(bytesOf('SEND\n\na\0'), (frame) => frames.push(frame));
    parser.push(bytesOf('BROKEN\n\n\0'), (frame) => frames.push(frame));
    expect(frames).toEqual([]);
    expect(parser.bufferedBytes).toBe(0);
  });

  it('[STOMP14] an error of the callback passes through and stops the parser', () => {
    const parser = new StompParser(roomyLimits);
    const commands: string[] = [];
    const failing = (): never => {
      throw new RangeError('from the callback');
    };
    expect(() => parser.push(bytesOf('SEND\n\na\0'), failing)).toThrow(new RangeError('from the callback'));
    parser.push(bytesOf('SEND\n\na\0'), (frame) => commands.push(frame.command));
    expect(commands).toEqual([]);
  });

  it.each([
    ['whole frames', ['SEND\n\na\0SEND\n\nb\0']],
    ['a frame that spans chunks', ['SEND\n', '\na\0SEND\n\nb\0']],
  ])('[STOMP14] a parser stopped in the callback drops the rest of the chunk: %s', (_title, chunks) => {
    const parser = new StompParser(roomyLimits);
    const bodies: string[] = [];
    for (const chunk of chunks) {
      parser.push(bytesOf(chunk), (frame) => {
        bodies.push(copyFrame(frame).body);
        parser.stop();
      });
    }
    expect(bodies).toEqual(['a']);
  });
});
