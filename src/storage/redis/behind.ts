// What is written to Redis behind everybody's back: snapshots, positions, and what is acknowledged. All of it may be
// lost, so it waits in a bounded place and what fails is not tried again.
import type { SharedPosition } from '../shared.ts';
import type { UnackedChange, ValueCommands } from './commands.ts';
import { positionKey, snapshotKey } from './keys.ts';
import { Newest } from './newest.ts';

/** A larger snapshot would hold up everybody else who uses Redis. */
const snapshotBytesMax = 8 * 1024 * 1024;
const snapshotLimits = { countMax: 256, bytesMax: 32 * 1024 * 1024 };
const smallLimits = { countMax: 10_000, bytesMax: 16 * 1024 * 1024 };
const takenAtOnce = 256;

/** A message of a room and its time, or null when it is acknowledged. */
interface Unacked {
  readonly roomId: string;
  readonly messageId: string;
  readonly atMs: number | null;
}

export class Behind {
  readonly #commands: ValueCommands;
  readonly #onDropped: () => void;
  readonly #snapshots: Newest<Uint8Array>;
  readonly #positions: Newest<SharedPosition>;
  readonly #unacked: Newest<Unacked>;

  /** @param onDropped called for everything that will not be written. */
  constructor(commands: ValueCommands, onDropped: () => void) {
    this.#commands = commands;
    this.#onDropped = onDropped;
    this.#snapshots = new Newest(snapshotLimits, onDropped);
    this.#positions = new Newest(smallLimits, onDropped);
    this.#unacked = new Newest(smallLimits, onDropped);
  }

  putSnapshot(actor: string, snapshot: Uint8Array): void {
    if (snapshot.length > snapshotBytesMax) this.#onDropped();
    else this.#snapshots.put(snapshotKey(actor), snapshot, snapshot.length);
  }

  putPosition(key: string, position: SharedPosition): void {
    this.#positions.put(key, position, key.length);
  }

  /** @param atMs null when it is acknowledged. */
  putUnacked(roomId: string, messageId: string, atMs: number | null): void {
    const name = JSON.stringify([roomId, messageId]);
    this.#unacked.put(name, { roomId, messageId, atMs }, name.length);
  }

  /** What is not written yet counts as well. */
  async snapshot(actor: string): Promise<Uint8Array | null> {
    const key = snapshotKey(actor);
    return this.#snapshots.get(key) ?? this.#commands.get(key);
  }

  async position(userId: string, name: string, destination: string): Promise<SharedPosition | null> {
    const key = positionKey(userId, name, destination);
    const waiting = this.#positions.get(key);
    if (waiting) return waiting;
    const written = await this.#commands.get(key);
    return written && readPosition(Buffer.from(written).toString());
  }

  /** Writes some of what waits; false when nothing does. @param nowMs milliseconds since 1970. */
  async writeSome(nowMs: number): Promise<boolean> {
    const positions = this.#positions.take(takenAtOnce);
    const rooms = byRoom(this.#unacked.take(takenAtOnce).map(([, unacked]) => unacked));
    const snapshots = this.#snapshots.take(1);
    if (positions.length + rooms.size + snapshots.length === 0) return false;
    await Promise.all([
      ...positions.map(([key, { epoch, seq }]) => this.#commands.put(key, JSON.stringify([epoch, seq]))),
      ...[...rooms].map(([roomId, change]) => this.#commands.unacked(roomId, change, nowMs)),
      ...snapshots.map(([key, snapshot]) => this.#commands.put(key, snapshot)),
    ]);
    return true;
  }
}

function byRoom(changes: readonly Unacked[]): ReadonlyMap<string, UnackedChange> {
  const rooms = new Map<string, { added: [number, string][]; removed: string[] }>();
  for (const { roomId, messageId, atMs } of changes) {
    let room = rooms.get(roomId);
    if (!room) rooms.set(roomId, (room = { added: [], removed: [] }));
    if (atMs === null) room.removed.push(messageId);
    else room.added.push([atMs, messageId]);
  }
  return rooms;
}

/** Null for what nobody of ours has written. */
function readPosition(text: string): SharedPosition | null {
  try {
    const [epoch, seq] = JSON.parse(text) as [unknown, unknown];
    return typeof epoch === 'string' && Number.isSafeInteger(seq) ? { epoch, seq: seq as number } : null;
  } catch {
    return null;
  }
}
