// Where a place in a text is after changes: for cursors and the ends of selections.
import type { Changes } from './changes.ts';
import type { Side } from './transform.ts';

/**
 * Where `position` is after `changes`. A text inserted exactly there leaves it on its `side`: `left`, before the text,
 * is what a cursor does when others write where it stands, `right` when its own user does. A position within removed
 * units goes to the place where they were, after what took their place. Positions never overtake each other.
 */
export function mapPosition(position: number, changes: Changes, side: Side): number {
  let shift = 0;
  for (const { position: start, length, text } of changes) {
    if (start > position || (start === position && side === 'left')) break;
    if (start === position || start + length > position) return start + shift + text.length;
    shift += text.length - length;
  }
  return position + shift;
}
