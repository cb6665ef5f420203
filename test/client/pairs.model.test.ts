// What an editor does to halves of surrogate pairs, whatever it is.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { difference, wholePairs } from '../../src/client/pairs.ts';
import { applyTo, normalise, type Change } from '../../src/text/changes.ts';
import { cutsPair, defectOf } from '../../src/text/defect.ts';

const units = ['a', '\n', '\ud83d', '\ude00', '\ude01', '😀', '👍'];
const wholeText = fc.string({ unit: fc.constantFrom('a', '\n', '😀', '👍'), maxLength: 12 });
const anyText = fc.string({ unit: fc.constantFrom(...units), maxLength: 3 });
const edit = fc.record({ gap: fc.nat({ max: 4 }), length: fc.nat({ max: 3 }), text: anyText });

test('[CLIENT66] changes of halves become changes of whole characters, of the same length, and exact where they can be', () => {
  const play = (text: string, edits: readonly { gap: number; length: number; text: string }[]): void => {
    const changes: Change[] = [];
    let from = 0;
    for (const one of edits) {
      const position = Math.min(text.length, from + one.gap);
      const length = Math.min(one.length, text.length - position);
      changes.push({ position, length, text: one.text });
      from = position + length;
    }
    const meant = applyTo(text, changes);
    const { changes: whole, isExact } = wholePairs(changes, text);
    expect(defectOf(whole, text.length)).toBeNull();
    expect(cutsPair(normalise(whole), text)).toBe(false);
    const result = applyTo(text, normalise(whole));
    expect(result).toHaveLength(meant.length);
    if (isExact) expect(result).toBe(meant);
    if (edits.length === 1) expect(result).toBe(meant.replace(/\p{Surrogate}/gu, '\ufffd'));
  };
  fc.assert(fc.property(wholeText, fc.array(edit, { minLength: 1, maxLength: 3 }), play), { numRuns: 2_000 });
});

test('[CLIENT66] the difference of two texts leads from the one to the other and cuts no pair', () => {
  const play = (from: string, to: string): void => {
    const change = difference(from, to);
    if (!change) {
      expect(from).toBe(to);
      return;
    }
    expect(defectOf([change], from.length)).toBeNull();
    expect(cutsPair([change], from)).toBe(false);
    expect(applyTo(from, [change])).toBe(to);
  };
  fc.assert(fc.property(wholeText, wholeText, play), { numRuns: 1_000 });
});
