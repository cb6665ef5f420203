// Surrogate pairs in what an editor does: it counts in UTF-16 units and may put one half in another's place.
import type { Change, Changes } from '../text/changes.ts';
import { isWithinPair } from '../text/defect.ts';

export interface WholeChanges {
  readonly changes: Changes;
  /** Whether they give the text that was meant: a half that has no other half is replaced. */
  readonly isExact: boolean;
}

/** Of the length of what it stands for, so that no place behind it moves. */
const replacement = '\uFFFD';

/** Changes of `text` that begin and end between characters, and hold no half of a pair. */
export function wholePairs(changes: Changes, text: string): WholeChanges {
  let isExact = true;
  const whole = joinedWithinPairs(changes, text).map((change) => {
    const widened = widen(change, text);
    const wellFormed = widened.text.replace(/\p{Surrogate}/gu, replacement);
    isExact &&= wellFormed === widened.text;
    return { ...widened, text: wellFormed };
  });
  return { changes: whole, isExact };
}

/** Two that meet within a pair would overlap once they are widened. */
function joinedWithinPairs(changes: Changes, text: string): Change[] {
  const joined: Change[] = [];
  for (const change of changes) {
    const last = joined.at(-1);
    if (last && last.position + last.length === change.position && isWithinPair(change.position, text)) {
      joined[joined.length - 1] = {
        position: last.position,
        length: last.length + change.length,
        text: last.text + change.text,
      };
    } else joined.push(change);
  }
  return joined;
}

function widen(change: Change, before: string): Change {
  const end = change.position + change.length;
  const isCutAtStart = isWithinPair(change.position, before);
  const isCutAtEnd = isWithinPair(end, before);
  const position = isCutAtStart ? change.position - 1 : change.position;
  const head = isCutAtStart ? before.charAt(position) : '';
  const tail = isCutAtEnd ? before.charAt(end) : '';
  return { position, length: end + tail.length - position, text: head + change.text + tail };
}

/** The one change that leads from a text to another; null when they are the same. Cuts no pair. */
export function difference(from: string, to: string): Change | null {
  if (from === to) return null;
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && from.charAt(start) === to.charAt(start)) start += 1;
  if (isWithinPair(start, from) || isWithinPair(start, to)) start -= 1;
  let same = 0;
  while (same < shorter - start && from.charAt(from.length - 1 - same) === to.charAt(to.length - 1 - same)) {
    same += 1;
  }
  if (isWithinPair(from.length - same, from) || isWithinPair(to.length - same, to)) same -= 1;
  return { position: start, length: from.length - same - start, text: to.slice(start, to.length - same) };
}
