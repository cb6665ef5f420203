// The head of a frame, command line and header lines, from its decoded text. Knows lines, names and values;
// where a head ends, and every limit but the number of headers, is the frame reader's.
import { CLIENT_COMMANDS, ProtocolError, type ClientCommand, type FrameHeaders } from '../frame.ts';
import { unescapeHeader } from './escape.ts';
import type { StompVersion } from './version.ts';

export interface Head {
  readonly command: ClientCommand;
  readonly headers: FrameHeaders;
}

/**
 * Reads a head.
 * @param text every line with its line end, without the blank line that ends the head.
 * @param headersMax how many header lines there may be, repeated ones counted.
 * @throws ProtocolError for an unknown command or a malformed header.
 */
export function readHead(text: string, version: StompVersion, headersMax: number): Head {
  const commandEnd = text.indexOf('\n');
  const command = readCommand(text.slice(0, lineEnd(text, commandEnd)));
  // What CONNECT says settles the version, so nothing in it can depend on one.
  const escapes = command === 'CONNECT' || command === 'STOMP' ? '1.0' : version;
  // A head with none of these is the common one, and its names and values are plain slices.
  const isPlain = version !== '1.0' && !text.includes('\\') && !text.includes('\r');
  const headers = new Map<string, string>();
  let count = 0;
  let position = commandEnd + 1;
  while (position < text.length) {
    if (++count > headersMax) throw new ProtocolError('TOO_LARGE', `more than ${headersMax} headers`);
    const end = text.indexOf('\n', position);
    const colon = text.indexOf(':', position);
    if (colon === -1 || colon > end) throw new ProtocolError('BAD_REQUEST', 'a header has no colon');
    let name = text.slice(position, colon);
    let value = text.slice(colon + 1, isPlain ? end : lineEnd(text, end));
    if (!isPlain) {
      name = readPart(name, version, escapes);
      value = readPart(value, version, escapes);
    }
    if (name === '') throw new ProtocolError('BAD_REQUEST', 'a header has no name');
    if (!headers.has(name)) headers.set(name, value);
    position = end + 1;
  }
  return { command, headers };
}

// Every version may end its lines in CRLF: 1.2 says so, and clients of the older ones do it too.
function lineEnd(text: string, end: number): number {
  return text.charAt(end - 1) === '\r' ? end - 1 : end;
}

function readPart(raw: string, version: StompVersion, escapes: StompVersion): string {
  // The grammar of 1.2 keeps CR out of names and values; to 1.0 and 1.1 it is a character like others.
  if (version === '1.2' && raw.includes('\r')) {
    throw new ProtocolError('BAD_REQUEST', 'a carriage return inside a header');
  }
  return unescapeHeader(escapes, version === '1.0' ? trimPadding(raw) : raw);
}

// By hand: a pattern for trailing padding takes quadratic time on a long run of spaces that is not trailing.
function trimPadding(raw: string): string {
  let start = 0;
  let end = raw.length;
  while (start < end && isPadding(raw.charAt(start))) start++;
  while (end > start && isPadding(raw.charAt(end - 1))) end--;
  return raw.slice(start, end);
}

function isPadding(character: string): boolean {
  return character === ' ' || character === '\t';
}

const COMMAND_BY_LINE: ReadonlyMap<string, ClientCommand> = new Map(
  CLIENT_COMMANDS.map((command) => [command, command]),
);

const SHOWN_CHARACTERS_MAX = 32;

function readCommand(line: string): ClientCommand {
  const command = COMMAND_BY_LINE.get(line);
  if (command !== undefined) return command;
  const shown = line.length > SHOWN_CHARACTERS_MAX ? `${line.slice(0, SHOWN_CHARACTERS_MAX)}…` : line;
  throw new ProtocolError('BAD_REQUEST', `unknown command ${JSON.stringify(shown)}`);
}
