// Reads rows for actors: those that a state starts from, and those that an item waits for. Meanwhile the actor takes no
// turn, and what it wrote before is in what is read.
import type { Query } from '../storage/storage.ts';
import { isSilent, type Asking, type Cell, type Item } from './cell.ts';
import type { Gate } from './gate.ts';
import { loadState, type LoadOptions } from './loading.ts';
import { readSeen } from './remembering.ts';
import type { Instead } from './runtime.ts';
import type { Seen } from './seen.ts';
import type { Output } from './turn.ts';

export interface ReaderOptions extends LoadOptions {
  readonly gate: Gate<Cell, Output>;
}

interface Reading<Value> {
  readonly read: () => Promise<Value>;
  readonly waits: boolean;
}

export interface ReaderEvents {
  /** The actor has its state. */
  loaded(cell: Cell): void;
  /** The actor takes turns again. */
  goesOn(cell: Cell): void;
  /** The rest of an item's turn. */
  run(cell: Cell, item: Item, task: () => void): void;
  refuse(cell: Cell, item: Asking, error: unknown): void;
  /** Nobody waits for what could not be read: the state, or an item that lies in the mailbox again. */
  failed(cell: Cell, error: unknown): void;
}

export class Reader {
  readonly #options: ReaderOptions;
  readonly #events: ReaderEvents;
  /** Actors that wait for rows. */
  #holding = 0;

  constructor(options: ReaderOptions, events: ReaderEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Whether no actor waits for rows. */
  get idle(): boolean {
    return this.#holding === 0;
  }

  load(cell: Cell): void {
    cell.phase = 'loading';
    this.#holding += 1;
    this.#options.gate.whenSettled(cell, () => {
      loadState(cell, this.#options)
        .then((state) => {
          cell.state = state;
          cell.phase = 'ready';
          this.#events.loaded(cell);
        })
        .then(
          () => {
            this.#holding -= 1;
            this.#events.goesOn(cell);
          },
          (error: unknown) => {
            this.#holding -= 1;
            this.#events.failed(cell, error);
          },
        );
    });
  }

  /**
   * Holds the actor until something is read.
   *
   * @param waits whether it is read when all that the actor wrote is committed, or at once.
   */
  hold<Value>(cell: Cell, item: Item, { read, waits }: Reading<Value>, then: (value: Value) => void): void {
    cell.phase = 'holding';
    this.#holding += 1;
    const resume = (next: () => void): void => {
      this.#holding -= 1;
      if (cell.state === undefined) {
        cell.mailbox.unshift(item);
        cell.chill();
      } else {
        cell.phase = 'ready';
        this.#events.run(cell, item, next);
      }
      this.#events.goesOn(cell);
    };
    const start = (): void => {
      read().then(
        (value) => resume(() => then(value)),
        (error: unknown) => {
          if (!isSilent(item)) return resume(() => this.#events.refuse(cell, item, error));
          this.#holding -= 1;
          cell.mailbox.unshift(item);
          this.#events.failed(cell, error);
        },
      );
    };
    if (waits) this.#options.gate.whenSettled(cell, start);
    else start();
  }

  /** @param instead asked for rows when they can't be read. @throws StorageError */
  async rows(query: Query, instead?: Instead): Promise<readonly never[]> {
    try {
      return (await this.#options.storage.query(query)) as readonly never[];
    } catch (error) {
      const rows = await instead?.();
      if (rows) return rows;
      throw error;
    }
  }

  /** @throws StorageError */
  seen(cell: Cell): Promise<Seen> {
    const { storage, snapshots, source } = this.#options;
    return readSeen(cell.key, { storage, snapshots, now: source().now });
  }
}
