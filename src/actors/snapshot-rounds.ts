// When actors get snapshots: some time after they have written something, in rounds between their turns, so that no turn
// and no commit waits for one; when they leave memory; and before the node ends.
import type { Logger } from 'pino';
import type { Clock } from '../lib/clock.ts';
import { encodeSnapshot, snapshotBytesMax, type Snapshot } from '../storage/snapshot.ts';
import type { Cell } from './cell.ts';
import { keysSnapshot } from './remembering.ts';
import type { Kept, Place, SnapshotStore } from './snapshot-store.ts';

/** How long after it has written something an actor gets a snapshot: once for each part of its last one's bytes. */
const everyMs: Readonly<Record<Place, number>> = { redis: 10_000, database: 300_000 };
const partBytes = 256 * 1024;
/** Of what is in a snapshot of an actor's state and one of its keys. */
const partsMax = (2 * snapshotBytesMax) / partBytes;

const roundMs = 1_000;
/** Of one round; the next one goes on. */
const roundBytesMax = 2 * 1024 * 1024;
/** Of all that is taken at the end; what is not there then costs only time. */
const drainBytesMax = 64 * 1024 * 1024;

export interface SnapshotRoundsOptions {
  readonly store: SnapshotStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Keeps a snapshot once all that its actor has written is committed; not when that is lost. */
  readonly keep: (cell: Cell, kept: Kept) => void;
}

export class SnapshotRounds {
  readonly #options: SnapshotRoundsOptions;
  readonly #due: Readonly<Record<Place, Map<Cell, number>>> = { redis: new Map(), database: new Map() };
  readonly #places: readonly Place[];
  #isOver = false;
  /** Taken since the last round began. */
  #bytes = 0;

  constructor(options: SnapshotRoundsOptions) {
    this.#options = options;
    // The database's come seldom, and so first: a round may be full of the others.
    this.#places = options.store.isShared ? ['database', 'redis'] : ['database'];
    options.clock.every(roundMs, () => this.#round());
  }

  /** The actor has written something in its last turn. */
  wrote(cell: Cell): void {
    for (const place of this.#places) {
      if (!this.#due[place].has(cell) && isWorth(cell, place)) this.#add(cell, place);
    }
  }

  /** The actor is about to leave memory. */
  leaves(cell: Cell): void {
    for (const place of this.#places) {
      if (this.#due[place].delete(cell) && this.#bytes < roundBytesMax) this.#take(cell, place);
    }
  }

  /** Takes those that are due some time now, as the node ends. */
  drain(): void {
    this.#bytes = 0;
    for (const place of this.#places) {
      for (const cell of this.#due[place].keys()) {
        if (this.#bytes >= drainBytesMax) return;
        this.#due[place].delete(cell);
        this.#take(cell, place);
      }
    }
  }

  /** Takes no more: what is in memory may be old. */
  end(): void {
    this.#isOver = true;
    for (const place of this.#places) this.#due[place].clear();
  }

  #add(cell: Cell, place: Place): void {
    if (this.#isOver) return;
    const parts = Math.max(1, Math.ceil(cell.snapshotBytes / partBytes));
    this.#due[place].set(cell, this.#options.clock.now() + everyMs[place] * parts);
  }

  #round(): void {
    const now = this.#options.clock.now();
    this.#bytes = 0;
    for (const place of this.#places) {
      for (const [cell, dueMs] of this.#due[place]) {
        if (this.#bytes >= roundBytesMax) return;
        // A clock that was set back makes no wait longer.
        if (dueMs > now && dueMs - now <= everyMs[place] * partsMax) continue;
        this.#due[place].delete(cell);
        this.#take(cell, place);
      }
    }
  }

  #take(cell: Cell, place: Place): void {
    // Lost or gone meanwhile: it comes again when it has written something.
    if (cell.state === undefined) return;
    let bytes = 0;
    try {
      for (const snapshot of snapshotsOf(cell, place)) {
        const encoded = encodeSnapshot(snapshot);
        bytes += encoded?.length ?? snapshotBytesMax;
        if (encoded) this.#options.keep(cell, { name: snapshot.name, bytes: encoded, place });
      }
    } catch (error) {
      this.#options.log.error({ err: error, actor: cell.key }, 'no snapshot could be taken');
    }
    cell.snapshotBytes = bytes;
    this.#bytes += bytes;
  }
}

function isWorth({ kind, seen }: Cell, place: Place): boolean {
  return (kind.snapshot && (place === 'redis' || kind.snapshot.isStored)) || seen?.isLarge === true;
}

function* snapshotsOf(cell: Cell, place: Place): Iterable<Snapshot> {
  const { kind, key, seen } = cell;
  if (kind.snapshot && (place === 'redis' || kind.snapshot.isStored)) {
    const taken = kind.snapshot.take(cell.state as never);
    if (taken) yield { name: key, form: kind.snapshot.form, ...taken };
  }
  if (seen?.isLarge) yield keysSnapshot(key, seen);
}
