// Reads values of MessagePack, one after the other, each of a type that is expected: nothing nests deeper than a map of
// texts, and no length makes memory. What is not expected, or not there, is a ProtocolError.
import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../frame.ts';
import { numberMax } from './commands.ts';

const NIL = 0xc0;
/** A zero byte, or anything that is not ASCII. */
const notPlain = /[\0\x80-\xff]/;
const nothing: Uint8Array = new Uint8Array(0);

// Buffer's readers work on any Uint8Array, and calling them so spares making a Buffer for every message.
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
};

const bad = (text: string): ProtocolError => new ProtocolError('BAD_REQUEST', text);

export class ValueReader {
  #bytes = nothing;
  #at = 0;

  /** Starts anew with these bytes. */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  /** Whether all bytes are read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @returns how many elements follow. */
  array(): number {
    const first = this.#octet();
    if (first >= 0x90 && first <= 0x9f) return first & 0x0f;
    if (first === 0xdc) return this.#unsigned(2);
    if (first === 0xdd) return this.#unsigned(4);
    throw bad('a frame is one array');
  }

  /** Passes over a nil, if the next value is one. */
  nil(): boolean {
    if (this.#bytes[this.#at] !== NIL) return false;
    this.#at += 1;
    return true;
  }

  /** A whole number from 0 to 2^32 - 1, in whatever form. */
  number(): number {
    const number = this.#wholeNumber(this.#octet());
    if (number === null) throw bad('a whole number was expected');
    return number;
  }

  /** A number, as its digits, or a text. */
  name(): string {
    const first = this.#bytes[this.#at] ?? NIL;
    if (first < 0x80) {
      this.#at += 1;
      return String(first);
    }
    return isTextHead(first) ? this.text() : String(this.number());
  }

  /** UTF-8 without a zero byte. */
  text(): string {
    const length = this.#textLength(this.#octet());
    if (length === null) throw bad('a text was expected');
    const start = this.#take(length);
    const text = latin1Slice.call(this.#bytes, start, this.#at);
    // An expression is fast from its second use on, a loop over bytes only when it has become hot.
    return notPlain.test(text) ? this.#otherText(start, text) : text;
  }

  /** Whether the next value is a text. */
  get isAtText(): boolean {
    return isTextHead(this.#bytes[this.#at] ?? NIL);
  }

  /** Bytes, as a view, or the bytes of a text, which are UTF-8. */
  body(): Uint8Array {
    const first = this.#octet();
    const binaryLength = this.#binaryLength(first);
    const length = binaryLength ?? this.#textLength(first);
    if (length === null) throw bad('a body is bytes or a text');
    const start = this.#take(length);
    const bytes = this.#bytes.subarray(start, this.#at);
    if (binaryLength === null && !isUtf8(bytes)) throw bad('a text is not UTF-8');
    return bytes;
  }

  /** @param names that must not be in it. */
  headers(names: readonly string[], headersMax: number): Map<string, string> {
    const count = this.#mapCount(this.#octet());
    if (count > headersMax) throw new ProtocolError('TOO_LARGE', `more than ${headersMax} headers`);
    const headers = new Map<string, string>();
    for (let left = count; left > 0; left--) {
      const name = this.text();
      if (name === '') throw bad('a header has no name');
      if (names.includes(name)) throw bad(`the header ${name} has a place of its own`);
      if (headers.has(name)) throw bad('a header is there twice');
      headers.set(name, this.name());
    }
    return headers;
  }

  /** @param latin1 one character for each byte. */
  #otherText(start: number, latin1: string): string {
    if (latin1.includes('\0')) throw bad('a text holds a zero byte');
    if (!isUtf8(this.#bytes.subarray(start, this.#at))) throw bad('a text is not UTF-8');
    return utf8Slice.call(this.#bytes, start, this.#at);
  }

  #octet(): number {
    const octet = this.#bytes[this.#at];
    if (octet === undefined) throw bad('the array ends early');
    this.#at += 1;
    return octet;
  }

  /** Passes over so many bytes. @returns where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw bad('a length goes beyond the message');
    this.#at = start + length;
    return start;
  }

  #unsigned(octets: number): number {
    const start = this.#take(octets);
    let number = 0;
    for (let at = start; at < this.#at; at++) number = number * 256 + (this.#bytes[at] as number);
    return number;
  }

  #wholeNumber(first: number): number | null {
    if (first < 0x80) return first;
    // cc to cf, of 1, 2, 4 and 8 bytes; d0 to d3 the same with a sign.
    if (first < 0xcc || first > 0xd3) {
      if (first >= 0xe0) throw bad('a number is below 0');
      return null;
    }
    const octets = 1 << (first & 3);
    const number = this.#unsigned(octets);
    if (first >= 0xd0 && number >= 2 ** (8 * octets - 1)) throw bad('a number is below 0');
    if (number > numberMax) throw bad(`a number is above ${numberMax}`);
    return number;
  }

  #textLength(first: number): number | null {
    if (first >= 0xa0 && first <= 0xbf) return first & 0x1f;
    return first >= 0xd9 && first <= 0xdb ? this.#unsigned(1 << (first - 0xd9)) : null;
  }

  #binaryLength(first: number): number | null {
    return first >= 0xc4 && first <= 0xc6 ? this.#unsigned(1 << (first - 0xc4)) : null;
  }

  #mapCount(first: number): number {
    if (first >= 0x80 && first <= 0x8f) return first & 0x0f;
    if (first === 0xde) return this.#unsigned(2);
    if (first === 0xdf) return this.#unsigned(4);
    throw bad('headers are a map');
  }
}

function isTextHead(first: number): boolean {
  return (first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb);
}
