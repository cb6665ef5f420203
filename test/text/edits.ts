// Random edits of a text, made of numbers so that they can be shrunk and fitted to whatever document there is.
import { env } from 'node:process';
import fc from 'fast-check';
import { normalise, type Change, type Changes } from '../../src/text/changes.ts';

/** How often a property of texts is tried: `TEXT_RUNS`, or a number that takes moments. The same cases each time. */
export const runs = { seed: 2_024_0501, numRuns: Number(env['TEXT_RUNS'] ?? 500) };

/** An edit before it knows its document: how far after the one before, how much is removed and inserted. */
export interface Wish {
  readonly skip: number;
  readonly remove: number;
  readonly insert: number;
}

const few = fc.integer({ min: 0, max: 3 });
export const wish: fc.Arbitrary<Wish> = fc.record({ skip: fc.nat({ max: 7 }), remove: few, insert: few });
/** Several changes in one list, often side by side. */
export const wishes = fc.array(
  fc.record({ skip: fc.integer({ min: 0, max: 2 }), remove: few, insert: fc.integer({ min: 0, max: 2 }) }),
  { maxLength: 4, size: 'max' },
);

/** Gives texts in which no unit comes twice, so that each can be followed. */
export class Alphabet {
  #next = 0x100;

  take(units: number): string {
    const codes = Array.from({ length: units }, (_, index) => this.#next + index);
    this.#next += units;
    return String.fromCharCode(...codes);
  }
}

/** The changes that the wishes are in a document of `length` units. */
export function fit(many: readonly Wish[], length: number, alphabet: Alphabet): Changes {
  const changes: Change[] = [];
  let at = 0;
  for (const { skip, remove, insert } of many) {
    const position = Math.min(at + skip, length);
    const removed = Math.min(remove, length - position);
    changes.push({ position, length: removed, text: alphabet.take(insert) });
    at = position + removed;
  }
  return normalise(changes);
}

/** One change anywhere in a document of `length` units. */
export function fitOne({ skip, ...rest }: Wish, length: number, alphabet: Alphabet): Changes {
  return fit([{ ...rest, skip: skip % (length + 1) }], length, alphabet);
}

/** The units that changes of `document` remove. */
export function removedBy(changes: Changes, document: string): string {
  return changes.map(({ position, length }) => document.slice(position, position + length)).join('');
}

/** The units that changes insert. */
export function insertedBy(changes: Changes): string {
  return changes.map(({ text }) => text).join('');
}

export const sorted = (units: Iterable<string>): string => [...units].toSorted().join('');

export const insert = (position: number, text: string): Changes => [{ position, length: 0, text }];
export const remove = (position: number, length: number): Changes => [{ position, length, text: '' }];
