// Keys under which a command is applied once, however often it is repeated.
import { createHash } from 'node:crypto';
import { Refusal } from '../errors.ts';
import { newId } from '../lib/random.ts';

const charactersMax = 255;

/** @throws Refusal BAD_REQUEST for a key that can't be kept. `name` is how its sender calls it. */
export function checkIdempotencyKey(key: string | null, name: string): void {
  if (key === null || (key !== '' && key.length <= charactersMax && !key.includes('\0'))) return;
  throw new Refusal('BAD_REQUEST', `${name} must have 1 to ${charactersMax} characters.`);
}

/**
 * The id of something new. A repeat must find the actor that knows its key, so with a key it is always the same id,
 * which nobody can choose for another user.
 */
export function newIdFor(kind: string, user: string, key: string | null): string {
  if (key === null) return newId();
  const hash = createHash('sha256')
    .update(JSON.stringify([kind, user, key]))
    .digest('hex');
  // The form of an id: a UUID of the version for those made by a rule of one's own.
  const variant = '89ab'[Number.parseInt(hash.charAt(15), 16) % 4] ?? '8';
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(12, 15)}`,
    `${variant}${hash.slice(16, 19)}`,
    hash.slice(20, 32),
  ].join('-');
}
