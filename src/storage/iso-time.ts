// Milliseconds to the text that SQLite keeps and back: ISO-8601 UTC with milliseconds, so that a person at the
// sqlite3 shell can read it and the order of the texts is the order of the times.

// Outside of these years the text has a sign and more digits, and no longer sorts as the times do.
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

let rememberedMs = Number.NaN;
let rememberedText = '';

/**
 * Most rows of one commit share their millisecond, so the last text is kept.
 *
 * @throws RangeError as `storableTime` does.
 */
export function toIsoTime(timeMs: number): string {
  if (timeMs !== rememberedMs) {
    rememberedText = new Date(storableTime(timeMs)).toISOString();
    rememberedMs = timeMs;
  }
  return rememberedText;
}

/** Takes what `toIsoTime` makes, and what SQLite's `datetime('now')` makes for a row entered by hand. */
export function fromIsoTime(text: string): number {
  // Without its Z, JavaScript would read a time of day as local time.
  return Date.parse(text.endsWith('Z') ? text : `${text.replace(' ', 'T')}Z`);
}
