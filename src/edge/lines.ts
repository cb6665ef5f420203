// Cuts a stream of bytes at its line ends.

const lineEnd = 0x0a;
const carriageReturn = 0x0d;

export class LineCutter {
  readonly #lineBytesMax: number;
  /** The beginning of a line that has not ended, in the pieces it came in. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /**
   * The lines that end in this piece, without their ends. Views of the piece, or copies of what came before it.
   * A line that is too long is null, and so is the rest of the stream: nothing may be pushed after it.
   */
  *push(piece: Uint8Array): Iterable<Uint8Array | null> {
    let start = 0;
    for (;;) {
      const end = piece.indexOf(lineEnd, start);
      const part = piece.subarray(start, end === -1 ? undefined : end);
      if (this.#bytes + part.length > this.#lineBytesMax) {
        yield null;
        return;
      }
      if (end === -1) {
        if (part.length > 0) this.#pieces.push(new Uint8Array(part));
        this.#bytes += part.length;
        return;
      }
      yield this.#take(part);
      start = end + 1;
    }
  }

  /** The last line, which needs no end; null when there is none. */
  end(): Uint8Array | null {
    return this.#bytes > 0 ? this.#take(new Uint8Array(0)) : null;
  }

  #take(last: Uint8Array): Uint8Array {
    const line = this.#bytes > 0 ? Buffer.concat([...this.#pieces, last]) : last;
    this.#pieces = [];
    this.#bytes = 0;
    return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  }
}
