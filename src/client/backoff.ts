// How long to wait before the next attempt to connect.

export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Twice as long with every attempt, up to the cap; and of that anything from a half to the whole, so that clients which
 * lost one server together do not come back together.
 *
 * @param attempt 1 for the first one after a loss.
 * @param random from 0 up to and without 1.
 */
export function delayBefore(attempt: number, { baseMs, capMs }: Backoff, random: number): number {
  const whole = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(whole / 2 + (whole / 2) * random);
}
