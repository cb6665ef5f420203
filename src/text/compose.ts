// Two steps as one.
import { ChangesBuilder, type Change, type Changes } from './changes.ts';

/**
 * One list for `first` and then `second`, which counts in the document after `first`. What `second` inserts where
 * `first` removed units goes before the gap, so whatever is transformed `right` of the composed list lands where it
 * would right of the one and then of the other. (`left` it may not: where in the gap it was is forgotten.)
 */
export function compose(first: Changes, second: Changes): Changes {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  return new Composition(first).with(second);
}

/** All steps as one; each counts in the document after the one before. */
export function composeAll(steps: readonly Changes[]): Changes {
  let level = steps;
  // In pairs, so that long lists are walked few times.
  while (level.length > 1) {
    const pairs: Changes[] = [];
    for (let index = 0; index < level.length; index += 2) {
      pairs.push(compose(level[index] ?? [], level[index + 1] ?? []));
    }
    level = pairs;
  }
  return level[0] ?? [];
}

/** Walks through the document between the two steps. */
class Composition {
  readonly #first: Changes;
  readonly #result = new ChangesBuilder();
  #next = 0;
  /** How much of the text of the next of `first` is passed. */
  #used = 0;
  /** What those before it add to a position. */
  #shift = 0;

  constructor(first: Changes) {
    this.#first = first;
  }

  with(second: Changes): Changes {
    for (const { position, length, text } of second) {
      this.#keepBefore(position);
      const within = this.#used > 0 ? this.#first[this.#next] : undefined;
      this.#result.add(within ? within.position : position - this.#shift, 0, text);
      if (length > 0) this.#remove(position, position + length);
    }
    for (let change = this.#first[this.#next]; change; change = this.#first[this.#next]) this.#finish(change);
    return this.#result.build();
  }

  /** Keeps what is left of a text of `first`, and removes what it stands for. */
  #finish(change: Change): void {
    this.#result.add(change.position, change.length, change.text.slice(this.#used));
    this.#shift += change.text.length - change.length;
    this.#next += 1;
    this.#used = 0;
  }

  #keepBefore(position: number): void {
    for (let change = this.#first[this.#next]; change; change = this.#first[this.#next]) {
      const start = change.position + this.#shift;
      if (position > start + change.text.length) {
        this.#finish(change);
        continue;
      }
      if (position > start + this.#used) {
        this.#result.add(change.position, 0, change.text.slice(this.#used, position - start));
        this.#used = position - start;
      }
      return;
    }
  }

  /** Removes a range of the document between: texts of `first` never were, the rest was in the document before. */
  #remove(from: number, end: number): void {
    let at = from;
    while (at < end) {
      const change = this.#first[this.#next];
      const start = change ? change.position + this.#shift : end;
      const kept = Math.min(start, end);
      if (at < kept) {
        this.#result.add(at - this.#shift, kept - at, '');
        at = kept;
      }
      if (!change || start >= end) return;
      const textEnd = start + change.text.length;
      at = Math.min(end, textEnd);
      this.#used = at - start;
      if (at < end) this.#finish(change);
    }
  }
}
