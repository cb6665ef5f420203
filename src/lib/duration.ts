// Durations as people write them on a command line.

const unitsMs: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of `500ms`, `90s`, `10m`, `24h`, `7d`, or of a plain number, which is milliseconds already.
 * Whole numbers only.
 *
 * @throws Error with a message to show to whoever wrote it.
 */
export function parseDuration(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const durationMs = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(durationMs)) {
    throw new Error(`"${text.slice(0, 40)}" is not a duration; write one like 500ms, 90s, 10m, 24h or 7d`);
  }
  return durationMs;
}
