// A long text beside the string it stands for, and what is wrong with changes from outside.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyTo, normalise, type Change } from '../../src/text/changes.ts';
import { cutsPair, defectOf } from '../../src/text/defect.ts';
import { Text } from '../../src/text/text.ts';
import { insert, remove, runs } from './edits.ts';

// A text without line ends, with both kinds of them, with pairs, with halves of pairs, with NUL.
const samples = ['', 'ab', '\r\n', '\n', '\u{1F600}', '\uDE00\uD83D', '\0é'].map((unit) =>
  unit.repeat(3_000),
);
const sample = fc
  .tuple(fc.constantFrom(...samples), fc.nat({ max: 6_000 }))
  .map(([text, length]) => text.slice(0, length));
const short = fc.constantFrom('', 'a', '\r', '\n', '\uD83D', '\uDE00', 'word');
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 5_000 })),
  text: fc.oneof({ weight: 6, arbitrary: short }, { weight: 1, arbitrary: sample }),
});

test('[TEXT16] a long text is the string it stands for, unit by unit', () => {
  const edits = fc.array(fc.array(edit, { maxLength: 3 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 4 }), edits, (start, steps) => {
      let model = start.join('');
      const text = Text.from(model);
      for (const step of steps) {
        const changes: Change[] = [];
        let from = 0;
        for (const { at, length, text: inserted } of step) {
          const position = from + Math.floor(at * (model.length - from));
          from = Math.min(position + length, model.length);
          changes.push({ position, length: from - position, text: inserted });
        }
        text.apply(normalise(changes));
        model = applyTo(model, changes);
        expect(text.length).toBe(model.length);
        expect(text.slice(from - 2_100, from + 7) === model.slice(Math.max(from - 2_100, 0), from + 7)).toBe(
          true,
        );
        expect(text.charCodeAt(from)).toBe(model.charCodeAt(from));
      }
      expect(text.toString() === model).toBe(true);
      const isSame = Array.from(
        model.split(''),
        (unit, index) => text.charCodeAt(index) === unit.charCodeAt(0),
      );
      expect(isSame.indexOf(false)).toBe(-1);
    }),
    { ...runs, numRuns: Math.ceil(runs.numRuns / 5) },
  );
});

test('[TEXT16] a change outside the text throws, and nothing of its list is applied', () => {
  const text = Text.from('abc');
  for (const changes of [
    [...insert(0, 'x'), ...remove(3, 1)],
    insert(4, 'x'),
    insert(-1, 'x'),
    insert(Number.NaN, 'x'),
  ]) {
    expect(() => text.apply(changes)).toThrow(RangeError);
  }
  text.apply([]);
  expect(text.toString()).toBe('abc');
  expect([text.charCodeAt(-1), text.charCodeAt(3), text.charCodeAt(2)]).toEqual([Number.NaN, Number.NaN, 99]);
  expect([text.slice(-5, 2), text.slice(2, 9), text.slice(2, 1)]).toEqual(['ab', 'c', '']);
});

test('[TEXT17] what is no change of the document is told in a sentence', () => {
  expect(defectOf([...remove(0, 2), ...insert(2, '\u{1F600}'), ...remove(4, 1)], 5)).toBeNull();
  expect(defectOf([], 0)).toBeNull();
  for (const position of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(defectOf(insert(position, 'x'), 5)).toBe('A position must be a whole number from 0 on.');
  }
  for (const length of [-1, 0.5, Number.NaN, Infinity]) {
    expect(defectOf(remove(0, length), 5)).toBe('A length must be a whole number from 0 on.');
  }
  expect(defectOf(insert(6, 'x'), 5)).toBe('Position 6 and length 0 are outside the document of 5 units.');
  expect(defectOf(remove(3, 3), 5)).toBe('Position 3 and length 3 are outside the document of 5 units.');
  expect(defectOf([...remove(1, 2), ...remove(2, 1)], 5)).toBe('Changes must rise and not overlap.');
  expect(defectOf([...insert(2, 'x'), ...insert(1, 'x')], 5)).toBe('Changes must rise and not overlap.');
  for (const text of ['\uD83D', 'a\uDE00', '\uDE00\uD83D']) {
    expect(defectOf(insert(0, text), 5)).toBe('A text must not hold half of a surrogate pair.');
  }
});

test('[TEXT17] a cut through a surrogate pair is found', () => {
  for (const document of ['a\u{1F600}b', Text.from('a\u{1F600}b')]) {
    for (const changes of [insert(2, 'x'), remove(1, 1), remove(2, 1), remove(2, 2), remove(0, 2)]) {
      expect(cutsPair(changes, document)).toBe(true);
    }
    for (const changes of [
      [],
      insert(0, 'x'),
      insert(1, 'x'),
      remove(1, 2),
      insert(3, 'x'),
      insert(4, 'x'),
    ]) {
      expect(cutsPair(changes, document)).toBe(false);
    }
  }
});
