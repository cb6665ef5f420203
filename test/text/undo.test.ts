// Undo and redo of one's own steps, while others edit the same text.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyTo, growth, invert, type Changes } from '../../src/text/changes.ts';
import { transformOver } from '../../src/text/history.ts';
import { undo, type Step } from '../../src/text/undo.ts';
import {
  Alphabet,
  fitOne,
  insert,
  insertedBy,
  remove,
  removedBy,
  runs,
  sorted,
  wish,
  type Wish,
} from './edits.ts';

/** One's own edit: the step that did or redid it last, and the undo of it that holds, if one does. */
interface Own {
  index: number;
  readonly inserted: string;
  readonly removed: string;
  undoneAt: number | null;
}

/** A document with me and the others in it, and what should be left of all that was ever written. */
class Desk {
  readonly alphabet = new Alphabet();
  readonly history: Step[] = [];
  readonly own: Own[] = [];
  readonly others: string[];
  readonly removedByOthers: string[] = [];
  text: string;
  #undone: Own[] = [];

  constructor(length: number) {
    this.text = this.alphabet.take(length);
    this.others = [this.text];
  }

  /** An edit of mine, or of others who have not seen the last `lag` steps. */
  edit(wanted: Wish, isOwn: boolean, lag: number): void {
    const revision = Math.max(this.history.length - lag, 0);
    const since = this.history.slice(revision).map(({ changes }) => changes);
    const units = since.reduce((length, changes) => length - growth(changes), this.text.length);
    const changes = transformOver(fitOne(wanted, units, this.alphabet), since);
    const inserted = insertedBy(changes);
    const removed = removedBy(changes, this.text);
    if (isOwn) {
      this.own.push({ index: this.history.length, inserted, removed, undoneAt: null });
      this.#undone = [];
    } else {
      this.others.push(inserted);
      this.removedByOthers.push(removed);
    }
    this.#commit(changes, isOwn, 0);
  }

  undo(): void {
    const last = this.own.findLast(({ undoneAt }) => undoneAt === null);
    if (!last) return;
    last.undoneAt = this.history.length;
    this.#undone.push(last);
    this.#undoFrom(last.index);
  }

  redo(): void {
    const last = this.#undone.pop();
    if (last?.undoneAt === null || last?.undoneAt === undefined) return;
    last.index = this.history.length;
    this.#undoFrom(last.undoneAt);
    last.undoneAt = null;
  }

  #undoFrom(index: number): void {
    const history = this.history.slice(index);
    this.#commit(undo(history), true, history.length);
  }

  #commit(changes: Changes, isOwn: boolean, undoneSteps: number): void {
    const inverse = isOwn ? invert(changes, this.text) : null;
    this.text = applyTo(this.text, changes);
    this.history.push({ changes, inverse, undoneSteps });
  }

  /** All that others wrote and my edits that hold, without what others or those edits removed. */
  get expected(): string {
    const holding = this.own.filter(({ undoneAt }) => undoneAt === null);
    const gone = new Set([...this.removedByOthers, ...holding.map(({ removed }) => removed)].join(''));
    const all = [...this.others, ...holding.map(({ inserted }) => inserted)].join('');
    return sorted(Array.from(all).filter((unit) => !gone.has(unit)));
  }
}

const action = fc.record({
  does: fc.constantFrom('mine', 'mine', 'others', 'others', 'others', 'undo', 'undo', 'redo'),
  wish,
  lag: fc.nat({ max: 4 }),
});

test('[TEXT14] [TEXT15] any undos and redos leave all of others and what holds of my own', () => {
  const actions = fc.array(action, { minLength: 5, maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(fc.nat({ max: 8 }), actions, (length, all) => {
      const desk = new Desk(length);
      for (const { does, wish: wanted, lag } of all) {
        if (does === 'undo') desk.undo();
        else if (does === 'redo') desk.redo();
        else desk.edit(wanted, does === 'mine', lag);
        expect(sorted(desk.text)).toBe(desk.expected);
      }
    }),
    runs,
  );
});

function step(changes: Changes, before: string | null, undoneSteps = 0): Step {
  return { changes, inverse: before === null ? null : invert(changes, before), undoneSteps };
}

test('[TEXT14] an insertion that others wrote into is taken away around their text', () => {
  const history = [step(insert(1, 'mine'), 'ab'), step(insert(3, 'X'), null)];
  expect(undo(history)).toEqual([...remove(1, 2), ...remove(4, 2)]);
});

test('[TEXT14] a removal is put back after what others wrote into the gap', () => {
  const history = [step(remove(1, 2), 'abcd'), step(insert(1, 'X'), null)];
  expect(undo(history)).toEqual(insert(2, 'bc'));
});

test('[TEXT15] what others removed after an undo had brought it back stays away', () => {
  const history = [
    step(insert(0, 'I'), 'x'),
    step(remove(1, 1), 'Ix'),
    step(insert(1, 'x'), 'I', 1),
    step(remove(1, 1), null),
  ];
  expect(undo(history)).toEqual(remove(0, 1));
});

test('[TEXT15] undo of an undo is redo', () => {
  expect(undo([step(remove(1, 4), 'aminex', 1), step(insert(1, 'X'), null)])).toEqual(insert(2, 'mine'));
  expect(undo([])).toEqual([]);
});
