// Frames of the server as bytes. A broadcast is encoded once as a block, and each group of subscribers that
// share a subscription id costs one short head in front of a copy of it. What is returned lies in Node's buffer
// pool, three times as cheap as memory of its own: its `buffer` holds other bytes too.
import { escapeName, escapeValue } from './escape.ts';
import type { Header, ServerCommand, StompVersion } from './version.ts';

/**
 * One whole frame. With a body, also an empty one, it carries `content-length`; one given in `headers` is left
 * out. What a version can't write in a header becomes a space (see `escapeValue`), and a header whose name it
 * can't write is left out: no header can make another one.
 */
export function encodeFrame(
  version: StompVersion,
  command: ServerCommand,
  headers: readonly Header[],
  body?: Uint8Array | string,
): Uint8Array {
  const head = `${command}\n${headerLines(command === 'CONNECTED' ? '1.0' : version, headers)}`;
  if (body === undefined) return join(`${head}\n`, NO_BODY);
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  return join(`${head}content-length:${bytes.length}\n\n`, bytes);
}

/**
 * The part of a MESSAGE that all its subscribers of one version share: every header but `subscription`, the
 * body and the NUL. A `subscription` or `content-length` in `headers` is left out.
 */
export function messageBlock(
  version: StompVersion,
  headers: readonly Header[],
  body: Uint8Array,
): Uint8Array {
  return join(`${headerLines(version, headers, 'subscription')}content-length:${body.length}\n\n`, body);
}

/** The whole MESSAGE: `subscription` first, then `extraHeaders`, then a block made for the same version. */
export function messageFrame(
  version: StompVersion,
  subscription: string,
  block: Uint8Array,
  extraHeaders?: readonly Header[],
): Uint8Array {
  const extra = extraHeaders === undefined ? '' : headerLines(version, extraHeaders, 'subscription');
  const head = `MESSAGE\nsubscription:${escapeValue(version, subscription)}\n${extra}`;
  const headBytes = Buffer.byteLength(head);
  const frame = Buffer.allocUnsafe(headBytes + block.length);
  frame.write(head);
  frame.set(block, headBytes);
  return frame;
}

const NO_BODY = new Uint8Array(0);

/** Header lines without those named `content-length` or `own`: the caller writes these itself. */
function headerLines(version: StompVersion, headers: readonly Header[], own?: 'subscription'): string {
  let lines = '';
  for (const [name, value] of headers) {
    // The first of repeated headers counts, so one that came from a client would win over ours.
    if (name === 'content-length' || name === own) continue;
    const writable = escapeName(version, name);
    if (writable !== null) lines += `${writable}:${escapeValue(version, value)}\n`;
  }
  return lines;
}

function join(head: string, body: Uint8Array): Uint8Array {
  const headBytes = Buffer.byteLength(head);
  const frame = Buffer.allocUnsafe(headBytes + body.length + 1);
  frame.write(head);
  frame.set(body, headBytes);
  frame[frame.length - 1] = 0;
  return frame;
}
