// How long loads take with a snapshot and without: milliseconds until an actor has answered its first command, on SQLite
// or on the database of a URL.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { argv, stdout } from 'node:process';
import { loadState } from '../../src/actors/loading.ts';
import { Cell } from '../../src/actors/cell.ts';
import { documentKind } from '../../src/actors/kinds/document.ts';
import { notificationsKind } from '../../src/actors/kinds/notifications.ts';
import { pricesKind } from '../../src/actors/kinds/prices.ts';
import { replayKind } from '../../src/actors/kinds/replay.ts';
import { roomKind } from '../../src/actors/kinds/room.ts';
import type { AnyKind } from '../../src/actors/actor.ts';
import { keysSnapshot, readSeen } from '../../src/actors/remembering.ts';
import { SnapshotStore } from '../../src/actors/snapshot-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { newEpoch, newId } from '../../src/lib/random.ts';
import { openLog } from '../../src/log.ts';
import { migrate, openStorage } from '../../src/storage/open.ts';
import { encodeSnapshot, type Snapshot } from '../../src/storage/snapshot.ts';
import type { Storage, Write } from '../../src/storage/storage.ts';
import { spreadOf } from '../lib/statistics.ts';

const rounds = 15;
const keys = 65_536;
const members = 1_000;
const symbols = 10_000;
const notifications = 10_000;
const roomsOfUser = 200;
const rangesOfRoom = 20;
/** As many operations as a document has at most since its last snapshot, of a text of that length. */
const operations = 999;
const units = 100_000;

const now = systemClock.now();
const settings = { priceIntervalMs: 500 };
const source = { now, newId, newEpoch, settings };
const [, , givenUrl] = argv;
const folder = mkdtempSync(join(tmpdir(), 'stagewire-snapshots-'));
const url = givenUrl ?? `sqlite:${join(folder, 'bench.db')}`;

/** In Redis's place: the bytes are there at once. */
const shared = new Map<string, Uint8Array>();

function snapshotsOf(storage: Storage): SnapshotStore {
  const at = {
    tell: () => undefined,
    snapshot: (name: string) => Promise.resolve(shared.get(name) ?? null),
    position: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
  return new SnapshotStore({ shared: at, storage, clock: systemClock, log: openLog('warn', 'bench') });
}

async function fill(storage: Storage, writes: readonly Write[]): Promise<void> {
  for (let start = 0; start < writes.length; start += 5_000) {
    const [error] = await storage.commit([writes.slice(start, start + 5_000)]);
    if (error) throw error;
  }
}

const times = <Row>(count: number, make: (index: number) => Row): Row[] =>
  Array.from({ length: count }, (_none, index) => make(index));

const insert = (table: string, row: object): Write => ({ op: 'insert', table, row }) as unknown as Write;

function roomRows(): Write[] {
  const room = {
    room_id: 'r',
    name: 'r',
    created_by: 'u0',
    is_private: false,
    created_at: now,
    updated_at: null,
  };
  return [
    insert('chat_rooms', { ...room, epoch: 'e' }),
    ...times(members, (index) => {
      const of = { room_id: 'r', user_id: `user-${index}` };
      return [
        insert('chat_room_members', { ...of, role: 'MEMBER', joined_at: now }),
        insert('chat_read_positions', { ...of, seq: index, read_at: now }),
      ];
    }).flat(),
    ...times(keys, (index) => {
      const of = { actor: 'room/r', command: 'send', user_id: `user-${index % members}` };
      return insert('idempotency_keys', { ...of, idempotency_key: newId(), created_at: now - keys + index });
    }),
  ];
}

function documentRows(): Write[] {
  const content = 'x'.repeat(units);
  return [
    insert('documents', { doc_id: 'd', epoch: 'e', created_at: now }),
    ...times(operations + 1_000, (revision) => {
      const of = { doc_id: 'd', revision, operation_id: newId(), user_id: 'ann', base_revision: revision };
      const changes = JSON.stringify([[revision, 0, 'y', '']]);
      return insert('document_operations', {
        ...of,
        changes,
        undoes: null,
        is_undone: false,
        created_at: now,
      });
    }),
    insert('document_snapshots', { doc_id: 'd', revision: 1_000, content, created_at: now }),
  ];
}

const priceRows = (): Write[] =>
  times(symbols, (index) => {
    const row = { symbol: `S${index}`, price: `${index}.25`, open: '1', day: '2026-01-02', volume: 7 };
    return insert('prices', { ...row, updated_at: now });
  });

/** One user's: notifications, and what it has acknowledged in its rooms. */
function userRows(): Write[] {
  const ranges = JSON.stringify(times(rangesOfRoom, (index) => [index * 10, index * 10 + 5]));
  return [
    insert('streams', { stream: '/user/ann/queue/notifications', epoch: 'e', seq: notifications }),
    ...times(notifications, (index) => {
      const of = { notification_id: newId(), user_id: 'ann', type: 'ORDER', message: 'Shipped.' };
      const more = { reference_id: null, is_read: false, created_at: now, read_at: null, seq: index + 1 };
      return insert('notifications', { ...of, ...more });
    }),
    ...times(roomsOfUser, (index) =>
      insert('replay_acks', { user_id: 'ann', room_id: `r${index}`, ranges, updated_at: now }),
    ),
  ];
}

/** Median milliseconds. */
async function measured(task: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now();
    await task();
    taken.push(performance.now() - startedMs);
  }
  return spreadOf(taken)?.median ?? Number.NaN;
}

