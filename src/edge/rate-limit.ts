// How many messages a user may send, counted over all connections of all edge threads of this node. The
// threads share one table in shared memory and change it with single atomic steps: no messages, no waiting,
// no thread can hold up another.
//
// A user's whole state is one number (GCRA): the time at which the bucket will be full again. Each message
// moves it on by one interval; a message that would move it further ahead of now than a full bucket is worth
// is refused. An entry whose time has passed says nothing any more, so its place is free without anybody
// clearing it.
import { parseDuration } from '../lib/duration.ts';

/** `messages` at once, and then one more every `perMs / messages`. */
export interface RateLimit {
  readonly messages: number;
  readonly perMs: number;
}

/** Places a user's entry may lie in. More would fill a table better and make each take slower. */
const probeCount = 8;
/** Tries to get an entry while other threads are changing the very same places. Then a message is free. */
const attemptsMax = 16;
/** How far apart the `nowMs` of two threads may be: one may have read its clock and then been held up. */
const skewMaxUs = 1_000_000;

/**
 * The limit written as `30/10s` or `100/1m`; null for `off`.
 *
 * @throws Error with a message to show to whoever wrote it.
 */
export function parseRateLimit(text: string): RateLimit | null {
  if (text === 'off') return null;
  const [, count, period] = /^(\d{1,7})\/(\w{1,16})$/.exec(text) ?? [];
  if (count === undefined || period === undefined) {
    throw new Error(
      `"${text.slice(0, 40)}" is not a rate limit; write messages/duration like 30/10s, or off`,
    );
  }
  const limit = { messages: Number(count), perMs: parseDuration(period) };
  if (limit.messages < 1 || limit.messages > 1_000_000 || limit.perMs < 1 || limit.perMs > 86_400_000) {
    throw new Error(`rate limit "${text}": allowed are 1 to 1000000 messages in 1ms to 24h`);
  }
  return limit;
}

/**
 * The memory that all limiters of a node share: hand it to each edge thread. 12 bytes an entry.
 *
 * When more users than `entries` are active at once, entries of users that are nearest to a full bucket make
 * way for others: some may then send more than the limit, nobody less.
 *
 * @throws RangeError when `entries` is not a power of two from 8 to 2,097,152.
 */
export function createRateTable(entries = 65_536): SharedArrayBuffer {
  if (!(Number.isInteger(Math.log2(entries)) && entries >= probeCount && entries <= 2 ** 21)) {
    throw new RangeError(`a rate table has a power of two of entries, 8 to 2097152, not ${entries}`);
  }
  return new SharedArrayBuffer(entries * 12);
}

export class RateLimiter {
  /** When each entry's bucket will be full again, in microseconds since 1970. */
  readonly #fullAt: BigInt64Array;
  /**
   * Whose entry it is: 30 bits of the user's hash (the place itself stands for some more), or 0 for nobody's.
   * The lowest bit is set when the entry counts; without it a thread has taken the place and is still looking
   * whether another thread has just made an entry for the same user.
   */
  readonly #owners: Int32Array;
  readonly #mask: number;
  readonly #intervalUs: number;
  readonly #burstUs: number;

  constructor(table: SharedArrayBuffer, limit: RateLimit) {
    const entries = table.byteLength / 12;
    this.#fullAt = new BigInt64Array(table, 0, entries);
    this.#owners = new Int32Array(table, entries * 8, entries);
    this.#mask = entries - 1;
    this.#intervalUs = Math.ceil((limit.perMs * 1_000) / limit.messages);
    this.#burstUs = this.#intervalUs * limit.messages;
  }

  /**
   * Counts one message of `user`. 0: it is allowed; else it is refused, and one will be allowed in so many
   * ms.
   */
  take(user: string, nowMs: number): number {
    const nowUs = Math.floor(nowMs * 1_000);
    const mixed = hash(user);
    const home = Math.floor(mixed / 2 ** 32);
    const claimant = mixed & ~1 || 2;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const place = this.#find(home, claimant | 1);
      if (place === null) {
        if (this.#claim(home, claimant, nowUs)) return 0;
      } else {
        const waitMs = this.#charge(place, claimant | 1, nowUs);
        if (waitMs !== null) return waitMs;
      }
    }
    return 0;
  }

