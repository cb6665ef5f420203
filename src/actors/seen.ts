// Idempotency keys of one actor: which commands it has applied lately.
import type { IdempotencyKeyRow } from '../storage/tables.ts';
import { Traces } from './traces.ts';

/** For how long a repeat of a command has no second effect. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000;
/** Keys kept in memory per actor, word for word; of older ones a trace is kept. */
export const seenKeysMax = 4_096;
/** Keys read when an actor is asked for the first time; when there are more, the database is asked for each new one. */
export const loadedKeysMax = 65_536;
/** Traces kept per actor. While all keys have one, a new key is told from a repeat without the database. */
const tracesMax = 1_048_576;

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
  /** Of keys that made way and may still count: those of this period, and those of the one before it. */
  #traces = new Traces();
  #olderTraces = new Traces();
  #tracesSinceMs: number;
  /** Until when there may be keys that count and have left no trace. */
  #unknownUntilMs = 0;
  /** Keys added since all that the actor wrote was known to be stored. */
  #unstored = 0;

  /** @param newestFirst at most `loadedKeysMax` rows; fewer mean that these are all. */
  constructor(newestFirst: readonly IdempotencyKeyRow[]) {
    const newest = newestFirst[0]?.created_at ?? 0;
    this.#tracesSinceMs = newest;
    if (newestFirst.length >= loadedKeysMax) this.#unknownUntilMs = newest + keyLifetimeMs;
    for (const row of newestFirst.toReversed()) {
      this.add({ command: row.command, user: row.user_id, key: row.idempotency_key }, row.created_at);
    }
    this.#unstored = 0;
  }

  /** Whether every key that may not be stored yet is held word for word: then the database need not have it. */
  get holdsUnstored(): boolean {
    return this.#unstored < seenKeysMax;
  }

  /** All that the actor wrote is stored. */
  stored(): void {
    this.#unstored = 0;
  }

  /** @returns true or false when memory tells, null when only the database can. */
  has(key: CommandKey, now: number): boolean | null {
    const name = nameOf(key);
    const madeAt = this.#keys.get(name);
    if (madeAt !== undefined) return madeAt > now - keyLifetimeMs;
    if (now < this.#unknownUntilMs) return null;
    return this.#traces.mayHave(name) || this.#olderTraces.mayHave(name) ? null : false;
  }

  add(key: CommandKey, now: number): void {
    const name = nameOf(key);
    this.#unstored += 1;
    this.#keys.delete(name);
    this.#keys.set(name, now);
    if (this.#keys.size <= seenKeysMax) return;
    for (const [oldest, madeAt] of this.#keys) {
      this.#keys.delete(oldest);
      if (madeAt > now - keyLifetimeMs) this.#trace(oldest, madeAt, now);
      break;
    }
  }

  #trace(name: string, madeAtMs: number, now: number): void {
    if (now - this.#tracesSinceMs > keyLifetimeMs) {
      this.#olderTraces = this.#traces;
      this.#traces = new Traces();
      this.#tracesSinceMs = now;
    }
    if (this.#traces.size < tracesMax) this.#traces.add(name);
    else this.#unknownUntilMs = madeAtMs + keyLifetimeMs;
  }
}
