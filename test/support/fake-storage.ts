// A store in memory whose commits and queries a test holds back, lets go and breaks.
import { openMemory } from '../../src/storage/memory/memory.ts';
import {
  StorageError,
  type Outcome,
  type Query,
  type QueryName,
  type Rows,
  type Storage,
  type Transaction,
} from '../../src/storage/storage.ts';

/** A commit that waits for the test. Exactly one of its methods may be called, once. */
export interface HeldCommit {
  readonly transactions: readonly Transaction[];
  /** Applies all but those for which `refuse` gives an error. */
  settle(refuse?: (transaction: Transaction, index: number) => StorageError | null): void;
  /** Applies all and says of all that they could not be: the answer was lost on its way. */
  breakOff(): void;
  /** Breaks the contract: a commit never rejects. */
  reject(): void;
}

export interface HeldQuery {
  readonly query: Query;
  /** Reads now, not when it was asked. */
  answer(): void;
  fail(): void;
}

export const unavailable = (): StorageError => new StorageError('UNAVAILABLE', 'SQL says no.');
export const violated = (): StorageError => new StorageError('CONSTRAINT', 'UNIQUE constraint failed.');

export class FakeStorage implements Storage {
  readonly #rows = openMemory();
  /** Whether commits and queries wait for the test; else they happen at once. */
  holdsCommits = false;
  holdsQueries = false;
  /** Queries of these names fail. */
  readonly brokenQueries = new Set<QueryName>();
  readonly heldCommits: HeldCommit[] = [];
  readonly heldQueries: HeldQuery[] = [];
  /** Transactions of each commit that was asked for. */
  readonly commits: (readonly Transaction[])[] = [];
  readonly queries: Query[] = [];
  /** The most commits that were on their way at a time. */
  commitsAtOnceMax = 0;
  #commitsAtOnce = 0;

  async commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    this.commits.push(transactions);
    this.#commitsAtOnce += 1;
    this.commitsAtOnceMax = Math.max(this.commitsAtOnceMax, this.#commitsAtOnce);
    try {
      if (!this.holdsCommits) return await this.#rows.commit(transactions);
      return await new Promise((resolve, reject) => {
        const gone = (): void => {
          this.heldCommits.splice(this.heldCommits.indexOf(held), 1);
        };
        const held: HeldCommit = {
          transactions,
          settle: (refuse = () => null) => {
            gone();
            resolve(this.#apply(transactions, refuse));
          },
          breakOff: () => {
            gone();
            const broken = transactions.map(() => unavailable());
            resolve(this.#apply(transactions, () => null).then(() => broken));
          },
          reject: () => {
            gone();
            reject(new Error('the thread is gone'));
          },
        };
        this.heldCommits.push(held);
      });
    } finally {
      this.#commitsAtOnce -= 1;
    }
  }

  query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    this.queries.push(query as Query);
    if (this.brokenQueries.has(query.name)) return Promise.reject(unavailable());
    if (!this.holdsQueries) return this.#rows.query(query);
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        this.heldQueries.splice(this.heldQueries.indexOf(held), 1);
      };
      const held: HeldQuery = {
        query: query as Query,
        answer: () => {
          gone();
          this.#rows.query(query).then(resolve, reject);
        },
        fail: () => {
          gone();
          reject(unavailable());
        },
      };
      this.heldQueries.push(held);
    });
  }

  close(): Promise<void> {
    return this.#rows.close();
  }

  /** The oldest commit that waits. @throws Error when none does. */
  nextCommit(): HeldCommit {
    const [held] = this.heldCommits;
    if (!held) throw new Error('no commit waits');
    return held;
  }

  /** The oldest query that waits. @throws Error when none does. */
  nextQuery(): HeldQuery {
    const [held] = this.heldQueries;
    if (!held) throw new Error('no query waits');
    return held;
  }

  async #apply(
    transactions: readonly Transaction[],
    refuse: (transaction: Transaction, index: number) => StorageError | null,
  ): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const [index, transaction] of transactions.entries()) {
      const refused = refuse(transaction, index);
      outcomes.push(refused ?? (await this.#rows.commit([transaction]))[0] ?? null);
    }
    return outcomes;
  }
}
