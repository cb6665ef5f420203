// When a token ends, as it says itself. Nothing is checked here: that is the server's part.

/** A token is renewed this long before it ends, or half of what is left of a short one. */
const renewBeforeMs = 60_000;
/** Not sooner, however short it is, so that a callback that gives the same one again is not asked without end. */
const renewMinMs = 1_000;
const timerMaxMs = 2 ** 31 - 1;

/** How long to wait before a token is renewed that was taken now; null for one that does not end or can't be read. */
export function renewalAfterMs(token: string, nowMs: number): number | null {
  const { exp, iat } = claimsOf(token);
  if (typeof exp !== 'number') return null;
  const leftMs = exp * 1_000 - nowMs;
  // Over for a clock that is wrong: the server has just taken it. What it says of its length holds all the same.
  const lastsMs = leftMs > 0 ? leftMs : typeof iat === 'number' ? (exp - iat) * 1_000 : 0;
  if (lastsMs <= 0) return null;
  return Math.min(Math.max(lastsMs - renewBeforeMs, lastsMs / 2, renewMinMs), timerMaxMs);
}

function claimsOf(token: string): { readonly exp?: unknown; readonly iat?: unknown } {
  try {
    const part = token.split('.')[1] ?? '';
    return JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as {
      exp?: unknown;
      iat?: unknown;
    };
  } catch {
    return {};
  }
}