  #find(home: number, owner: number): number | null {
    for (let probe = 0; probe < probeCount; probe += 1) {
      const place = (home + probe) & this.#mask;
      if (Atomics.load(this.#owners, place) === owner) return place;
    }
    return null;
  }

  /** Counts one message in the entry at `place`; null when the entry has just gone to another user. */
  #charge(place: number, owner: number, nowUs: number): number | null {
    const limitUs = nowUs + this.#burstUs;
    // Ends: a lost exchange means that another thread counted a message, and a bucket holds only so many.
    for (;;) {
      const seen = Atomics.load(this.#fullAt, place);
      const seenUs = Number(seen);
      if (Atomics.load(this.#owners, place) !== owner) return null;
      // Nothing is ever further ahead than an empty bucket, unless the clock has stepped back since. Then the
      // user goes on with an empty bucket, rather than waiting until the clock is where it was.
      if (seenUs > limitUs + skewMaxUs) {
        Atomics.compareExchange(this.#fullAt, place, seen, BigInt(limitUs));
        continue;
      }
      const fullAtUs = Math.max(seenUs, nowUs) + this.#intervalUs;
      if (fullAtUs > limitUs) return Math.ceil((fullAtUs - limitUs) / 1_000);
      if (Atomics.compareExchange(this.#fullAt, place, seen, BigInt(fullAtUs)) === seen) return 0;
    }
  }

  /**
   * Makes an entry with one message counted for a user that has none; false when another thread came between.
   */
  #claim(home: number, claimant: number, nowUs: number): boolean {
    const { place, owner, fullAt } = this.#leastNeeded(home, nowUs);
    if (Atomics.compareExchange(this.#owners, place, owner, claimant) !== owner) return false;
    const counted =
      Atomics.compareExchange(this.#fullAt, place, fullAt, BigInt(nowUs + this.#intervalUs)) === fullAt;
    const settled = counted && this.#isAlone(home, place, claimant) ? claimant | 1 : 0;
    return Atomics.compareExchange(this.#owners, place, claimant, settled) === claimant && settled !== 0;
  }

  /**
   * Whether no other entry of the user counts. Two threads may take different places for one user, when a
   * place became free in between; each looks only after it has taken its own, so at least the later one sees
   * the other's. It takes that place away when it doesn't count yet, rather than waiting for a thread that
   * may be held up.
   */
  #isAlone(home: number, ownPlace: number, claimant: number): boolean {
    for (let probe = 0; probe < probeCount; probe += 1) {
      const place = (home + probe) & this.#mask;
      if (place === ownPlace) continue;
      const owner = Atomics.load(this.#owners, place);
      if (owner === (claimant | 1)) return false;
      if (owner === claimant && Atomics.compareExchange(this.#owners, place, owner, 0) !== owner)
        return false;
    }
    return true;
  }

  /** The first place that is free or expired, else the one that will be the soonest. */
  #leastNeeded(home: number, nowUs: number): { place: number; owner: number; fullAt: bigint } {
    let least = { place: 0, owner: 0, fullAt: 0n };
    for (let probe = 0; probe < probeCount; probe += 1) {
      const place = (home + probe) & this.#mask;
      const owner = Atomics.load(this.#owners, place);
      const fullAt = Atomics.load(this.#fullAt, place);
      if (probe === 0 || fullAt < least.fullAt) least = { place, owner, fullAt };
      if (owner === 0 || Number(fullAt) <= nowUs) return { place, owner, fullAt };
    }
    return least;
  }
}

/** 53 well mixed bits: the lower 32 and the upper 21 agree by chance only. */
function hash(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x85ebca6b);
    high = Math.imul(high ^ unit, 0xc2b2ae35);
    low ^= low >>> 15;
    high ^= high >>> 13;
  }
  low = Math.imul(low ^ (high >>> 16), 0x27d4eb2f);
  high = Math.imul(high ^ (low >>> 15), 0x165667b1);
  return ((high ^ (high >>> 16)) >>> 11) * 2 ** 32 + ((low ^ (low >>> 15)) >>> 0);
}
