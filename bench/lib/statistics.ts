// What is left of several rounds: the median and how far they lie apart.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and greatest of `values`, passing over those that are not numbers; undefined without any. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  const upper = sorted[Math.ceil((sorted.length - 1) / 2)];
  if (min === undefined || max === undefined || lower === undefined || upper === undefined) {
    return undefined;
  }
  return { median: (lower + upper) / 2, min, max };
}
