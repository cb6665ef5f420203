// Keys by which the server knows a repeat.

/** 128 random bits. `crypto.randomUUID` is there only on pages that were loaded over TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
