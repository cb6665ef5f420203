import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePattern, isPattern, PatternIndex } from '../../src/edge/destination-pattern.ts';
import { Refusal } from '../../src/errors.ts';

function matches(pattern: string, destination: string): boolean {
  return compilePattern(pattern)(destination);
}

/** The rules told the slow way: try everything. */
function matchesSlowly(pattern: string, destination: string): boolean {
  const [wanted, given] = [pattern, destination].map((text) => text.split('/').filter((part) => part !== ''));
  if (wanted === undefined || given === undefined) return false;
  if (pattern.startsWith('/') !== destination.startsWith('/')) return false;
  const slash = destination.endsWith('/');
  if (slash && wanted.at(-1) === '*' && !wanted.includes('**') && segments(wanted.slice(0, -1), given))
    return true;
  return segments(wanted, given) && (wanted.at(-1) === '**' || pattern.endsWith('/') === slash);
}

function segments(wanted: readonly string[], given: readonly string[]): boolean {
  const [step, ...others] = wanted;
  if (step === undefined) return given.length === 0;
  if (step === '**' && segments(others, given)) return true;
  const [segment, ...rest] = given;
  if (segment === undefined) return false;
  return step === '**' ? segments(wanted, rest) : characters(step, segment) && segments(others, rest);
}

function characters(wanted: string, given: string): boolean {
  if (wanted === '') return given === '';
  const star = /^(?:\*|\{[^{}]+\})/.exec(wanted)?.[0];
  const [first = ''] = Array.from(given);
  if (star !== undefined) {
    return (
      characters(wanted.slice(star.length), given) ||
      (first !== '' && characters(wanted, given.slice(first.length)))
    );
  }
  if (wanted.startsWith('?')) return first !== '' && characters(wanted.slice(1), given.slice(first.length));
  const [literal = ''] = Array.from(wanted);
  return first === literal && characters(wanted.slice(literal.length), given.slice(first.length));
}

test('[PATTERN1] ? is one character, * and {name} any of one segment, ** any segments', () => {
  for (const [pattern, destination] of [
    ['/topic/a', '/topic/a'],
    ['/topic/?', '/topic/a'],
    ['/topic/?', '/topic/😀'],
    ['/topic/*', '/topic/room.1'],
    ['/topic/*', '/topic/'],
    ['/topic/room.*', '/topic/room.'],
    ['/topic/room.{id}', '/topic/room.42'],
    ['/topic/{kind}.{id}.events', '/topic/room.42.events'],
    ['/topic/*a*b', '/topic/aab'],
    ['/topic/**', '/topic'],
    ['/topic/**', '/topic/'],
    ['/topic/**', '/topic/a/b/c'],
    ['/**/c', '/topic/a/b/c'],
    ['/topic/**/c/**/d', '/topic/c/c/x/d'],
    ['/topic//a', '/topic/a'],
    ['/topic/{}', '/topic/{}'],
  ] as const) {
    expect(matches(pattern, destination), `${pattern} ${destination}`).toBe(true);
  }
  for (const [pattern, destination] of [
    ['/topic/a', '/topic/A'],
    ['/topic/?', '/topic/ab'],
    ['/topic/?', '/topic/'],
    ['/topic/*', '/topic/a/b'],
    ['/topic/*', '/topic'],
    ['/topic/room.*', '/topic/rooms'],
    ['/topic/a**', '/topic/a/b'],
    ['/topic/**', '/topics/a'],
    ['/topic/**', 'topic/a'],
    ['/topic/a', '/topic/a/'],
    ['/topic/a.c', '/topic/abc'],
    ['/**/a/*', '/a/'],
    ['/topic/{}', '/topic/a'],
  ] as const) {
    expect(matches(pattern, destination), `${pattern} ${destination}`).toBe(false);
  }
});

