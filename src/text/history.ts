// Changes that meet a whole history of others.
import type { Changes } from './changes.ts';
import { transform } from './transform.ts';

/**
 * What `changes` become after `history[from]` and all that follow, which were committed first: they made them on the
 * document before `history[from]`. Costs time in proportion to the steps, and next to no memory.
 */
export function transformOver(changes: Changes, history: readonly Changes[], from = 0): Changes {
  let result = changes;
  let index = from;
  while (index < history.length && result.length > 0) {
    if (result.length === 1) {
      const moved = slide(result, history, index);
      result = moved.changes;
      index = moved.index;
    }
    const over = history[index];
    if (over) result = transform(result, over, 'right');
    index += 1;
  }
  return result;
}

/** The usual case: a single change that is only moved, over single changes, up to the first that does more to it. */
function slide(
  changes: Changes,
  history: readonly Changes[],
  from: number,
): { readonly changes: Changes; readonly index: number } {
  const [change] = changes;
  if (!change) return { changes, index: from };
  const { length, text } = change;
  let { position } = change;
  let index = from;
  for (; index < history.length; index += 1) {
    const over = history[index];
    const other = over?.[0];
    if (!over || !other) continue;
    if (over.length > 1) break;
    if (other.position < position && other.position + other.length <= position) {
      position += other.text.length - other.length;
    } else if (other.position === position && other.length === 0) {
      // At equal positions what was committed first stays left.
      position += other.text.length;
    } else if (other.position <= position || other.position < position + length) break;
  }
  return { changes: position === change.position ? changes : [{ position, length, text }], index };
}

/**
 * A step of others comes to a client with changes of its own that are not committed yet. `pending` are its steps, each
 * in the document after the one before. Gives the step as it applies to the client's text, and the pending steps
 * as they apply after it.
 */
export function rebase(
  pending: readonly Changes[],
  incoming: Changes,
): { readonly pending: readonly Changes[]; readonly incoming: Changes } {
  let step = incoming;
  const rebased = pending.map((own) => {
    const moved = transform(own, step, 'right');
    step = transform(step, own, 'left');
    return moved;
  });
  return { pending: rebased, incoming: step };
}
