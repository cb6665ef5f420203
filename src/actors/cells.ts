// The actors that a shard holds in memory: found by key, made while there is room, let go when they are idle.
import type { AnyKind } from './actor.ts';
import { Cell } from './cell.ts';
import { parseActorKey } from './route.ts';

export interface CellsOptions {
  readonly kinds: readonly AnyKind[];
  readonly actorsMax: number;
  /** Whether all that the actor wrote is committed; until then it can't be let go. */
  readonly settled: (cell: Cell) => boolean;
  /** Its state is about to leave memory. */
  readonly leaves: (cell: Cell) => void;
}

/** After all were looked at and none could be let go, how long until they are looked at again. */
const noRoomMs = 100;

export class Cells {
  readonly #cells = new Map<string, Cell>();
  readonly #kinds: ReadonlyMap<string, AnyKind>;
  readonly #options: CellsOptions;
  #noRoomUntilMs = 0;

  constructor(options: CellsOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
  }

  get size(): number {
    return this.#cells.size;
  }

  get(key: string): Cell | undefined {
    return this.#cells.get(key);
  }

  all(): Iterable<Cell> {
    return this.#cells.values();
  }

  /** A new actor, or undefined when there is no such kind, or no room while `mayRefuse`. */
  make(key: string, nowMs: number, mayRefuse: boolean): Cell | undefined {
    const { kind: name, id } = parseActorKey(key);
    const kind = this.#kinds.get(name);
    if (!kind || (mayRefuse && !this.#hasRoom(nowMs))) return undefined;
    const cell = new Cell(key, id, kind, nowMs);
    this.#cells.set(key, cell);
    return cell;
  }

  /** Lets the state go of what was not used since `beforeMs`, and forgets those without subscribers. */
  passivate(beforeMs: number, nowMs: number): void {
    for (const cell of this.#cells.values()) {
      if (cell.lastUsedMs > beforeMs || cell.stoppedUntilMs > beforeMs || !this.#isIdle(cell)) continue;
      this.#options.leaves(cell);
      cell.chill();
      if (!cell.isTied) this.#cells.delete(cell.key);
    }
    this.#noRoomUntilMs = Math.min(this.#noRoomUntilMs, nowMs);
  }

  #hasRoom(nowMs: number): boolean {
    const { actorsMax } = this.#options;
    if (this.#cells.size < actorsMax) return true;
    if (nowMs < this.#noRoomUntilMs) return false;
    for (const cell of this.#cells.values()) {
      // One that is tied would stay: to take its state away makes no room.
      if (cell.isTied || cell.stoppedUntilMs > nowMs || !this.#isIdle(cell)) continue;
      this.#options.leaves(cell);
      cell.chill();
      this.#cells.delete(cell.key);
    }
    const hasRoom = this.#cells.size < actorsMax;
    if (!hasRoom) this.#noRoomUntilMs = nowMs + noRoomMs;
    return hasRoom;
  }

  #isIdle(cell: Cell): boolean {
    const waits = cell.phase === 'loading' || cell.phase === 'holding' || cell.mailbox.length > 0;
    return !waits && !cell.timers?.size && this.#options.settled(cell);
  }
}
