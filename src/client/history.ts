// What the user can take back and do again in a document, while others go on. Pure: knows no connection and no clock.
import { invert, unchanged, type Changes } from '../text/changes.ts';
import { compose } from '../text/compose.ts';
import { mapPosition } from '../text/position.ts';
import { transform } from '../text/transform.ts';

/** Typing that goes on within this is one step. */
const joinedWithinMs = 1_000;
const stepsMax = 1_000;
/** Twice the longest document: all of it can be removed and brought back. */
const unitsMax = 8 * 1024 * 1024;

interface Step {
  /** What takes it back, in the text in which it was made. */
  changes: Changes;
  /** What others have done in that text since. The steps below do not know of it either. */
  over: Changes;
}

/** Each step counts in the text in which those above it are taken back. */
class Steps {
  readonly #steps: Step[] = [];
  #units = 0;

  push(changes: Changes): void {
    this.#steps.push({ changes, over: unchanged });
    this.#units += unitsOf(changes);
    while (this.#steps.length > stepsMax || (this.#units > unitsMax && this.#steps.length > 1)) {
      const oldest = this.#steps.shift();
      if (oldest) this.#units -= unitsOf(oldest.changes) + unitsOf(oldest.over);
    }
  }

  /** Takes what goes on where the newest step ended into that step. */
  join(changes: Changes): void {
    this.push(compose(changes, this.#pop() ?? unchanged));
  }

  /** Others have changed the text. Steps are only carried over it when they are taken. */
  carry(changes: Changes): void {
    const step = this.#steps.at(-1);
    if (!step || changes.length === 0) return;
    this.#units -= unitsOf(step.over);
    step.over = compose(step.over, changes);
    this.#units += unitsOf(step.over);
  }

  /** The newest step that still does something, as changes of the present text. */
  take(): Changes | null {
    for (let changes = this.#pop(); changes; changes = this.#pop()) {
      if (changes.length > 0) return changes;
    }
    return null;
  }

  clear(): void {
    this.#steps.length = 0;
    this.#units = 0;
  }

  #pop(): Changes | null {
    const step = this.#steps.pop();
    if (!step) return null;
    const { changes, over } = step;
    this.#units -= unitsOf(changes) + unitsOf(over);
    this.carry(transform(over, changes, 'left'));
    return transform(changes, over, 'right');
  }
}

/** What it takes to keep them. */
function unitsOf(changes: Changes): number {
  let units = 0;
  for (const { text } of changes) units += text.length + 1;
  return units;
}

interface Typing {
  readonly isInsertion: boolean;
  /** Where it began and ended: what goes on there belongs to it. */
  readonly from: number;
  readonly end: number;
}

/** Of changes in the text after them; null for what is no typing. */
function typingOf(changes: Changes): (Typing & { readonly isAlone: boolean }) | null {
  const [change] = changes;
  if (!change || changes.length > 1) return null;
  const { position, length, text } = change;
  if (text === '') return { isInsertion: false, from: position + length, end: position, isAlone: false };
  return { isInsertion: true, from: position, end: position + text.length, isAlone: length > 0 };
}

export class History {
  readonly #undo = new Steps();
  readonly #redo = new Steps();
  /** The newest edit, where what is typed next may go on. */
  #newest: { readonly isInsertion: boolean; readonly end: number; readonly atMs: number } | null = null;

  /** The user has changed `before`, by other than undo and redo. */
  edited(changes: Changes, before: string, atMs: number): void {
    if (changes.length === 0) return;
    const inverse = invert(changes, before);
    const newest = this.#newest;
    const typing = typingOf(changes);
    const goesOn =
      newest !== null &&
      typing !== null &&
      !typing.isAlone &&
      typing.isInsertion === newest.isInsertion &&
      atMs - newest.atMs < joinedWithinMs &&
      (typing.from === newest.end || (!typing.isInsertion && typing.end === newest.end));
    if (goesOn) this.#undo.join(inverse);
    else this.#undo.push(inverse);
    this.#redo.clear();
    this.#newest = typing && { isInsertion: typing.isInsertion, end: typing.end, atMs };
  }

  /** Others have changed the user's text. */
  carry(changes: Changes): void {
    this.#undo.carry(changes);
    this.#redo.carry(changes);
    const newest = this.#newest;
    if (newest) this.#newest = { ...newest, end: mapPosition(newest.end, changes, 'left') };
  }

  /** What takes the user's newest step back in `text`, and is done from then on; null when there is none. */
  undo(text: string): Changes | null {
    return this.#move(this.#undo, this.#redo, text);
  }

  /** What does again in `text` what was undone last, and is done from then on; null when there is none. */
  redo(text: string): Changes | null {
    return this.#move(this.#redo, this.#undo, text);
  }

  /** The text is another one. */
  clear(): void {
    this.#undo.clear();
    this.#redo.clear();
    this.#newest = null;
  }

  #move(from: Steps, to: Steps, text: string): Changes | null {
    this.#newest = null;
    const changes = from.take();
    if (changes) to.push(invert(changes, text));
    return changes;
  }
}
