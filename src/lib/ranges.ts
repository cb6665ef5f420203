// Sets of whole numbers that mostly lie together, as ranges. Pure: a change makes new ranges.

/** Ascending, both ends included; no two overlap or touch. */
export type Ranges = readonly (readonly [from: number, to: number])[];

/** The place of the first range that ends at or after the number. */
function placeOf(ranges: Ranges, value: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.[1] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function isIn(ranges: Ranges, value: number): boolean {
  const range = ranges[placeOf(ranges, value)];
  return range !== undefined && range[0] <= value;
}

/** The last number of the run that begins with `from`; one less than `from` when that is in no range. */
export function runEnd(ranges: Ranges, from: number): number {
  const range = ranges[placeOf(ranges, from)];
  return range !== undefined && range[0] <= from ? range[1] : from - 1;
}

/**
 * With one more number.
 *
 * @returns the very same ranges when it is in them already.
 */
export function withNumber(ranges: Ranges, value: number): Ranges {
  // The first range that could grow by the number: one that ends just before it counts.
  const place = placeOf(ranges, value - 1);
  const here = ranges[place];
  if (here === undefined || here[0] > value + 1) {
    return [...ranges.slice(0, place), [value, value], ...ranges.slice(place)];
  }
  if (here[0] <= value && value <= here[1]) return ranges;
  const from = Math.min(here[0], value);
  const next = ranges[place + 1];
  const joins = here[1] < value && next !== undefined && next[0] === value + 1;
  const to = joins ? next[1] : Math.max(here[1], value);
  return [...ranges.slice(0, place), [from, to], ...ranges.slice(place + (joins ? 2 : 1))];
}
