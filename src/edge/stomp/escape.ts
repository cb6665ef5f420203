// Header escapes of each version: 1.0 has none, 1.1 has \n \c \\ and 1.2 adds \r. The frames that settle the
// version (CONNECT, STOMP, CONNECTED) are never escaped, which is the same as 1.0.
import { ProtocolError } from '../frame.ts';
import type { StompVersion } from './version.ts';

/**
 * Turns the escapes of a header name or value back into text.
 * @throws ProtocolError for a sequence that the version does not define, such as `\t`.
 */
export function unescapeHeader(version: StompVersion, text: string): string {
  if (version === '1.0') return text;
  let backslash = text.indexOf('\\');
  if (backslash === -1) return text;
  let plain = '';
  let position = 0;
  while (backslash !== -1) {
    plain += text.slice(position, backslash) + escapedBy(version, text.charAt(backslash + 1));
    position = backslash + 2;
    backslash = text.indexOf('\\', position);
  }
  return plain + text.slice(position);
}

function escapedBy(version: StompVersion, letter: string): string {
  switch (letter) {
    case 'n':
      return '\n';
    case 'c':
      return ':';
    case '\\':
      return '\\';
    case 'r':
      if (version === '1.2') return '\r';
  }
  throw new ProtocolError('BAD_REQUEST', `STOMP ${version} has no header escape \\${letter}`);
}

/**
 * Writes a header value for a version. A character that the version has no way to write (NUL; CR before 1.2;
 * LF in 1.0) becomes a space: left as it is it would end the header, and what follows it would be read as
 * headers of ours.
 */
export function escapeValue(version: StompVersion, value: string): string {
  if (!SPECIAL.test(value)) return value;
  if (version === '1.0') return value.replace(UNWRITABLE_IN_1_0, ' ');
  return value.replace(SPECIAL_ALL, version === '1.2' ? escapeIn12 : escapeIn11);
}

/** As `escapeValue`, for a name; null when the version can't write the name at all (a colon in 1.0). */
export function escapeName(version: StompVersion, name: string): string | null {
  return version === '1.0' && name.includes(':') ? null : escapeValue(version, name);
}

// A global pattern keeps its place between calls of `test`, hence one without the flag too.
const SPECIAL = /[\\:\n\r\0]/;
const SPECIAL_ALL = /[\\:\n\r\0]/g;
const UNWRITABLE_IN_1_0 = /[\n\r\0]/g;

function escapeIn12(character: string): string {
  return character === '\r' ? '\\r' : escapeIn11(character);
}

function escapeIn11(character: string): string {
  switch (character) {
    case '\\':
      return '\\\\';
    case ':':
      return '\\c';
    case '\n':
      return '\\n';
    default:
      return ' ';
  }
}
