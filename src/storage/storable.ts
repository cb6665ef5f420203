// What every store can keep, and in which order: the bounds of times and texts, so that all of them keep the same.

// Outside of these years a time's ISO-8601 text has a sign and more digits, and no longer sorts as the times do.
const earliestMs = Date.parse('0000-01-01T00:00:00.000Z');
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');

/** @throws RangeError for a time that no store can keep: not a number, or outside the years 0000 to 9999. */
export function storableTime(timeMs: number): number {
  if (timeMs >= earliestMs && timeMs <= latestMs) return Math.trunc(timeMs);
  throw new RangeError(`${timeMs} is not a time that can be stored.`);
}

/**
 * The nearest storable time: for comparisons, where -Infinity means "since ever".
 *
 * @throws RangeError for what is not a number.
 */
export function nearestTime(timeMs: number): number {
  return storableTime(Math.min(Math.max(timeMs, earliestMs), latestMs));
}

/**
 * The text as UTF-8 can hold it: half a surrogate pair becomes U+FFFD. JSON from a client can hold halves
 * (`"\ud800"`), and drivers would write bytes for them that are no UTF-8 and come back as something else.
 */
export function storableText(text: string): string {
  // Node 20 has this method of ES2024; the types of ES2023 don't.
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

/** Order of texts as SQLite and MySQL's binary collations have it: by code point, where JavaScript goes by unit. */
export function compareText(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
