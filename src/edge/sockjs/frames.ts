// The frames of SockJS: `o` opens, `h` beats, `a` carries messages as a JSON list of strings, `c` closes.
import { isUtf8 } from 'node:buffer';

export const openFrame: Uint8Array = Buffer.from('o');
export const beatFrame: Uint8Array = Buffer.from('h');

/** What JSON leaves as it is and browsers change on the way or can't take: written as `\uXXXX`. */
const fragile = /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufff0-\uffff]/g;

function quote(message: string): string {
  return JSON.stringify(message).replaceAll(
    fragile,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The frame of one message. Bytes are UTF-8; what is none becomes U+FFFD. */
export function messageFrame(message: string | Uint8Array): Uint8Array {
  const text =
    typeof message === 'string' ? message : Buffer.from(message.buffer, message.byteOffset, message.length);
  return Buffer.from(`a[${quote(text.toString())}]`);
}

/** The message in a frame that `messageFrame` made, as it stands there: a JSON string. */
export function quotedIn(frame: Uint8Array): Uint8Array {
  return frame.subarray(2, -1);
}

/** One frame of several messages, each as it stands in its own. */
export function joinQuoted(messages: readonly Uint8Array[]): Uint8Array {
  const size = messages.reduce((sum, { length }) => sum + length + 1, 2);
  const frame = Buffer.allocUnsafe(size);
  frame.write('a[');
  let end = 2;
  for (const message of messages) {
    frame.set(message, end);
    end += message.length;
    frame[end] = 0x2c;
    end += 1;
  }
  frame[size - 1] = 0x5d;
  return frame;
}

export function closeFrame(code: number, reason: string): Uint8Array {
  return Buffer.from(`c[${code},${quote(reason)}]`);
}

export type Decoded =
  | { readonly messages: readonly string[] }
  /** No list of strings, or nothing at all. */
  | { readonly defect: 'empty' | 'broken' };

/** What a client sent: a JSON list of strings. */
export function decodeMessages(bytes: Uint8Array): Decoded {
  if (bytes.length === 0) return { defect: 'empty' };
  if (!isUtf8(bytes)) return { defect: 'broken' };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  } catch {
    return { defect: 'broken' };
  }
  return isMessages(value) ? { messages: value } : { defect: 'empty' };
}

function isMessages(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((message) => typeof message === 'string');
}
