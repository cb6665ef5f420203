// Taking back one's own steps and keeping those of others.
import { unchanged, type Changes } from './changes.ts';
import { compose, composeAll } from './compose.ts';
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
  return withoutOwn(history).undone;
}

/** Two ways from a history with own steps to the one text without them. */
interface Parting {
  /** From the end of the history: takes the own steps back. */
  readonly undone: Changes;
  /** From its beginning: what others did, as if there were no own steps. */
  readonly others: Changes;
}

function withoutOwn(history: readonly Step[]): Parting {
  const starts = pairs(history);
  let undone = unchanged;
  let others = unchanged;
  let run: Changes[] = [];
  for (let index = history.length - 1; index >= 0; index -= 1) {
    const step = history[index];
    if (!step) continue;
    if (step.inverse === null) {
      run.push(step.changes);
      continue;
    }
    others = compose(composeAll(run.toReversed()), others);
    run = [];
    const start = starts.get(index);
    if (start === undefined) {
      undone = compose(undone, transform(step.inverse, others, 'right'));
      others = transform(others, step.inverse, 'left');
    } else {
      // Passed over as one. Taken back one by one they would bring back what others removed after the undo had
      // brought it back.
      others = compose(withoutOwn(history.slice(start, index)).others, others);
      index = start;
    }
  }
  return { undone, others: compose(composeAll(run.toReversed()), others) };
}

/**
 * Which undos in the history make one with what they undid: their index, and that of the first step undone. A redo is
 * an undo of an undo; where that one belongs to the step before it, the redo stands for itself.
 */
function pairs(history: readonly Step[]): ReadonlyMap<number, number> {
  const starts = new Map<number, number>();
  for (const [index, { undoneSteps }] of history.entries()) {
    const start = index - undoneSteps;
    if (undoneSteps > 0 && start >= 0 && !starts.has(start)) starts.set(index, start);
  }
  return starts;
}
