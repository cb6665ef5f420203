// A store without a database: everything is gone with the process. For tests and for trying things out.
import { queryMemory } from './queries.ts';
import { MemoryRows } from './rows.ts';
import {
  StorageError,
  type Outcome,
  type Query,
  type QueryName,
  type Rows,
  type Storage,
  type Transaction,
} from '../storage.ts';
import type { Undo } from './table.ts';
import { MemoryWrites } from './writes.ts';

/** Keeps the storage contract to the letter, but that nothing survives the process. */
export function openMemory(): Storage {
  return new MemoryStorage();
}

class MemoryStorage implements Storage {
  readonly #rows = new MemoryRows();
  readonly #writes = new MemoryWrites(this.#rows);
  #open = true;

  commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    return Promise.resolve(transactions.map((transaction) => this.#apply(transaction)));
  }

  query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    if (!this.#open) return Promise.reject(closed());
    try {
      return Promise.resolve(queryMemory(this.#rows, query));
    } catch (cause) {
      return Promise.reject(new StorageError('UNAVAILABLE', 'The query could not be run.', { cause }));
    }
  }

  close(): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }

  #apply(transaction: Transaction): Outcome {
    if (!this.#open) return closed();
    const undo: Undo[] = [];
    try {
      for (const write of transaction) this.#writes.apply(write, undo);
      return null;
    } catch (error) {
      for (const step of undo.toReversed()) step();
      if (error instanceof StorageError) return error;
      const message = error instanceof Error ? error.message : String(error);
      return new StorageError('CONSTRAINT', message, { cause: error });
    }
  }
}

function closed(): StorageError {
  return new StorageError('UNAVAILABLE', 'The store is closed.');
}
