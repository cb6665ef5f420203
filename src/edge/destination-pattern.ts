// Ant-style patterns of destinations, as Spring's AntPathMatcher reads them with `/` between segments: `?`
// one character, `*` any characters of one segment, `{name}` the same, `**` as a whole segment any number of
// segments. Clients choose both the patterns and the destinations, so matching never tries one way after
// another: it goes through the destination once and keeps the set of all places of the pattern it may have
// come to.
import { Refusal } from '../errors.ts';

const patternCharactersMax = 1_024;
const patternSegmentsMax = 32;
/** Destinations whose answer a PatternIndex remembers. */
const recentMax = 1_024;

const wildcard = /[*?]|\{[^/{}]+\}/;
const wildcardOrCharacter = /\*|\?|\{[^/{}]+\}|./gsu;

/** Whether `destination` holds a wildcard, so that it stands for other destinations too. */
export function isPattern(destination: string): boolean {
  return wildcard.test(destination);
}

/**
 * The test of one pattern. As in Spring, empty segments count for nothing (`/a//b` is `/a/b`), but a leading
 * or a trailing slash must be in both; the trailing one not when the pattern ends in `**`, and `/a/*` takes
 * `/a/`. Each character of the destination costs at most one small step for each segment of the pattern and
 * for each 32 of its characters.
 *
 * @throws Refusal BAD_REQUEST when the pattern has more than 1,024 characters or 32 segments, or holds a
 * regular expression (`{name:[a-z]+}`).
 */
export function compilePattern(pattern: string): (destination: string) => boolean {
  const { matches } = compile(pattern);
  return (destination) => matches(new Destination(destination));
}

/** A destination taken apart once, for any number of patterns. */
class Destination {
  readonly segments: readonly string[];
  readonly leadingSlash: boolean;
  readonly trailingSlash: boolean;

  constructor(text: string) {
    this.segments = text.split('/').filter((segment) => segment !== '');
    this.leadingSlash = text.startsWith('/');
    this.trailingSlash = text.endsWith('/');
  }
}

interface CompiledPattern {
  readonly matches: (destination: Destination) => boolean;
}

function compile(pattern: string): CompiledPattern {
  if (pattern.length > patternCharactersMax) {
    throw new Refusal('BAD_REQUEST', `A pattern has at most ${patternCharactersMax} characters`);
  }
  const shape = new Destination(pattern);
  if (shape.segments.length > patternSegmentsMax) {
    throw new Refusal('BAD_REQUEST', `A pattern has at most ${patternSegmentsMax} segments`);
  }
  const steps = shape.segments.filter((segment) => segment !== '**').map(compileSegment);
  // loops[i]: at place i of the pattern (i steps taken) any segment may be passed over.
  const loops = new Uint8Array(steps.length + 1);
  let place = 0;
  for (const segment of shape.segments) {
    if (segment === '**') loops[place] = 1;
    else place += 1;
  }
  const last = shape.segments.at(-1);
  const bounded = loops.every((loop) => loop === 0);

  return {
    matches(destination) {
      if (destination.leadingSlash !== shape.leadingSlash) return false;
      const places = run(steps, loops, destination.segments);
      const endsAlike = last === '**' || destination.trailingSlash === shape.trailingSlash;
      if (places[steps.length] === 1 && endsAlike) return true;
      // `/a/` has nothing for the star of `/a/*`, and is taken all the same.
      return bounded && last === '*' && destination.trailingSlash && places[steps.length - 1] === 1;
    },
  };
}

type Step = (segment: string) => boolean;

/** The places of the pattern that the segments may have come to: 1 for yes. */
function run(steps: readonly Step[], loops: Uint8Array, segments: readonly string[]): Uint8Array {
  const places = new Uint8Array(steps.length + 1);
  places[0] = 1;
  for (const segment of segments) {
    let alive = 0;
    // Downwards, so that a place is read before the step into it changes it.
    for (let place = steps.length; place >= 0; place -= 1) {
      const stays = places[place] === 1 && loops[place] === 1;
      const comes = place > 0 && places[place - 1] === 1 && steps[place - 1]?.(segment) === true;
      places[place] = stays || comes ? 1 : 0;
      alive |= places[place] ?? 0;
    }
    if (alive === 0) break;
  }
  return places;
}

