// Taking back one's own steps and keeping those of others.
import { unchanged, type Changes } from './changes.ts';
import { compose } from './compose.ts';
import { transform } from './transform.ts';

/** A step of a document's history, as seen by who wants to undo. */
export interface Step {
  /** In the document after the step before. */
  readonly changes: Changes;
  /** What takes it back (see `invert`), where it is one's own step; null where it is another's. */
  readonly inverse: Changes | null;
  /** Of an own undo or redo: how many steps before it the first step lies that it took back. 0 for all else. */
  readonly undoneSteps: number;
}

/**
 * What takes back all one's own steps in `history`, oldest first, and keeps those of others: changes of the document
 * after the last step. Begin the history at the step to be undone: the newest own edit or redo that is not undone; or
 * at the undo to be redone: the newest that is not redone, with no own edit after it. Made into a step of its own,
 * the result has the length of `history` as `undoneSteps`.
 *
 * Own insertions are gone; others' insertions are all there; what one removed is back, unless others removed it too,
 * before or since. Where others inserted into a gap that is filled again, the filling comes after their text.
 */
export function undo(history: readonly Step[]): Changes {
  let undone = unchanged;
  // What others did since the step that is looked at, newest first, as it would be without one's own steps.
  const others: Changes[] = [];
  // The pairs of what was undone and its undo that this step lies in. They are passed over: taken back one by one they
  // would bring back what others removed after the undo had brought it back.
  const passed: { readonly start: number; readonly othersAfter: number }[] = [];
  for (let index = history.length - 1; index >= 0; index -= 1) {
    const pair = passed.at(-1);
    const step = history[index];
    if (!step) continue;
    const start = index - step.undoneSteps;
    if (start < index && start >= (pair?.start ?? 0)) passed.push({ start, othersAfter: others.length });
    else if (step.inverse) {
      const inverse = removeOwn(step.inverse, others, pair?.othersAfter ?? 0);
      if (!pair) undone = compose(undone, inverse);
    } else others.push(step.changes);
    while (passed.at(-1)?.start === index) passed.pop();
  }
  return undone;
}

/**
 * Makes others' steps, newest first and from `end` on, what they would be had the own step before them not been.
 * Gives what takes that one back after them.
 */
function removeOwn(inverse: Changes, others: Changes[], end: number): Changes {
  let own = inverse;
  for (let index = others.length - 1; index >= end && own.length > 0; index -= 1) {
    const step = others[index] ?? unchanged;
    others[index] = transform(step, own, 'left');
    own = transform(own, step, 'right');
  }
  return own;
}
