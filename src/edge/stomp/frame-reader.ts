// Reads one frame out of bytes that may still be growing, looking at each byte once. Finds where head and body
// end, and trips every limit at the first byte that makes it certain.
import { isUtf8 } from 'node:buffer';
import { ProtocolError, type Frame, type FrameLimits } from '../frame.ts';
import { readHead, type Head } from './head.ts';
import type { StompVersion } from './version.ts';

const NUL = 0;
const LF = 10;
const CR = 13;
const NON_ASCII = 0x80;
const UNTIL_NUL = -1;
const NO_BODY = new Uint8Array(0);

// Buffer's readers work on any Uint8Array, and calling them so spares making a Buffer for every chunk.
const { latin1Slice, utf8Slice, indexOf } = Buffer.prototype as unknown as {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly indexOf: (this: Uint8Array, octet: number, from: number) => number;
};

export class FrameReader {
  readonly #limits: FrameLimits;
  // All offsets count from the frame's first byte, so that the bytes may move between calls.
  #scanned = 0;
  #lineStart = 0;
  /** All bytes of the head or-ed together: tells whether it is ASCII without a second look. */
  #octets = 0;
  #head: Head | null = null;
  #bodyStart = 0;
  #bodyLength = UNTIL_NUL;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /**
   * Reads on. The frame's bytes so far are `bytes` from `start` to `end`; the next call brings the same and more.
   * Once `frameBytesMax` bytes are there it either returns a length or throws.
   * @returns the frame's length in bytes with its NUL, or 0 while it is not whole.
   */
  read(bytes: Uint8Array, start: number, end: number, version: StompVersion): number {
    const head = this.#head ?? this.#readHead(bytes, start, end, version);
    if (head === null) return 0;
    const bodyStart = this.#bodyStart;
    if (head.command !== 'SEND' && start + bodyStart < end && bytes[start + bodyStart] !== NUL) {
      throw new ProtocolError('BAD_REQUEST', `${head.command} can't have a body`);
    }
    if (this.#bodyLength === UNTIL_NUL) return this.#findBodyEnd(bytes, start, end);
    const length = bodyStart + this.#bodyLength + 1;
    if (start + length > end) return 0;
    if (bytes[start + length - 1] !== NUL) {
      throw new ProtocolError('BAD_REQUEST', 'no NUL after the body that content-length announced');
    }
    return length;
  }

  /** The frame, after `read` returned its length; `bytes` and `start` as they were then. */
  frame(bytes: Uint8Array, start: number, length: number): Frame {
    const head = this.#head as Head;
    const bodyStart = start + this.#bodyStart;
    const bodyEnd = start + length - 1;
    const body = bodyStart === bodyEnd ? NO_BODY : bytes.subarray(bodyStart, bodyEnd);
    return { command: head.command, headers: head.headers, body };
  }

  #readHead(bytes: Uint8Array, start: number, end: number, version: StompVersion): Head | null {
    const { headerBytesMax, frameBytesMax, headersMax } = this.#limits;
    const headBytesMax = Math.min(headerBytesMax, frameBytesMax);
    const blankLine = this.#findBlankLine(bytes, start, Math.min(end, start + headBytesMax));
    if (blankLine === -1) {
      if (end - start < headBytesMax) return null;
      throw new ProtocolError('TOO_LARGE', `the headers are over ${headBytesMax} bytes`);
    }
    this.#head = readHead(this.#decode(bytes, start, blankLine), version, headersMax);
    this.#bodyStart = this.#scanned;
    this.#bodyLength = this.#readContentLength(this.#head);
    return this.#head;
  }

  /** Where the blank line starts, with `#scanned` behind it; -1 when it is not there yet. */
  #findBlankLine(bytes: Uint8Array, start: number, end: number): number {
    let lineStart = start + this.#lineStart;
    let octets = this.#octets;
    for (let at = start + this.#scanned; at < end; at++) {
      const octet = bytes[at] as number;
      octets |= octet;
      if (octet > CR) continue;
      if (octet === LF) {
        if (at === lineStart || (at === lineStart + 1 && bytes[lineStart] === CR)) {
          this.#scanned = at + 1 - start;
          this.#octets = octets;
          return lineStart;
        }
        lineStart = at + 1;
      } else if (octet === NUL) {
        throw new ProtocolError('BAD_REQUEST', 'a NUL before the blank line that ends the headers');
      }
    }
    this.#scanned = end - start;
    this.#lineStart = lineStart - start;
    this.#octets = octets;
    return -1;
  }

  #decode(bytes: Uint8Array, start: number, end: number): string {
    if (this.#octets < NON_ASCII) return latin1Slice.call(bytes, start, end);
    if (!isUtf8(bytes.subarray(start, end))) {
      throw new ProtocolError('BAD_REQUEST', 'the headers are not UTF-8');
    }
    return utf8Slice.call(bytes, start, end);
  }

  #readContentLength(head: Head): number {
    const announced = head.headers.get('content-length');
    if (announced === undefined) return UNTIL_NUL;
    if (!/^[0-9]+$/.test(announced)) {
      throw new ProtocolError('BAD_REQUEST', 'content-length is not a whole number of bytes');
    }
    const bodyLength = Number(announced);
    if (bodyLength > 0 && head.command !== 'SEND') {
      throw new ProtocolError('BAD_REQUEST', `${head.command} can't have a body`);
    }
    if (this.#bodyStart + bodyLength + 1 > this.#limits.frameBytesMax) throw this.#frameTooLarge();
    return bodyLength;
  }

  #findBodyEnd(bytes: Uint8Array, start: number, end: number): number {
    const { frameBytesMax } = this.#limits;
    const nul = indexOf.call(bytes, NUL, start + this.#scanned);
    if (nul !== -1 && nul < end && nul < start + frameBytesMax) return nul + 1 - start;
    if (end - start >= frameBytesMax) throw this.#frameTooLarge();
    this.#scanned = end - start;
    return 0;
  }

  #frameTooLarge(): ProtocolError {
    return new ProtocolError('TOO_LARGE', `the frame is over ${this.#limits.frameBytesMax} bytes`);
  }
}
