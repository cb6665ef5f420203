// What an actor remembers of the commands that it has applied: read when it is first asked for, from a snapshot and the
// keys that were made since, or from the keys of a whole day.
import { z } from 'zod';
import { asError } from '../lib/as-error.ts';
import type { Snapshot } from '../storage/snapshot.ts';
import { StorageError, type Rows, type Storage } from '../storage/storage.ts';
import { keyLifetimeMs, keyOf, loadedKeysMax, Seen, type KeyTraces } from './seen.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { Worthless } from './state-snapshot.ts';

const form = 1;
const time = z.number().int();
const bytes = z.instanceof(Uint8Array);
const schema: z.ZodType<KeyTraces> = z.object({
  newest: z.object({ command: z.string(), user: z.string(), key: z.string(), madeAt: time }),
  traces: bytes,
  olderTraces: bytes,
  tracesSinceMs: time,
  unknownUntilMs: time,
});

export const keysName = (actor: string): string => `keys:${actor}`;

/** @throws RangeError when nothing was ever applied. */
export function keysSnapshot(actor: string, seen: Seen): Snapshot {
  const data = seen.keyTraces;
  if (!data) throw new RangeError('there are no keys');
  return { name: keysName(actor), form, epoch: '', place: data.newest.madeAt, data };
}

export interface Memory {
  readonly storage: Storage;
  readonly snapshots: SnapshotStore;
  readonly now: number;
}

/** @throws StorageError when the keys can't be read. */
export async function readSeen(actor: string, memory: Memory): Promise<Seen> {
  const name = keysName(actor);
  for (const { snapshot, place } of await memory.snapshots.find(name, form, ['redis', 'database'])) {
    try {
      return await seenSince(snapshot, actor, memory);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      memory.snapshots.ignored(name, `snapshot in ${place}`, asError(error).message);
    }
  }
  return new Seen(await keysSince(memory.storage, actor, memory.now - keyLifetimeMs));
}

async function seenSince(snapshot: Snapshot, actor: string, { storage, now }: Memory): Promise<Seen> {
  const { success, data } = schema.safeParse(snapshot.data);
  if (!success) throw new Worthless('it has another shape');
  const { newest } = data;
  if (newest.madeAt > now || data.tracesSinceMs > now || data.unknownUntilMs > now + keyLifetimeMs) {
    throw new Worthless('it is of the future');
  }
  // Nothing that was made before it counts any more.
  if (newest.madeAt <= now - keyLifetimeMs) {
    return new Seen(await keysSince(storage, actor, now - keyLifetimeMs));
  }
  const since = await keysSince(storage, actor, newest.madeAt);
  // So many that some may be missing in between: these are the newest of all, and do without it.
  if (since.length >= loadedKeysMax) return new Seen(since);
  // With its newest key the database has all that came before: it is of this history, and not of one before a restore.
  const isThere = since.some((row) => {
    const { command, user, key } = keyOf(row);
    const isSame = command === newest.command && user === newest.user && key === newest.key;
    return isSame && row.created_at === newest.madeAt;
  });
  if (!isThere) throw new Worthless('the database has not applied its newest command');
  return new Seen(since, data);
}

function keysSince(storage: Storage, actor: string, since: number): Promise<Rows<'idempotencyKeys'>> {
  return storage.query({ name: 'idempotencyKeys', args: { actor, since, limit: loadedKeysMax } });
}
