// Counts of whole microseconds in buckets that grow with the value: small, mergeable, never off by more than 1 %.

const subBucketBits = 7;
const subBuckets = 1 << subBucketBits;
/** Values above this (about 35 minutes) are counted as this. */
const valueMax = 2 ** 31 - 1;
const bucketCount = (31 - subBucketBits) * subBuckets + subBuckets;

/** The bucket of `value`: exact up to 255, then 128 buckets for each doubling. */
function bucketOf(value: number): number {
  const shift = Math.max(0, 31 - Math.clz32(value) - subBucketBits);
  return shift * subBuckets + (value >> shift);
}

/** The greatest value that falls in `bucket`. */
function upperBoundOf(bucket: number): number {
  if (bucket < 2 * subBuckets) {
    return bucket;
  }
  const shift = Math.floor(bucket / subBuckets) - 1;
  return (bucket - shift * subBuckets + 1) * 2 ** shift - 1;
}

/** Buckets that hold something, as alternating bucket number and count: fit for JSON. */
export type PackedHistogram = readonly number[];

export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #total = 0;
  #max = 0;

  /** How many values were recorded. */
  get total(): number {
    return this.#total;
  }

  /** Counts one value in microseconds; below zero counts as zero. */
  record(valueUs: number): void {
    const value = Math.min(valueMax, Math.max(0, Math.round(valueUs)));
    this.#add(bucketOf(value), 1);
    this.#max = Math.max(this.#max, value);
  }

  /**
   * The value in microseconds that `percent` of all values do not exceed, rounded up by less than 1 %.
   * NaN when nothing was recorded.
   */
  percentile(percent: number): number {
    if (this.#total === 0) {
      return Number.NaN;
    }
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) {
        return Math.min(upperBoundOf(bucket), this.#max);
      }
    }
    return this.#max;
  }

  /** What crosses a process boundary. */
  pack(): PackedHistogram {
    const packed: number[] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) {
        packed.push(bucket, count);
      }
    });
    return packed;
  }

  /** Adds what another histogram packed. Its largest value is then known only to within its bucket. */
  merge(packed: PackedHistogram): void {
    for (let index = 0; index + 1 < packed.length; index += 2) {
      const bucket = packed[index] ?? 0;
      this.#add(bucket, packed[index + 1] ?? 0);
      this.#max = Math.max(this.#max, upperBoundOf(bucket));
    }
  }

  #add(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#total += count;
  }
}
