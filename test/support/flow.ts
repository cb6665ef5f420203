// What one side of a connection sends to the other: passed on in order, later than it came or not at all.
import type { Socket } from 'node:net';
import { systemClock } from '../../src/lib/clock.ts';

/** More than this waits with its sender. */
const waitingBytesMax = 256 * 1024;

interface Piece {
  readonly bytes: Buffer;
  readonly dueAtMs: number;
}

export class Flow {
  /** Bytes that were passed on. */
  passed = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #changed: () => void;
  readonly #waiting: Piece[] = [];
  #waitingBytes = 0;
  #isHeld = false;
  #isLost = false;
  #delayMs = 0;
  #timer: { cancel(): void } | null = null;
  #mark: { readonly at: number; readonly act: () => void } | null = null;
  #whenEmpty: (() => void) | null = null;

  constructor(from: Socket, to: Socket, changed: () => void) {
    this.#from = from;
    this.#to = to;
    this.#changed = changed;
    from.on('data', (bytes: Buffer) => this.#came(bytes));
    from.on('end', () => this.finish(() => to.end()));
    to.on('drain', () => this.#drain());
  }

  /** Acts when so many more bytes have passed, before the next one does. Takes the place of what was to be done before. */
  after(bytes: number, act: () => void): void {
    this.#mark = { at: this.passed + bytes, act };
  }

  /** Nothing gets through until `heal`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** What comes from now on is lost. */
  lose(): void {
    this.#isLost = true;
  }

  /** The receiver is told that there is nothing more, and gets nothing more. */
  endHalf(): void {
    this.lose();
    this.#to.end();
  }

  /** Everything that comes from now on takes so much longer. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  heal(): void {
    this.#isHeld = false;
    this.#delayMs = 0;
    this.#mark = null;
    this.#drain();
  }

  /** Acts when all that has come was passed on. */
  finish(act: () => void): void {
    this.#whenEmpty = act;
    this.#drain();
  }

  #came(bytes: Buffer): void {
    const dueAtMs = systemClock.now() + this.#delayMs;
    this.#waiting.push({ bytes, dueAtMs: Math.max(dueAtMs, this.#waiting.at(-1)?.dueAtMs ?? 0) });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > waitingBytesMax) this.#from.pause();
    this.#drain();
  }

  #drain(): void {
    this.#timer?.cancel();
    this.#timer = null;
    for (let piece = this.#waiting[0]; piece && !this.#isHeld; piece = this.#waiting[0]) {
      const leftMs = piece.dueAtMs - systemClock.now();
      if (leftMs > 0) {
        this.#timer = systemClock.after(leftMs, () => this.#drain());
        return;
      }
      this.#waiting.shift();
      this.#waitingBytes -= piece.bytes.length;
      if (!this.#pass(piece)) break;
    }
    if (this.#isHeld || (this.#to.writableNeedDrain && !this.#to.destroyed)) return;
    if (this.#waitingBytes <= waitingBytesMax) this.#from.resume();
    if (this.#waiting.length > 0) return;
    const act = this.#whenEmpty;
    this.#whenEmpty = null;
    act?.();
  }

  /** @returns whether the next piece may be passed on at once. */
  #pass({ bytes, dueAtMs }: Piece): boolean {
    const mark = this.#mark;
    const room = mark ? mark.at - this.passed : bytes.length;
    if (mark && room < bytes.length) {
      this.#write(bytes.subarray(0, room));
      this.#mark = null;
      // Held, delayed or lost from here on: the rest is looked at again.
      this.#waiting.unshift({ bytes: bytes.subarray(room), dueAtMs });
      this.#waitingBytes += bytes.length - room;
      mark.act();
      return true;
    }
    return this.#write(bytes);
  }

  #write(bytes: Buffer): boolean {
    this.passed += bytes.length;
    this.#changed();
    if (this.#isLost || this.#to.destroyed || this.#to.writableEnded) return true;
    return bytes.length === 0 || this.#to.write(bytes);
  }
}
