// Milliseconds to ISO-8601 UTC text with milliseconds and back. SQLite keeps that text, so that a person at the sqlite3
// shell can read it and the order of the texts is the order of the times.
import { storableTime } from '../storable.ts';

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

/** Takes what `toIsoTime` makes, and a time without zone as databases write it, of any precision. */
export function fromIsoTime(text: string): number {
  // Without its Z, JavaScript would read a time of day as local time.
  return Date.parse(text.endsWith('Z') ? text : `${text.replace(' ', 'T')}Z`);
}
