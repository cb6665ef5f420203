// MySQL and MariaDB as a store: group commit, queries, closing.
import { assertHolds, type Claim, type OwnerRow } from '../claim.ts';
import { assertNewest } from '../migration.ts';
import {
  StorageError,
  type Outcome,
  type Query,
  type QueryName,
  type Rows,
  type Storage,
  type Transaction,
} from '../storage.ts';
import { ownerOfCommit } from './claim.ts';
import { constraint, isRefusedByData, isToRetry, unavailable } from './errors.ts';
import { MysqlLink } from './link.ts';
import type { MysqlLocation } from './location.ts';
import { queryMysql } from './queries.ts';
import { MysqlWrites } from './writes.ts';

export interface MysqlOptions {
  readonly at: MysqlLocation;
  /** Commits are made only while it holds. */
  readonly claim?: Claim | null;
}

const attemptsMax = 5;

interface Waiting {
  readonly transactions: readonly Transaction[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
}

export class MysqlStorage implements Storage {
  readonly #commits: MysqlLink;
  readonly #reads: MysqlLink;
  readonly #writes: MysqlWrites;
  readonly #claim: Claim | null;
  /** Groups that share the next commit. */
  #waiting: Waiting[] = [];
  #isCommitting = false;
  #closing: Promise<void> | null = null;
  #idle: (() => void) | null = null;

  constructor({ at, claim = null }: MysqlOptions) {
    this.#commits = new MysqlLink(at);
    this.#reads = new MysqlLink(at);
    this.#writes = new MysqlWrites(this.#commits);
    this.#claim = claim;
  }

  commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    if (transactions.length === 0) return Promise.resolve([]);
    if (this.#closing) {
      const closed = new StorageError('UNAVAILABLE', 'The store is closed.');
      return Promise.resolve(transactions.map(() => closed));
    }
    return new Promise((resolve) => {
      this.#waiting.push({ transactions, resolve });
      if (!this.#isCommitting) void this.#commitAll();
    });
  }

  async query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    if (this.#closing) throw new StorageError('UNAVAILABLE', 'The store is closed.');
    try {
      return await queryMysql(this.#reads, query);
    } catch (error) {
      if (!isRefusedByData(error)) this.#reads.break();
      throw unavailable(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#isCommitting) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#commits.close();
    this.#reads.close();
  }

  async #commitAll(): Promise<void> {
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      const groups = this.#waiting.splice(0);
      const outcomes = await this.#commitOnce(groups.flatMap(({ transactions }) => transactions));
      let from = 0;
      for (const { transactions, resolve } of groups) {
        resolve(outcomes.slice(from, from + transactions.length));
        from += transactions.length;
      }
    }
    this.#isCommitting = false;
    this.#idle?.();
  }

  async #commitOnce(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.#applyTogether(transactions)) ?? (await this.#applyEachAlone(transactions));
      } catch (error) {
        const isFenced = error instanceof StorageError && error.reason === 'FENCED';
        if (isFenced || isToRetry(error)) await this.#rollback();
        else this.#commits.break();
        if (isToRetry(error) && attempt < attemptsMax) continue;
        const outcome = unavailable(error);
        return transactions.map(() => outcome);
      }
    }
  }

  async #rollback(): Promise<void> {
    try {
      await this.#commits.run('ROLLBACK');
    } catch {
      // The server rolls back what a connection leaves behind.
      this.#commits.break();
    }
  }

  async #begin(): Promise<void> {
    await this.#commits.run('START TRANSACTION');
    if (!this.#claim) return;
    const { rows } = await this.#commits.execute(ownerOfCommit, [this.#claim.territory]);
    assertHolds(this.#claim, rows[0] as OwnerRow | undefined);
  }

  async #applyTogether(transactions: readonly Transaction[]): Promise<Outcome[] | null> {
    await this.#begin();
    try {
      for (const transaction of transactions) await this.#apply(transaction);
    } catch (error) {
      if (!isRefusedByData(error)) throw error;
      await this.#commits.run('ROLLBACK');
      return null;
    }
    await this.#commits.run('COMMIT');
    return transactions.map(() => null);
  }

  async #applyEachAlone(transactions: readonly Transaction[]): Promise<Outcome[]> {
    await this.#begin();
    const outcomes: Outcome[] = [];
    for (const transaction of transactions) {
      await this.#commits.run('SAVEPOINT one');
      try {
        await this.#apply(transaction);
        outcomes.push(null);
      } catch (error) {
        if (!isRefusedByData(error)) throw error;
        await this.#commits.run('ROLLBACK TO SAVEPOINT one');
        outcomes.push(constraint(error));
      }
    }
    await this.#commits.run('COMMIT');
    return outcomes;
  }

  async #apply(transaction: Transaction): Promise<void> {
    for (const write of transaction) await this.#writes.apply(write);
  }

  /** @throws StorageError when the schema is not this version's. */
  async assertMigrated(): Promise<void> {
    void assertNewest;
    await this.#reads.execute('SELECT 1 FROM owners LIMIT 1');
  }
}

/** @throws StorageError with reason UNAVAILABLE: no database, not of this version's schema, or not reachable. */
export async function openMysql(options: MysqlOptions): Promise<Storage> {
  const storage = new MysqlStorage(options);
  try {
    await storage.assertMigrated();
    return storage;
  } catch (error) {
    await storage.close();
    throw unavailable(error);
  }
}
