// What is done to a text in one step: the form all functions of this folder take and give.

/**
 * Puts `text` in the place of the `length` UTF-16 units from `position` on. The text stands before the gap that the
 * removed units leave, so what others insert within them comes after it.
 */
export interface Change {
  readonly position: number;
  readonly length: number;
  readonly text: string;
}

/**
 * Changes of one document, all in its coordinates, in normal form: positions rise, ranges do not overlap, none does
 * nothing, and one that begins where the one before it ends has a text (else the two would be one). Two such changes
 * side by side are not one: the second text stands after what the first removed, and that decides which side of it
 * a concurrent insertion within the removed units falls.
 */
export type Changes = readonly Change[];

/** Changes that do nothing. */
export const unchanged: Changes = [];

/** Collects changes that come in order and keeps them in normal form. */
export class ChangesBuilder {
  readonly #changes: { position: number; length: number; text: string }[] = [];
  #last: { position: number; length: number; text: string } | null = null;

  /** Adds a change that begins at or after the end of the one before. */
  add(position: number, length: number, text: string): void {
    if (length === 0 && text === '') return;
    const last = this.#last;
    if (last !== null && last.position + last.length === position) {
      // Either nothing was removed between the two texts, or there is no second text.
      if (last.length === 0 || text === '') {
        last.length += length;
        last.text += text;
        return;
      }
    }
    this.#last = { position, length, text };
    this.#changes.push(this.#last);
  }

  /** All that was added. The builder is not to be used any more. */
  build(): Changes {
    return this.#changes;
  }
}

/** The normal form of changes that rise and do not overlap (`defectOf` finds none in them). */
export function normalise(changes: Changes): Changes {
  const builder = new ChangesBuilder();
  for (const { position, length, text } of changes) builder.add(position, length, text);
  return builder.build();
}

/** By how many units a document grows; below zero when it shrinks. */
export function growth(changes: Changes): number {
  let units = 0;
  for (const { length, text } of changes) units += text.length - length;
  return units;
}

/** The document after the changes. */
export function applyTo(document: string, changes: Changes): string {
  let result = '';
  let from = 0;
  for (const { position, length, text } of changes) {
    result += document.slice(from, position) + text;
    from = position + length;
  }
  return result + document.slice(from);
}

/** What takes the changes back: changes of the document after them. `document` is the one before. */
export function invert(changes: Changes, document: { slice(from: number, to: number): string }): Changes {
  const builder = new ChangesBuilder();
  let shift = 0;
  for (const { position, length, text } of changes) {
    builder.add(position + shift, text.length, document.slice(position, position + length));
    shift += text.length - length;
  }
  return builder.build();
}
