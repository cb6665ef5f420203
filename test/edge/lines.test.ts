// Streams cut at their line ends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineCutter } from '../../src/edge/lines.ts';

/** Lines of a stream that comes in these pieces; null for one that is too long. */
function cut(pieces: readonly string[], lineBytesMax = 1_000): (string | null)[] {
  const cutter = new LineCutter(lineBytesMax);
  const lines: (string | null)[] = [];
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    for (const line of cutter.push(bytes)) {
      if (line === null) return [...lines, null];
      lines.push(Buffer.from(line).toString());
    }
    // Its memory is used again.
    bytes.fill(0x78);
  }
  const last = cutter.end();
  return last ? [...lines, Buffer.from(last).toString()] : lines;
}

test('[LINES1] however a stream is cut its lines are the same, with either line end, and the last needs none', () => {
  const text = fc.stringMatching(/^[ab\r\n]{0,40}$/);
  fc.assert(
    fc.property(text, fc.array(fc.nat(5), { maxLength: 40 }), (whole, sizes) => {
      const pieces: string[] = [];
      let at = 0;
      for (const size of sizes) pieces.push(whole.slice(at, (at += size)));
      pieces.push(whole.slice(at));
      const expected = whole.split('\n').map((line) => line.replace(/\r$/, ''));
      if (whole.endsWith('\n') || whole === '') expected.pop();
      expect(cut(pieces)).toEqual(expected);
    }),
  );
});

test('[LINES1] a line over the bound is told as soon as it is, and nothing after it', () => {
  expect(cut(['ab\nabc\n', 'x\n'], 3)).toEqual(['ab', 'abc', 'x']);
  expect(cut(['ab\nabcd\nx\n'], 3)).toEqual(['ab', null]);
  expect(cut(['ab\nab', 'cd'], 3)).toEqual(['ab', null]);
  expect(cut(['a', 'b', 'c', '', 'd', 'e'], 3)).toEqual([null]);
});