const text = (parts: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((chosen) => chosen.join(''));

test('[PATTERN1] patterns match what trying every way would match', () => {
  const patterns = text(['/', '/', 'a', 'b', '?', '*', '/**/', '**', '{x}', '{', '}', '😀']);
  const destinations = text(['/', '/', 'a', 'b', 'ab', 'aab', '😀', '{', '}']);
  fc.assert(
    fc.property(patterns, destinations, (pattern, destination) => {
      expect(matches(pattern, destination)).toBe(matchesSlowly(pattern, destination));
    }),
    { numRuns: 5_000 },
  );
});

test('[PATTERN1] segments longer than 32 characters match as short ones do', () => {
  const long = fc.array(fc.constantFrom('a', 'a', 'b', 'aaaaaaaa'), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(
      long,
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 2 }),
      (given, gaps, slips) => {
        const destination = given.join('');
        const pattern = Array.from(destination);
        for (const gap of gaps) pattern[gap % pattern.length] = gap % 2 === 0 ? '*' : '?';
        for (const slip of slips) pattern[slip % pattern.length] = 'b';
        expect(matches(pattern.join(''), destination)).toBe(matchesSlowly(pattern.join(''), destination));
      },
    ),
  );
});

test('[PATTERN2] a destination is a pattern when it holds ?, * or {name}', () => {
  for (const pattern of ['/a/*', '/a/**', '/a?', '/a/{b}', '*'])
    expect(isPattern(pattern), pattern).toBe(true);
  for (const plain of ['', '/topic/a', '/topic/{', '/topic/{}', '/topic/{a/b}', '/topic/}{']) {
    expect(isPattern(plain), plain).toBe(false);
    if (plain !== '') expect(matches(plain, plain)).toBe(true);
  }
});

test('[PATTERN3] a pattern that is too long or holds a regular expression is refused', () => {
  const refused = (pattern: string): void => {
    expect(() => compilePattern(pattern)).toThrow(
      expect.toSatisfy((error) => error instanceof Refusal && error.code === 'BAD_REQUEST'),
    );
  };
  compilePattern('*'.repeat(1_024));
  refused('*'.repeat(1_025));
  compilePattern('/**/a'.repeat(16));
  refused('/**/a'.repeat(16) + '/b');
  refused('/topic/{id:[a-z]+}');
});

test('[PATTERN3] a pattern and a destination made to be slow are no slower to match than others', () => {
  // Trying every way would take longer than the universe has: that these end is the test.
  expect(matches('/' + '*a'.repeat(500) + 'b', '/' + 'a'.repeat(20_000))).toBe(false);
  expect(matches('/**/a'.repeat(15) + '/b', '/a'.repeat(5_000))).toBe(false);
  expect(matches('/**/*a*a*a'.repeat(16), '/aaaa'.repeat(5_000))).toBe(true);
});

test('[PATTERN4] an index finds the values of all patterns that match, until they are removed', () => {
  const index = new PatternIndex<string>();
  index.add('/topic/*', 'one');
  index.add('/topic/*', 'two');
  index.add('/topic/*', 'two');
  index.add('/**', 'all');
  expect([...index.match('/topic/a')].toSorted()).toEqual(['all', 'one', 'two']);
  const before = index.match('/topic/a');
  index.remove('/topic/*', 'one');
  index.remove('/topic/*', 'nobody');
  index.remove('/nowhere/*', 'two');
  expect([...index.match('/topic/a')].toSorted()).toEqual(['all', 'two']);
  expect(before).toHaveLength(3);
  expect(index.match('/topic/a/b')).toEqual(['all']);
});

test('[PATTERN4] an index answers as its patterns do one by one, for any number of destinations', () => {
  const index = new PatternIndex<number>();
  const patterns = ['/topic/*', '/topic/room.*', '/topic/?', '/**/7*'];
  for (const [value, pattern] of patterns.entries()) index.add(pattern, value);
  for (let turn = 0; turn < 2; turn += 1) {
    for (let number = 0; number < 3_000; number += 1) {
      const destination = number % 2 === 0 ? `/topic/room.${number}` : `/topic/${number}`;
      const expected = patterns.flatMap((pattern, value) =>
        matchesSlowly(pattern, destination) ? [value] : [],
      );
      expect(index.match(destination)).toEqual(expected);
    }
  }
});
