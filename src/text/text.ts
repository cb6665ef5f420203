// A long text that is edited in place.
import type { Changes } from './changes.ts';

/** Units a chunk has at most; an edit copies one. */
const chunkUnitsMax = 2_048;
/** Chunks are made of half of that, so that they can grow; below a quarter they join a neighbour. */
const chunkUnits = chunkUnitsMax / 2;
const chunkUnitsMin = chunkUnitsMax / 4;

/**
 * A text of UTF-16 units, each kept exactly as it came, line ends and halves of pairs included. An edit costs the
 * copy of one chunk and a walk from the last place of interest (or from the nearer end), so neither the length of the
 * text nor of its lines matters much up to some ten million units.
 */
export class Text {
  #chunks: string[];
  /** The length of each chunk: a walk over numbers that lie side by side is many times faster. */
  #lengths: number[];
  #length: number;
  /** A chunk that was of interest last, and where it starts. */
  #index = 0;
  #start = 0;

  private constructor(chunks: string[], length: number) {
    this.#chunks = chunks;
    this.#lengths = lengthsOf(chunks);
    this.#length = length;
  }

  static from(text: string): Text {
    return new Text(cut(text), text.length);
  }

  /** In UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** The unit at `index`, NaN outside the text. */
  charCodeAt(index: number): number {
    if (!(index >= 0 && index < this.#length)) return Number.NaN;
    this.#seek(index);
    return this.#here.charCodeAt(index - this.#start);
  }

  /** The units from `from` up to and without `to`; of what lies outside the text, nothing. */
  slice(from: number, to: number): string {
    const start = Math.max(from, 0);
    const end = Math.min(to, this.#length);
    if (start >= end) return '';
    this.#seek(start);
    let at = this.#start;
    let result = '';
    for (let index = this.#index; at < end; index += 1) {
      const chunk = this.#chunks[index] ?? '';
      result += chunk.slice(Math.max(start - at, 0), end - at);
      at += chunk.length;
    }
    return result;
  }

  toString(): string {
    return this.#chunks.join('');
  }

  /** Makes changes in normal form. Throws a RangeError, and changes nothing, when one lies outside the text. */
  apply(changes: Changes): void {
    const [first] = changes;
    const last = changes.at(-1);
    if (!first || !last) return;
    const end = last.position + last.length;
    if (!(first.position >= 0 && end <= this.#length)) {
      throw new RangeError(`Changes from ${first.position} to ${end} in a text of ${this.#length} units`);
    }
    let shift = 0;
    for (const { position, length, text } of changes) {
      this.#splice(position + shift, length, text);
      shift += text.length - length;
    }
  }

  get #here(): string {
    return this.#chunks[this.#index] ?? '';
  }

  #splice(position: number, length: number, text: string): void {
    this.#seek(position);
    const chunk = this.#here;
    const from = position - this.#start;
    const to = from + length;
    const units = chunk.length - length + text.length;
    this.#length += text.length - length;
    if (
      to <= chunk.length &&
      units <= chunkUnitsMax &&
      (units >= chunkUnitsMin || this.#chunks.length === 1)
    ) {
      this.#chunks[this.#index] = chunk.slice(0, from) + text + chunk.slice(to);
      this.#lengths[this.#index] = units;
      return;
    }
    this.#replaceChunks(from, to, text);
  }

  /** From `from` in the present chunk to `to`, counted from the same start, which may lie in a later one. */
  #replaceChunks(from: number, to: number, text: string): void {
    const first = this.#index;
    let next = first + 1;
    let last = this.#here;
    let end = last.length;
    for (; end < to; next += 1) {
      last = this.#chunks[next] ?? '';
      end += last.length;
    }
    let joined = this.#here.slice(0, from) + text + last.slice(last.length - (end - to));
    if (joined.length < chunkUnitsMin && next < this.#chunks.length) {
      joined += this.#chunks[next] ?? '';
      next += 1;
    }
    const pieces = cut(joined);
    this.#chunks = this.#chunks.toSpliced(first, next - first, ...pieces);
    this.#lengths = this.#lengths.toSpliced(first, next - first, ...lengthsOf(pieces));
  }

  /** Makes the chunk that holds `position` the present one; for the very end of the text, the last chunk. */
  #seek(position: number): void {
    if (position < this.#start) this.#seekBack(position);
    else if (position - this.#start > this.#length - position) {
      this.#index = this.#chunks.length - 1;
      this.#start = this.#length - this.#here.length;
      this.#seekBack(position);
    } else this.#seekOn(position);
  }

  #seekBack(position: number): void {
    if (position < this.#start - position) {
      this.#index = 0;
      this.#start = 0;
      this.#seekOn(position);
      return;
    }
    let index = this.#index;
    let start = this.#start;
    while (position < start) {
      index -= 1;
      start -= this.#lengths[index] ?? 0;
    }
    this.#index = index;
    this.#start = start;
  }

  #seekOn(position: number): void {
    const lastIndex = this.#lengths.length - 1;
    let index = this.#index;
    let end = this.#start + (this.#lengths[index] ?? 0);
    while (index < lastIndex && position >= end) {
      index += 1;
      end += this.#lengths[index] ?? 0;
    }
    this.#index = index;
    this.#start = end - (this.#lengths[index] ?? 0);
  }
}

const lengthsOf = (chunks: readonly string[]): number[] => chunks.map(({ length }) => length);

/** Cuts a text into chunks, at least one. */
function cut(text: string): string[] {
  if (text.length <= chunkUnitsMax) return [text];
  const chunks: string[] = [];
  for (let from = 0; from < text.length; from += chunkUnits) chunks.push(text.slice(from, from + chunkUnits));
  return chunks;
}