/** One line: the load without, the load with, how many times as fast that is, and what a snapshot costs. */
function tell(what: string, withoutMs: number, withMs: number, taken: { bytes: number; ms: number }): void {
  const ratio = (withoutMs / withMs).toFixed(1);
  const figures = [withoutMs.toFixed(1), withMs.toFixed(1), ratio, taken.ms.toFixed(1), String(taken.bytes)];
  stdout.write(`${what.padEnd(64)}${figures.map((figure) => figure.padStart(9)).join('')}\n`);
}

async function take(make: () => Snapshot): Promise<{ bytes: number; ms: number }> {
  const ms = await measured(() => Promise.resolve(encodeSnapshot(make())));
  const snapshot = make();
  const bytes = encodeSnapshot(snapshot);
  if (bytes) shared.set(snapshot.name, bytes);
  return { bytes: bytes?.length ?? 0, ms };
}

async function compareState(kind: AnyKind, id: string, storage: Storage, what: string): Promise<void> {
  const cell = new Cell(`${kind.name}/${id}`, id, kind, now);
  const options = { storage, snapshots: snapshotsOf(storage), source: () => source };
  const withoutMs = await measured(() => loadState(cell, options));
  const state = await loadState(cell, options);
  const { snapshot } = kind;
  if (!snapshot) return tell(what, withoutMs, withoutMs, { bytes: 0, ms: 0 });
  const taken = await take(() => {
    const data = snapshot.take(state as never);
    if (!data) throw new Error(`${what}: there is nothing to take`);
    return { name: cell.key, form: snapshot.form, ...data };
  });
  tell(what, withoutMs, await measured(() => loadState(cell, options)), taken);
}

async function compareKeys(storage: Storage): Promise<void> {
  const memory = { storage, snapshots: snapshotsOf(storage), now };
  const withoutMs = await measured(() => readSeen('room/r', memory));
  const seen = await readSeen('room/r', memory);
  const taken = await take(() => keysSnapshot('room/r', seen));
  tell(`${keys} keys of a room`, withoutMs, await measured(() => readSeen('room/r', memory)), taken);
}

await migrate(url);
const storage = await openStorage(url);
try {
  await fill(storage, [...roomRows(), ...documentRows(), ...priceRows(), ...userRows()]);
  const head = ['without', 'with', 'ratio', 'to take', 'bytes'].map((word) => word.padStart(9)).join('');
  stdout.write(`${'milliseconds, median'.padEnd(64)}${head}\n`);
  await compareKeys(storage);
  await compareState(roomKind, 'r', storage, `a room's ${members} members and read positions`);
  await compareState(
    documentKind,
    'd',
    storage,
    `a document of ${units} units, ${operations} operations since its snapshot`,
  );
  await compareState(pricesKind, '', storage, `${symbols} prices`);
  await compareState(notificationsKind, 'ann', storage, `a user's ${notifications} notifications`);
  await compareState(replayKind, 'ann', storage, `a user's acknowledgements in ${roomsOfUser} rooms`);
} finally {
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
}
