// When a token ends, as it says itself. Nothing is checked here: that is the server's part.

/** Milliseconds since 1970; null for one that does not end or can't be read. */
export function expiryOf(token: string): number | null {
  const part = token.split('.')[1];
  if (part === undefined) return null;
  try {
    const { exp } = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : null;
  } catch {
    return null;
  }
}
