// Reads rows for actors: those that a state starts from, and those that an item waits for. Meanwhile the actor takes no
// turn, and what it wrote before is in what is read.
import type { Query, Storage } from '../storage/storage.ts';
import type { Source } from './actor.ts';
import { isSilent, type Asking, type Cell, type Item } from './cell.ts';
import type { Gate } from './gate.ts';
import type { Instead } from './runtime.ts';
import type { Output } from './turn.ts';

export interface ReaderOptions {
  readonly storage: Storage;
  readonly gate: Gate<Cell, Output>;
  readonly source: () => Source;
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

export interface Asked {
  readonly query: Query;
  /** Whether it waits until what the actor wrote is committed. */
  readonly waits: boolean;
  readonly instead?: Instead | undefined;
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
      this.#state(cell)
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

  ask(cell: Cell, item: Item, asked: Asked, then: (rows: readonly never[]) => void): void {
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
    const read = (): void => {
      this.#rows(asked).then(
        (rows) => resume(() => then(rows)),
        (error: unknown) => {
          if (!isSilent(item)) return resume(() => this.#events.refuse(cell, item, error));
          this.#holding -= 1;
          cell.mailbox.unshift(item);
          this.#events.failed(cell, error);
        },
      );
    };
    if (asked.waits) this.#options.gate.whenSettled(cell, read);
    else read();
  }

  async #state({ kind, id }: Cell): Promise<unknown> {
    const { storage, source } = this.#options;
    const parts = Object.entries(kind.load(id));
    const rows = await Promise.all(parts.map(async ([part, query]) => [part, await storage.query(query)]));
    return kind.start(id, Object.fromEntries(rows) as never, source());
  }

  async #rows({ query, instead }: Asked): Promise<readonly never[]> {
    try {
      return (await this.#options.storage.query(query)) as readonly never[];
    } catch (error) {
      const rows = await instead?.();
      if (rows) return rows;
      throw error;
    }
  }
}
