// Where snapshots lie: in Redis, where there is one, and in the database. What is put there is written behind everybody's
// back and may be lost; what is found there is good bytes of the right thing, and no more than that is known of it.
import type { Logger } from 'pino';
import type { Clock } from '../lib/clock.ts';
import type { Shared } from '../storage/shared.ts';
import { decodeSnapshot, type Snapshot } from '../storage/snapshot.ts';
import { isUnavailable, type Storage, type Write } from '../storage/storage.ts';

export type Place = 'redis' | 'database';

/** A snapshot on its way to where it is kept. */
export interface Kept {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly place: Place;
}

/** A snapshot that lay somewhere. */
export interface Found {
  readonly snapshot: Snapshot;
  readonly place: Place;
}

export interface SnapshotStoreOptions {
  readonly shared: Shared | null;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What may wait for the database; above it the oldest is dropped. */
const waitingMax = 1_024;
const waitingBytesMax = 64 * 1024 * 1024;
/** Of one commit: a longer one would hold up those of the actors. */
const commitBytesMax = 1024 * 1024;

export class SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  /** For the database, by name; the one that has waited longest first. */
  readonly #waiting = new Map<string, Uint8Array>();
  #waitingBytes = 0;
  #isStoring = false;

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  /** Whether nothing waits for the database. */
  get idle(): boolean {
    return !this.#isStoring;
  }

  /** Whether there is a Redis. */
  get isShared(): boolean {
    return this.#options.shared !== null;
  }

  put({ name, bytes, place }: Kept): void {
    if (place === 'redis') return this.#options.shared?.tell(['snapshot', name, bytes]);
    this.#drop(name);
    this.#waiting.set(name, bytes);
    this.#waitingBytes += bytes.length;
    while (this.#waiting.size > waitingMax || this.#waitingBytes > waitingBytesMax) {
      const [oldest] = this.#waiting.keys();
      if (oldest !== undefined) this.#drop(oldest);
    }
    if (!this.#isStoring) void this.#store();
  }

  /** What is kept under that name, the farthest first. Warns of what is no good. Never rejects. */
  async find(name: string, form: number, places: readonly Place[]): Promise<readonly Found[]> {
    const looked = await Promise.all(places.map((place) => this.#look(name, form, place)));
    const found = looked.filter((one) => one !== null);
    return found.toSorted((one, other) => other.snapshot.place - one.snapshot.place);
  }

  /** @param what was found under the name, and where. */
  ignored(name: string, what: string, why: string): void {
    this.#options.log.warn({ actor: name, what, why }, 'a snapshot is ignored');
  }

  async #look(name: string, form: number, place: Place): Promise<Found | null> {
    const bytes = await (place === 'redis' ? this.#options.shared?.snapshot(name) : this.#read(name));
    if (!bytes) return null;
    const decoded = decodeSnapshot(bytes, name, form);
    if ('snapshot' in decoded) return { snapshot: decoded.snapshot, place };
    this.ignored(name, `snapshot in ${place}`, decoded.defect);
    return null;
  }

  async #read(name: string): Promise<Uint8Array | null> {
    try {
      const rows = await this.#options.storage.query({ name: 'actorSnapshot', args: { actor: name } });
      return rows[0]?.body ?? null;
    } catch {
      // Whoever goes on without it reads rows next, and tells that they can't be read.
      return null;
    }
  }

  async #store(): Promise<void> {
    const { storage, clock, log } = this.#options;
    this.#isStoring = true;
    while (this.#waiting.size > 0) {
      const writes = this.#take(clock.now());
      const [error] = await storage.commit([writes]);
      // They were only a short cut, and others come.
      if (error && !isUnavailable(error))
        log.warn({ err: error, count: writes.length }, 'snapshots could not be stored');
    }
    this.#isStoring = false;
  }

  #take(now: number): Write[] {
    const writes: Write[] = [];
    let taken = 0;
    for (const [actor, body] of this.#waiting) {
      taken += body.length;
      writes.push({ op: 'upsert', table: 'actor_snapshots', row: { actor, body, created_at: now } });
      this.#drop(actor);
      if (taken >= commitBytesMax) break;
    }
    return writes;
  }

  #drop(name: string): void {
    this.#waitingBytes -= this.#waiting.get(name)?.length ?? 0;
    this.#waiting.delete(name);
  }
}
