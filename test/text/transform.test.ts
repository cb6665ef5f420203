// One change over another: the rules by example, and the laws by property.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyTo, growth, normalise, type Changes } from '../../src/text/changes.ts';
import { compose } from '../../src/text/compose.ts';
import { transformOver } from '../../src/text/history.ts';
import { transform } from '../../src/text/transform.ts';
import {
  Alphabet,
  fit,
  fitOne,
  insert,
  insertedBy,
  remove,
  removedBy,
  runs,
  sorted,
  wish,
  wishes,
} from './edits.ts';

const document = 'abcdefgh';

/** The text when `changes` come after `over`, having found that the other way round it is the same. */
function merged(changes: Changes, over: Changes): string {
  const one = applyTo(applyTo(document, over), transform(changes, over, 'right'));
  expect(applyTo(applyTo(document, changes), transform(over, changes, 'left'))).toBe(one);
  return one;
}

test('[TEXT1] changes of one document apply together, and what does nothing or could be one is put right', () => {
  const changes = [
    { position: 1, length: 1, text: 'X' },
    { position: 2, length: 0, text: '' },
    { position: 2, length: 1, text: '' },
    { position: 3, length: 0, text: 'Y' },
    { position: 3, length: 1, text: 'Z' },
  ];
  expect(normalise(changes)).toEqual([
    { position: 1, length: 2, text: 'X' },
    { position: 3, length: 1, text: 'YZ' },
  ]);
  expect(applyTo(document, changes)).toBe('aXYZefgh');
  expect(applyTo(document, normalise(changes))).toBe('aXYZefgh');
  expect(growth(changes)).toBe(0);
});

test('[TEXT2] both ways round give the same text', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 }), wishes, wishes, (length, mine, theirs) => {
      const alphabet = new Alphabet();
      const text = alphabet.take(length);
      const changes = fit(mine, length, alphabet);
      const over = fit(theirs, length, alphabet);
      const after = transform(changes, over, 'right');
      const before = transform(over, changes, 'left');
      const result = applyTo(applyTo(text, over), after);
      expect(applyTo(applyTo(text, changes), before)).toBe(result);
      expect(normalise(after)).toEqual(after);
      expect(normalise(before)).toEqual(before);
      // Each unit is there once, unless one of them removed it.
      const gone = new Set(removedBy(changes, text) + removedBy(over, text));
      const all = text + insertedBy(changes) + insertedBy(over);
      expect(sorted(result)).toBe(sorted(Array.from(all).filter((unit) => !gone.has(unit))));
    }),
    runs,
  );
});

test('[TEXT3] at equal positions what was committed first stays left', () => {
  expect(merged(insert(3, 'later'), insert(3, 'FIRST'))).toBe('abcFIRSTlaterdefgh');
  expect(merged([{ position: 3, length: 2, text: 'later' }], insert(3, 'FIRST'))).toBe('abcFIRSTlaterfgh');
  expect(merged(insert(3, 'later'), [{ position: 3, length: 2, text: 'FIRST' }])).toBe('abcFIRSTlaterfgh');
  expect(merged(insert(0, 'later'), insert(0, 'FIRST'))).toBe('FIRSTlaterabcdefgh');
  expect(merged(insert(8, 'later'), insert(8, 'FIRST'))).toBe('abcdefghFIRSTlater');
});

test('[TEXT4] an insertion within units that another removed stays, at their place', () => {
  for (const position of [2, 3, 4, 5]) {
    expect(merged(insert(position, 'X'), remove(2, 3))).toBe('abXfgh');
    expect(merged(remove(2, 3), insert(position, 'X'))).toBe('abXfgh');
  }
  expect(merged(insert(3, 'X'), [{ position: 2, length: 3, text: 'new' }])).toBe('abnewXfgh');
});

test('[TEXT5] a removal over an insertion within it is parted around it', () => {
  expect(transform(remove(2, 4), insert(4, 'XY'), 'right')).toEqual([...remove(2, 2), ...remove(6, 2)]);
  expect(transform(remove(2, 4), insert(2, 'XY'), 'right')).toEqual(remove(4, 4));
  expect(transform(remove(2, 4), insert(6, 'XY'), 'right')).toEqual(remove(2, 4));
  const replaced = transform([{ position: 2, length: 4, text: 'new' }], insert(4, 'XY'), 'right');
  expect(applyTo(applyTo(document, insert(4, 'XY')), replaced)).toBe('abnewXYgh');
});

test('[TEXT6] what both remove is removed once', () => {
  expect(transform(remove(1, 4), remove(3, 4), 'right')).toEqual(remove(1, 2));
  expect(transform(remove(3, 4), remove(1, 4), 'right')).toEqual(remove(1, 2));
  expect(transform(remove(1, 6), remove(3, 2), 'right')).toEqual(remove(1, 4));
  expect(merged(remove(1, 4), remove(3, 4))).toBe('ah');
});

test('[TEXT7] what others made void is no changes', () => {
  expect(transform(remove(3, 2), remove(2, 4), 'right')).toEqual([]);
  expect(transform(remove(3, 2), remove(3, 2), 'left')).toEqual([]);
  expect(transformOver(remove(3, 2), [insert(0, 'X'), remove(4, 1), remove(4, 1), insert(4, 'Y')])).toEqual(
    [],
  );
  expect(transform([], remove(3, 2), 'right')).toEqual([]);
});

test('[TEXT8] over a composed history it becomes what it becomes over the steps one by one', () => {
  const history = fc.array(wishes, { maxLength: 6 });
  fc.assert(
    fc.property(fc.nat({ max: 10 }), wishes, history, (length, mine, steps) => {
      const alphabet = new Alphabet();
      const changes = fit(mine, length, alphabet);
      let units = length;
      let oneByOne = changes;
      let composed: Changes = [];
      const all = steps.map((step) => {
        const over = fit(step, units, alphabet);
        units += growth(over);
        oneByOne = transform(oneByOne, over, 'right');
        composed = compose(composed, over);
        return over;
      });
      expect(transform(changes, composed, 'right')).toEqual(oneByOne);
      expect(transformOver(changes, all)).toEqual(oneByOne);
      expect(transformOver(changes, [insert(0, 'never'), ...all], 1)).toEqual(oneByOne);
    }),
    runs,
  );
});

test('[TEXT8] a single change over many single ones, as most are', () => {
  fc.assert(
    fc.property(fc.nat({ max: 12 }), wish, fc.array(wish, { maxLength: 12 }), (length, mine, steps) => {
      const alphabet = new Alphabet();
      const changes = fitOne(mine, length, alphabet);
      let units = length;
      const all = steps.map((step) => {
        const over = fitOne(step, units, alphabet);
        units += growth(over);
        return over;
      });
      const oneByOne = all.reduce((moved, over) => transform(moved, over, 'right'), changes);
      expect(transformOver(changes, all)).toEqual(oneByOne);
    }),
    runs,
  );
});
