// Several steps as one, steps taken back, and places that follow.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyTo, growth, invert, normalise, type Changes } from '../../src/text/changes.ts';
import { compose, composeAll } from '../../src/text/compose.ts';
import { mapPosition } from '../../src/text/position.ts';
import { Text } from '../../src/text/text.ts';
import { transform, type Side } from '../../src/text/transform.ts';
import { Alphabet, fit, insert, remove, runs, wishes, type Wish } from './edits.ts';

const steps = fc.array(wishes, { minLength: 1, maxLength: 8 });

function fitSteps(many: readonly (readonly Wish[])[], length: number, alphabet: Alphabet): Changes[] {
  let units = length;
  return many.map((one) => {
    const changes = fit(one, units, alphabet);
    units += growth(changes);
    return changes;
  });
}

test('[TEXT9] composed steps do what the steps do, however they are grouped', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 }), steps, (length, many) => {
      const alphabet = new Alphabet();
      const text = alphabet.take(length);
      const all = fitSteps(many, length, alphabet);
      const composed = composeAll(all);
      expect(applyTo(text, composed)).toBe(all.reduce(applyTo, text));
      expect(normalise(composed)).toEqual(composed);
      expect(all.reduce(compose)).toEqual(composed);
      expect(all.reduceRight((later, earlier) => compose(earlier, later))).toEqual(composed);
    }),
    runs,
  );
});

test('[TEXT9] what was inserted and removed again never was', () => {
  expect(compose(insert(2, 'abc'), remove(2, 3))).toEqual([]);
  expect(compose(insert(2, 'abc'), remove(3, 1))).toEqual(insert(2, 'ac'));
  expect(compose(insert(2, 'abc'), remove(1, 5))).toEqual(remove(1, 2));
  expect(composeAll([])).toEqual([]);
});

test('[TEXT10] what takes changes back restores the text before them', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 }), wishes, (length, many) => {
      const alphabet = new Alphabet();
      const text = alphabet.take(length);
      const changes = fit(many, length, alphabet);
      const inverse = invert(changes, text);
      expect(applyTo(applyTo(text, changes), inverse)).toBe(text);
      expect(normalise(inverse)).toEqual(inverse);
      expect(invert(changes, Text.from(text))).toEqual(inverse);
    }),
    runs,
  );
});

test('[TEXT11] a place follows the changes and never overtakes another', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 }), wishes, fc.constantFrom<Side>('left', 'right'), (length, many, side) => {
      const alphabet = new Alphabet();
      const text = alphabet.take(length);
      const changes = fit(many, length, alphabet);
      const after = applyTo(text, changes);
      const places = Array.from({ length: length + 1 }, (_, place) => mapPosition(place, changes, side));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(places.every((place) => place >= 0 && place <= after.length)).toBe(true);
      for (const [place, now] of places.entries()) {
        // Where an insertion made there would land.
        expect(transform(insert(place, '|'), changes, side)).toEqual(insert(now, '|'));
        expect(mapPosition(place, changes, 'left')).toBeLessThanOrEqual(mapPosition(place, changes, 'right'));
      }
    }),
    runs,
  );
});

test('[TEXT11] a cursor stays before what others insert there and goes after what its user inserts', () => {
  expect(mapPosition(3, insert(3, 'abc'), 'left')).toBe(3);
  expect(mapPosition(3, insert(3, 'abc'), 'right')).toBe(6);
  expect(mapPosition(4, remove(3, 2), 'left')).toBe(3);
  expect(mapPosition(9, remove(3, 2), 'left')).toBe(7);
});
