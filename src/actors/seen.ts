// Idempotency keys of one actor: which commands it has applied lately.
import type { IdempotencyKeyRow } from '../storage/tables.ts';

/** For how long a repeat of a command has no second effect. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000;
/** Keys kept in memory per actor; older ones are looked up in the database. */
export const seenKeysMax = 4096;

export interface CommandKey {
  readonly command: string;
  readonly user: string;
  readonly key: string;
}

// A user or a key can't hold a NUL, so the parts can't run into one another.
const nameOf = ({ command, user, key }: CommandKey): string => `${command}\0${user}\0${key}`;

export class Seen {
  /** Key to the time it was made; oldest first. */
  readonly #keys = new Map<string, number>();
  #complete: boolean;

  /** @param newestFirst at most `seenKeysMax` rows; fewer mean that these are all. */
  constructor(newestFirst: readonly IdempotencyKeyRow[]) {
    this.#complete = newestFirst.length < seenKeysMax;
    for (const row of newestFirst.toReversed()) {
      this.add({ command: row.command, user: row.user_id, key: row.idempotency_key }, row.created_at);
    }
  }

  /** @returns true or false when memory tells, null when only the database can. */
  has(key: CommandKey, now: number): boolean | null {
    const madeAt = this.#keys.get(nameOf(key));
    if (madeAt !== undefined) return madeAt > now - keyLifetimeMs;
    return this.#complete ? false : null;
  }

  add(key: CommandKey, now: number): void {
    const name = nameOf(key);
    this.#keys.delete(name);
    this.#keys.set(name, now);
    if (this.#keys.size <= seenKeysMax) return;
    for (const [oldest, madeAt] of this.#keys) {
      this.#keys.delete(oldest);
      if (madeAt > now - keyLifetimeMs) this.#complete = false;
      break;
    }
  }
}
