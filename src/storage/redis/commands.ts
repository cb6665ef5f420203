// What we ask of Redis, in our own words. Each command touches one key, or keys that lie together in a cluster.
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { deadKey, leasesKey, recordKey, unackedKey } from './keys.ts';
import type { Entry } from './ledger.ts';

/** How a node stands: its lease went on, is new, or can't be had while another node sweeps what this one left. */
export type Standing = 'held' | 'new' | 'swept';

export interface Beat {
  readonly standing: Standing;
  /** A dead node to sweep. */
  readonly dead: string | null;
}

/** Every command rejects when Redis can't do it, or not soon enough; then it may have been done all the same. */
export interface SetCommands {
  /** @param mayFind whether to be given a dead node. */
  beat(node: string, leaseMs: number, mayFind: boolean): Promise<Beat>;
  /** Notes what the node is about to hold. False when it has no lease any more: nothing was noted then. */
  record(node: string, entries: readonly Entry[]): Promise<boolean>;
  /**
   * Notes that a node lets go of entries. Returns those to release: of the others another node takes care.
   *
   * @param arePutBack whether `strike` has returned them, and they are in the sets again.
   */
  yield(node: string, entries: readonly Entry[], arePutBack: boolean): Promise<readonly Entry[]>;
  /** Strikes out of the record what was released. Returns what is to be put back, as another node has come to hold it. */
  strike(node: string, entries: readonly Entry[]): Promise<readonly Entry[]>;
  /** All that the node has recorded, page by page. */
  recall(node: string): AsyncIterable<readonly Entry[]>;
  /** Puts members into a set, which then lives for `lifeMs` at least. */
  hold(key: string, lifeMs: number, members: readonly string[]): Promise<void>;
  /** Takes members out of a set. Returns how many are left. */
  release(key: string, members: readonly string[]): Promise<number>;
  count(key: string): Promise<number>;
  /** Members of a set from a place on (null: its start), and the place to go on from; null when the set is through. */
  scan(
    key: string,
    place: string | null,
  ): Promise<readonly [members: readonly string[], place: string | null]>;
  /** What is to be released of a dead node's record, `entriesMax` at most; nothing when it is swept. */
  sweep(dead: string, leaseMs: number, entriesMax: number): Promise<readonly Entry[]>;
  /** Gives the node's lease back. */
  leave(node: string): Promise<void>;
}

/** Messages of one room: what is to be acknowledged, with its time, and what has been. */
export interface UnackedChange {
  readonly added: readonly (readonly [atMs: number, messageId: string])[];
  readonly removed: readonly string[];
}

export interface ValueCommands {
  unacked(roomId: string, change: UnackedChange, nowMs: number): Promise<void>;
  put(key: string, value: Uint8Array | string): Promise<void>;
  get(key: string): Promise<Uint8Array | null>;
}

/** As long as the reference keeps them; also what a node leaves that nobody sweeps. */
const dayMs = 24 * 60 * 60 * 1_000;
/** More that nobody has acknowledged are worth nothing to anybody. */
const unackedMax = 10_000;
const pageEntries = 256;

const scriptKeys = {
  beat: 2,
  record: 2,
  yield: 3,
  strike: 3,
  sweep: 2,
  leave: 3,
  hold: 1,
  release: 1,
  unacked: 1,
} as const;
type Scripts = Record<keyof typeof scriptKeys, (...args: (string | number)[]) => Promise<unknown>>;

/** For ioredis: each script becomes a command of its name. */
export const scripts = Object.fromEntries(
  Object.entries(scriptKeys).map(([name, numberOfKeys]) => {
    const lua = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
    return [name, { lua, numberOfKeys }];
  }),
);

const standings: readonly Standing[] = ['swept', 'new', 'held'];

const written = (entries: readonly Entry[]): string[] => entries.map((entry) => JSON.stringify(entry));
const read = (entries: unknown): Entry[] => (entries as string[]).map((entry) => JSON.parse(entry) as Entry);

export class RedisCommands implements SetCommands, ValueCommands {
  readonly #redis: Redis & Scripts;

  /** @param redis a client that has `scripts`. */
  constructor(redis: Redis) {
    this.#redis = redis as Redis & Scripts;
  }

  async beat(node: string, leaseMs: number, mayFind: boolean): Promise<Beat> {
    const reply = await this.#redis.beat(leasesKey, deadKey, node, leaseMs, mayFind ? 1 : 0, dayMs);
    const [standing, dead] = reply as [number, string];
    return { standing: standings[standing] ?? 'swept', dead: dead === '' ? null : dead };
  }

  async record(node: string, entries: readonly Entry[]): Promise<boolean> {
    const reply = await this.#redis.record(leasesKey, recordKey(node), node, dayMs, ...written(entries));
    return reply === 1;
  }

  async yield(node: string, entries: readonly Entry[], arePutBack: boolean): Promise<readonly Entry[]> {
    const keys = [leasesKey, deadKey, recordKey(node)];
    const of = [node, recordKey(''), arePutBack ? 1 : 0];
    return read(await this.#redis.yield(...keys, ...of, ...written(entries)));
  }

  async strike(node: string, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const keys = [leasesKey, deadKey, recordKey(node)];
    return read(await this.#redis.strike(...keys, node, recordKey(''), ...written(entries)));
  }

  async *recall(node: string): AsyncIterable<readonly Entry[]> {
    let place = '0';
    do {
      const [next, fields] = await this.#redis.hscan(recordKey(node), place, 'COUNT', pageEntries);
      // Each entry is followed by what is noted of it.
      yield read(fields.filter((_, index) => index % 2 === 0));
      place = next;
    } while (place !== '0');
  }

  async hold(key: string, lifeMs: number, members: readonly string[]): Promise<void> {
    await unlessForeign(this.#redis.hold(key, lifeMs, ...members));
  }

  async release(key: string, members: readonly string[]): Promise<number> {
    return Number(await unlessForeign(this.#redis.release(key, ...members)));
  }

  async count(key: string): Promise<number> {
    return unlessForeign(this.#redis.scard(key));
  }

  async scan(key: string, place: string | null): Promise<readonly [readonly string[], string | null]> {
    const reply = await unlessForeign(this.#redis.sscan(key, place ?? '0', 'COUNT', pageEntries));
    const [next, members] = reply === 0 ? ['0', []] : reply;
    return [members, next === '0' ? null : next];
  }

  async sweep(dead: string, leaseMs: number, entriesMax: number): Promise<readonly Entry[]> {
    return read(await this.#redis.sweep(deadKey, recordKey(dead), dead, leaseMs, entriesMax));
  }

  async leave(node: string): Promise<void> {
    await this.#redis.leave(leasesKey, deadKey, recordKey(node), node);
  }

  async unacked(roomId: string, { added, removed }: UnackedChange, nowMs: number): Promise<void> {
    const bounds = [dayMs, nowMs - dayMs, unackedMax, added.length];
    await unlessForeign(this.#redis.unacked(unackedKey(roomId), ...bounds, ...added.flat(), ...removed));
  }

  async put(key: string, value: Uint8Array | string): Promise<void> {
    await this.#redis.set(key, typeof value === 'string' ? value : Buffer.from(value), 'PX', dayMs);
  }

  get(key: string): Promise<Uint8Array | null> {
    return this.#redis.getBuffer(key);
  }
}

/** A key that somebody else uses for something else is left alone, and stands in nobody's way. */
async function unlessForeign<Reply>(reply: Promise<Reply>): Promise<Reply | 0> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return 0;
    throw error;
  }
}
