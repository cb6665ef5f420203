// How an actor gets its state: from the newest snapshot that the database bears out, or from its rows alone.
import { asError } from '../lib/as-error.ts';
import { StorageError, type Query, type Storage } from '../storage/storage.ts';
import type { Cell } from './cell.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { LoadSource, Source } from './source.ts';
import { Worthless, type StateSnapshot } from './state-snapshot.ts';

export interface LoadOptions {
  readonly storage: Storage;
  readonly snapshots: SnapshotStore;
  readonly source: () => Source;
}

/** Snapshots among an actor's rows that may be worthless, one after the other. */
const worthlessMax = 4;

/** @throws StorageError when rows can't be read, and whatever else the kind throws. */
export async function loadState(cell: Cell, options: LoadOptions): Promise<unknown> {
  const { kind, id, key } = cell;
  const { storage, snapshots } = options;
  const source: LoadSource = {
    ...options.source(),
    worthless: [],
    ignored: (what, why) => snapshots.ignored(key, what, why),
  };
  if (kind.snapshot) {
    const state = await fromSnapshot(cell, kind.snapshot, { storage, snapshots }, source);
    if (state !== undefined) return state;
  }
  const worthless: number[] = [];
  for (;;) {
    const rows = await rowsOf(kind.load(id, worthless.at(-1) ?? Infinity), storage);
    try {
      return kind.start(id, rows as never, { ...source, worthless });
    } catch (error) {
      if (!(error instanceof Worthless) || worthless.length === worthlessMax) throw error;
      source.ignored(`snapshot at ${error.before}`, error.message);
      worthless.push(error.before);
    }
  }
}

/** Undefined when there is none that is worth anything. */
async function fromSnapshot(
  { key, id }: Cell,
  kind: StateSnapshot<never>,
  { storage, snapshots }: Pick<LoadOptions, 'storage' | 'snapshots'>,
  source: LoadSource,
): Promise<unknown> {
  const found = await snapshots.find(key, kind.form, kind.isStored ? ['redis', 'database'] : ['redis']);
  for (const { snapshot, place } of found) {
    try {
      const { success } = kind.schema.safeParse(snapshot.data);
      if (!success) throw new Worthless('it has another shape');
      const rows = await rowsOf(kind.load(id, snapshot as never), storage);
      return kind.start(id, snapshot as never, rows as never, source);
    } catch (error) {
      // Whatever else goes wrong with it, rows may do.
      if (error instanceof StorageError) throw error;
      source.ignored(`snapshot in ${place}`, asError(error).message);
    }
  }
  return undefined;
}

async function rowsOf(
  load: Readonly<Record<string, Query>>,
  storage: Storage,
): Promise<Readonly<Record<string, unknown>>> {
  const reading = Object.entries(load).map(async ([part, query]) => [part, await storage.query(query)]);
  return Object.fromEntries(await Promise.all(reading)) as Record<string, unknown>;
}