function compileSegment(pattern: string): Step {
  if (!wildcard.test(pattern)) return (segment) => segment === pattern;
  const stars: number[] = [];
  const characters: (string | null)[] = [];
  for (const [token] of pattern.matchAll(wildcardOrCharacter)) {
    if (token === '?') characters.push(null);
    else if (token === '*' || token.length > 2) stars.push(characters.length);
    else characters.push(token);
    if (token.length > 2 && token.includes(':')) {
      throw new Refusal('BAD_REQUEST', 'A pattern can hold no regular expression');
    }
  }
  if (characters.length === 0) return () => true;
  const compiled = compileCharacters(characters, stars);
  // Most patterns of an index fail here.
  const [start = ''] = /^[^*?{]*/.exec(pattern) ?? [];
  return (segment) => segment.startsWith(start) && compiled(segment);
}

/**
 * The same set of places, for the characters of one segment and as bits: bit i is set when i characters of
 * the pattern may have been matched. One character of the segment moves all of them in a few operations.
 */
function compileCharacters(characters: readonly (string | null)[], stars: readonly number[]): Step {
  const words = (characters.length >>> 5) + 1;
  const bits = (places: readonly number[]): Int32Array => {
    const set = new Int32Array(words);
    for (const place of places) set[place >>> 5] = (set[place >>> 5] ?? 0) | (1 << (place & 31));
    return set;
  };
  const placesOf = (wanted: string | null): number[] =>
    characters.flatMap((character, place) => (character === null || character === wanted ? [place] : []));
  const accepted = new Map(characters.map((character) => [character, bits(placesOf(character))]));
  const acceptedByAny = bits(placesOf(null));
  const loops = bits(stars);
  const end = characters.length;

  return (segment) => {
    const places = new Int32Array(words);
    places[0] = 1;
    for (const character of segment) {
      const moves = accepted.get(character) ?? acceptedByAny;
      let carry = 0;
      let alive = 0;
      for (let word = 0; word < words; word += 1) {
        const here = places[word] ?? 0;
        const moving = here & (moves[word] ?? 0);
        const next = (moving << 1) | carry | (here & (loops[word] ?? 0));
        carry = moving >>> 31;
        alive |= next;
        places[word] = next;
      }
      if (alive === 0) return false;
    }
    return (((places[end >>> 5] ?? 0) >>> (end & 31)) & 1) === 1;
  };
}

/** Values filed under patterns. Bounded by whoever adds them. */
export class PatternIndex<T> {
  readonly #entries = new Map<string, { readonly pattern: CompiledPattern; readonly values: Set<T> }>();
  /** Answers since the last change; emptied when there are too many. */
  readonly #recent = new Map<string, readonly T[]>();

  /**
   * Files `value` under `pattern`; a second time is no different from once.
   *
   * @throws Refusal BAD_REQUEST as `compilePattern` does.
   */
  add(pattern: string, value: T): void {
    let entry = this.#entries.get(pattern);
    if (entry === undefined) {
      entry = { pattern: compile(pattern), values: new Set() };
      this.#entries.set(pattern, entry);
    }
    entry.values.add(value);
    this.#recent.clear();
  }

  /** Takes `value` away from `pattern`; what isn't there is left as it is. */
  remove(pattern: string, value: T): void {
    const entry = this.#entries.get(pattern);
    if (entry?.values.delete(value) !== true) return;
    if (entry.values.size === 0) this.#entries.delete(pattern);
    this.#recent.clear();
  }

  /**
   * Every value whose pattern matches, once for each such pattern. Later changes don't touch what was
   * returned.
   */
  match(destination: string): readonly T[] {
    const known = this.#recent.get(destination);
    if (known !== undefined) return known;
    const parts = new Destination(destination);
    const found: T[] = [];
    for (const { pattern, values } of this.#entries.values()) {
      if (pattern.matches(parts)) found.push(...values);
    }
    if (this.#recent.size >= recentMax) this.#recent.clear();
    this.#recent.set(destination, found);
    return found;
  }
}
