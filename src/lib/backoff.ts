// How long to wait before something that failed is tried again.

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Milliseconds before the try after `failures` failures in a row: twice as long each time, of which a random part of up to
 * a half is left out, so that many who failed together do not come back together.
 *
 * @param chance from 0 to 1.
 */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff, chance: number): number {
  const wholeMs = Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1));
  return Math.ceil(wholeMs * (1 - chance / 2));
}
