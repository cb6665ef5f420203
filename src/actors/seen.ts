// Idempotency keys of one actor: which commands it has applied lately.
import type { IdempotencyKeyRow } from '../storage/tables.ts';
import { traceOf, Traces } from './traces.ts';

/** For how long a repeat of a command has no second effect. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000;
/** Keys kept in memory per actor, word for word; of older ones a trace is kept. */
export const seenKeysMax = 4_096;
/** Keys read when an actor is asked for the first time; when there are more, the database is asked for each new one. */
export const loadedKeysMax = 65_536;
/** Traces kept per actor. While all keys have one, a new key is told from a repeat without the database. */
const tracesMax = 1_048_576;

/** Of so few keys there is no snapshot: they are read as fast. */
const fewKeysMax = 1_024;

export interface CommandKey {
  readonly command: string;
  readonly user: string;
  readonly key: string;
}

/** A key and when its command was applied. */
export interface MadeKey extends CommandKey {
  readonly madeAt: number;
}

/** What is known of the keys up to the newest: a key without a trace was not made before that. */
export interface KeyTraces {
  readonly newest: MadeKey;
  /** Uint32s, of this period and of the one before it. */
  readonly traces: Uint8Array;
  readonly olderTraces: Uint8Array;
  readonly tracesSinceMs: number;
  readonly unknownUntilMs: number;
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
  #newest: CommandKey | null = null;
  #newestMadeAt = 0;

  /**
   * @param newestFirst at most `loadedKeysMax` rows; fewer mean that these are all, or all since `before`.
   * @param before what is known of the keys before them.
   */
  constructor(newestFirst: readonly IdempotencyKeyRow[], before?: KeyTraces) {
    const newest = newestFirst[0]?.created_at ?? 0;
    this.#tracesSinceMs = before?.tracesSinceMs ?? newest;
    if (before) {
      this.#unknownUntilMs = before.unknownUntilMs;
      this.#traces = Traces.of(wordsOf(before.traces));
      this.#olderTraces = Traces.of(wordsOf(before.olderTraces));
    } else if (newestFirst.length >= loadedKeysMax) this.#unknownUntilMs = newest + keyLifetimeMs;
    for (const row of newestFirst.toReversed()) this.add(keyOf(row), row.created_at);
    this.#unstored = 0;
  }

  /** Whether there are so many keys that a snapshot is worth it. */
  get isLarge(): boolean {
    return this.#keys.size + this.#traces.size + this.#olderTraces.size > fewKeysMax;
  }

  /**
   * When the next key counts as made: never before the newest, also when the clock was set back, so that all keys which
   * were made after another can be found by their time.
   */
  timeOf(now: number): number {
    return Math.max(now, this.#newestMadeAt);
  }

  /** Null without any key. Of keys that are known word for word no more than the traces are kept. */
  get keyTraces(): KeyTraces | null {
    if (!this.#newest) return null;
    const { command, user, key } = this.#newest;
    const known = Uint32Array.from(this.#keys.keys(), traceOf);
    return {
      newest: { command, user, key, madeAt: this.#newestMadeAt },
      traces: Buffer.concat([bytesOf(this.#traces.words()), bytesOf(known)]),
      olderTraces: bytesOf(this.#olderTraces.words()),
      tracesSinceMs: this.#tracesSinceMs,
      unknownUntilMs: this.#unknownUntilMs,
    };
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
    this.#newest = key;
    this.#newestMadeAt = now;
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

export const keyOf = (row: IdempotencyKeyRow): CommandKey => ({
  command: row.command,
  user: row.user_id,
  key: row.idempotency_key,
});

const bytesOf = ({ buffer }: Uint32Array): Uint8Array => new Uint8Array(buffer);

/** Bytes that make no whole word are left over. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  // A copy: a view needs bytes that begin at a whole word.
  return new Uint32Array(new Uint8Array(bytes.subarray(0, bytes.length & ~3)).buffer);
}
