// What a change becomes when another was made first.
import { ChangesBuilder, unchanged, type Change, type Changes } from './changes.ts';

/**
 * Where an insertion goes that meets another at the same position: `right` of it, as what is committed later does,
 * or `left` of it, as what was committed earlier does.
 */
export type Side = 'left' | 'right';

/**
 * What `changes` become after `over`, when both were made on one document. With one side for the one and the other
 * side for the other both ways end at the same text: `over` then `transform(changes, over, 'right')` is `changes` then
 * `transform(over, changes, 'left')`.
 *
 * What both remove is removed once. An insertion within units the other removes stays, at the place where they were,
 * after the other's text. What is inserted within units the other removes parts the removal in two. Changes with
 * nothing left to do become none.
 */
export function transform(changes: Changes, over: Changes, side: Side): Changes {
  const first = changes[0];
  const first2 = over[0];
  if (first === undefined || first2 === undefined) return changes;
  if (changes.length === 1 && over.length === 1) {
    const { position, length } = first;
    if (first2.position > position && first2.position >= position + length) return changes;
    if (first2.position < position && first2.position + first2.length <= position) {
      return [{ position: position + first2.text.length - first2.length, length, text: first.text }];
    }
  }
  return new Transformation(over, side).of(changes);
}

/** Walks over both lists side by side. */
class Transformation {
  readonly #over: Changes;
  readonly #side: Side;
  readonly #result = new ChangesBuilder();
  /** The first of `over` that does not lie wholly before where the walk is. */
  #next = 0;
  /** What those before it add to a position. */
  #shift = 0;

  constructor(over: Changes, side: Side) {
    this.#over = over;
    this.#side = side;
  }

  of(changes: Changes): Changes {
    for (const change of changes) {
      this.#passBefore(change.position);
      if (change.text !== '') this.#result.add(this.#landing(change.position), 0, change.text);
      if (change.length > 0) this.#remove(change);
    }
    const result = this.#result.build();
    return result.length === 0 ? unchanged : result;
  }

  #pass(other: Change): void {
    this.#shift += other.text.length - other.length;
    this.#next += 1;
  }

  #passBefore(position: number): void {
    for (;;) {
      const other = this.#over[this.#next];
      if (!other || other.position >= position || other.position + other.length > position) return;
      this.#pass(other);
    }
  }

  /** Where an insertion at `position` goes, when everything before it was passed. */
  #landing(position: number): number {
    const other = this.#over[this.#next];
    if (!other || other.position > position) return position + this.#shift;
    const start = other.position + this.#shift;
    return other.position === position && this.#side === 'left' ? start : start + other.text.length;
  }

  /** Removes what the other has left of the range. */
  #remove({ position, length }: Change): void {
    const end = position + length;
    let at = position;
    while (at < end) {
      const other = this.#over[this.#next];
      const rest = Math.min(other?.position ?? end, end);
      if (rest > at) {
        this.#result.add(at + this.#shift, rest - at, '');
        at = rest;
      }
      if (!other || other.position >= end) return;
      const otherEnd = other.position + other.length;
      // Reaches further than the range: the next change needs it too.
      if (otherEnd > end) return;
      this.#pass(other);
      at = otherEnd;
    }
  }
}
