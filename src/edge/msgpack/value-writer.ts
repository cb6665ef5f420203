// Writes values of MessagePack, each in its shortest form, one frame behind the other into slabs of memory: a frame costs
// a view and no copy.
import { numberMax } from './commands.ts';

const slabBytes = 64 * 1024;
const growth = 1.25;
/** Up to here a loop is faster than asking for the bytes of a text. */
const shortTextMax = 24;
const utf8BytesPerUnitMax = 3;

export class ValueWriter {
  #bytes = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #at = 0;

  /** Forgets what was written and not taken. */
  begin(): void {
    this.#at = this.#start;
  }

  /** What was written. Its `buffer` holds other bytes too. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.#bytes.buffer, this.#start, this.#at - this.#start);
    this.#start = this.#at;
    // A large body has a slab to itself, which must not live on for the sake of what comes next.
    if (this.#bytes.length > slabBytes) this.#newSlab(0);
    return taken;
  }

  octet(octet: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = octet;
  }

  nil(): void {
    this.octet(0xc0);
  }

  /** @param count of elements, at most 15. */
  array(count: number): void {
    this.octet(0x90 | count);
  }

  /** @param count of pairs, below 2^16. */
  map(count: number): void {
    if (count < 16) this.octet(0x80 | count);
    else this.#head(0xde, count, 2);
  }

  /** A whole number from 0 to 2^53 - 1. */
  number(number: number): void {
    if (number < 0x80) this.octet(number);
    else if (number < 0x100) this.#head(0xcc, number, 1);
    else if (number < 0x1_0000) this.#head(0xcd, number, 2);
    else if (number <= numberMax) this.#head(0xce, number, 4);
    else this.#head(0xcf, number, 8);
  }

  /** A text that is the digits of a number goes as the number. */
  name(name: string): void {
    if (isNumber(name)) this.number(Number(name));
    else this.text(name);
  }

  text(text: string): void {
    this.#room(5 + text.length * utf8BytesPerUnitMax);
    if (text.length > shortTextMax || !this.#shortText(text)) this.#longText(text);
  }

  textOrNil(text: string | null): void {
    if (text === null) this.nil();
    else this.text(text);
  }

  binary(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length < 0x100) this.#head(0xc4, length, 1);
    else if (length < 0x1_0000) this.#head(0xc5, length, 2);
    else this.#head(0xc6, length, 4);
    this.raw(bytes, 0);
  }

  /** Bytes that are values already, from `start` on. */
  raw(bytes: Uint8Array, start: number): void {
    const length = bytes.length - start;
    this.#room(length);
    this.#bytes.set(start === 0 ? bytes : bytes.subarray(start), this.#at);
    this.#at += length;
  }

  #shortText(text: string): boolean {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return false;
      bytes[at++] = unit;
    }
    bytes[this.#at] = 0xa0 | text.length;
    this.#at = at;
    return true;
  }

  #longText(text: string): void {
    const length = Buffer.byteLength(text);
    if (length < 32) this.octet(0xa0 | length);
    else if (length < 0x100) this.#head(0xd9, length, 1);
    else if (length < 0x1_0000) this.#head(0xda, length, 2);
    else this.#head(0xdb, length, 4);
    this.#at += this.#bytes.write(text, this.#at);
  }

  #head(first: number, number: number, octets: number): void {
    this.#room(1 + octets);
    const bytes = this.#bytes;
    bytes[this.#at] = first;
    let rest = number;
    for (let at = this.#at + octets; at > this.#at; at--) {
      bytes[at] = rest % 0x100;
      rest = Math.floor(rest / 0x100);
    }
    this.#at += 1 + octets;
  }

  #room(more: number): void {
    if (this.#at + more > this.#bytes.length) this.#newSlab(more);
  }

  /** What was taken keeps the old one for as long as it lives. */
  #newSlab(more: number): void {
    const written = this.#bytes.subarray(this.#start, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(slabBytes, (written.length + more) * growth));
    this.#bytes.set(written);
    this.#start = 0;
    this.#at = written.length;
  }
}

const numberDigitsMax = 10;

/** Whether a text is how a number of a client is written: in digits, without a leading zero. */
function isNumber(text: string): boolean {
  const { length } = text;
  if (length === 0 || length > numberDigitsMax) return false;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  if (length > 1 && text.charCodeAt(0) === 0x30) return false;
  return length < numberDigitsMax || Number(text) <= numberMax;
}
