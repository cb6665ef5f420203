// What is wrong with changes that came from outside.
import type { Changes } from './changes.ts';

/** A document as far as it must be known to look for cuts: a string is one, and so is a `Text`. */
interface Units {
  /** NaN outside the document. */
  charCodeAt(index: number): number;
}

/**
 * What is wrong with changes of a document of `documentLength` units, as a sentence for who sent them, or null.
 * Looks at the form alone; `cutsPair` needs the document.
 */
export function defectOf(changes: Changes, documentLength: number): string | null {
  let end = 0;
  for (const { position, length, text } of changes) {
    if (!Number.isSafeInteger(position) || position < 0)
      return 'A position must be a whole number from 0 on.';
    if (!Number.isSafeInteger(length) || length < 0) return 'A length must be a whole number from 0 on.';
    if (position + length > documentLength) {
      return `Position ${position} and length ${length} are outside the document of ${documentLength} units.`;
    }
    if (position < end) return 'Changes must rise and not overlap.';
    if (isMalformed(text)) return 'A text must not hold half of a surrogate pair.';
    end = position + length;
  }
  return null;
}

/**
 * Whether a change begins or ends within a surrogate pair. Changes may be looked at after they were transformed:
 * where the pair is gone meanwhile, there is nothing left to cut.
 */
export function cutsPair(changes: Changes, document: Units): boolean {
  return changes.some(
    ({ position, length }) => isWithinPair(position, document) || isWithinPair(position + length, document),
  );
}

/** Whether `position` lies between the halves of a surrogate pair. */
export function isWithinPair(position: number, document: Units): boolean {
  if ((document.charCodeAt(position) & 0xfc00) !== 0xdc00) return false;
  return (document.charCodeAt(position - 1) & 0xfc00) === 0xd800;
}

/** Whether a text has half of a surrogate pair without the other. */
function isMalformed(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
