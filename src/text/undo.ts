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
}

/**
 * What takes back all one's own steps in `history`, oldest first, and keeps those of others: changes of the document
 * after the last step. Begin the history at the step to be undone. What one did after it must be in it as own too,
 * earlier undos among it: they cancel what they undid, so undoing once more reaches the step before.
 *
 * Own insertions are gone, even those that were removed and brought back; others' insertions are all there; what one
 * removed is back, unless others removed it too before they saw that. Where others inserted into a gap that is filled
 * again, the filling comes after their text.
 */
export function undo(history: readonly Step[]): Changes {
  let undone = unchanged;
  // What others did since the step, as it would be without one's own.
  let others = unchanged;
  let run: Changes[] = [];
  for (const { changes, inverse } of history.toReversed()) {
    if (inverse === null) {
      run.push(changes);
      continue;
    }
    others = compose(composeAll(run.toReversed()), others);
    run = [];
    undone = compose(undone, transform(inverse, others, 'right'));
    others = transform(others, inverse, 'left');
  }
  return undone;
}
