// One try to commit a group of transactions: one transaction of the database, in which a part that is refused is undone
// without the rest.
import { monotonicMs } from '../../lib/clock.ts';
import { assertHolds, type Claim, type OwnerRow } from '../claim.ts';
import { constraint } from '../failure.ts';
import { ownerOfCommit } from './claim.ts';
import type { Connection, ServerRow } from './connection.ts';
import { isRefusedByData } from './server-error.ts';
import type { Parameters } from './statements.ts';
import type { Outcome, Transaction } from '../storage.ts';
import { makeWrites, type Executor } from './writes.ts';

export class GroupCommit implements Executor {
  /** Whether the server was asked to commit: from then on a connection that is lost leaves open what it did. */
  isDecided = false;
  readonly #connection: Connection;
  readonly #claim: Claim | null;
  readonly #endMs: number;

  /**
   * @param connection one on which no transaction is open; the next statement begins one.
   * @param endMs when the server must have answered, in the time of `monotonicMs`; else the connection is lost.
   */
  constructor(connection: Connection, claim: Claim | null, endMs: number) {
    this.#connection = connection;
    this.#claim = claim;
    this.#endMs = endMs;
  }

  get packetBytesMax(): number {
    return this.#connection.packetBytesMax;
  }

  execute(sql: string, parameters: Parameters): Promise<ServerRow[]> {
    return this.#connection.execute(sql, parameters, this.#leftMs());
  }

  /**
   * One outcome for each transaction, all durable when it resolves.
   *
   * @throws ConnectionLost, the server's error, or a StorageError with reason FENCED: then `rollBack` what is left.
   */
  async make(transactions: readonly Transaction[]): Promise<Outcome[]> {
    await this.#assertOwned();
    let outcomes: Outcome[] = transactions.map(() => null);
    const refusal = await this.#refusalOf(transactions);
    if (refusal !== null) {
      await this.rollBack();
      if (transactions.length === 1) return [constraint(refusal)];
      await this.#assertOwned();
      outcomes = await this.#makeHalves(transactions);
    }
    this.isDecided = true;
    await this.#run('COMMIT');
    return outcomes;
  }

  /** @throws as `make` does. */
  async rollBack(): Promise<void> {
    await this.#run('ROLLBACK');
  }

  async #assertOwned(): Promise<void> {
    if (this.#claim === null) return;
    const [row] = await this.execute(ownerOfCommit, [this.#claim.territory]);
    assertHolds(this.#claim, row as unknown as OwnerRow | undefined);
  }

  /** Makes the writes; what the data refuses, if it does: some of them may then be made. */
  async #refusalOf(transactions: readonly Transaction[]): Promise<unknown> {
    try {
      await makeWrites(this, transactions.flat());
      return null;
    } catch (error) {
      if (isRefusedByData(error)) return error;
      throw error;
    }
  }

  /**
   * By halves rather than one by one: a single bad transaction in a group of a thousand then costs some twenty statements
   * of many rows, not a thousand of one.
   */
  async #makeHalves(transactions: readonly Transaction[]): Promise<Outcome[]> {
    const middle = transactions.length >>> 1;
    // The second sees what the first has done.
    const first = await this.#makePart(transactions.slice(0, middle));
    return [...first, ...(await this.#makePart(transactions.slice(middle)))];
  }

  async #makePart(transactions: readonly Transaction[]): Promise<Outcome[]> {
    // A savepoint of the same name takes the place of the one before.
    await this.#run('SAVEPOINT part');
    const refusal = await this.#refusalOf(transactions);
    if (refusal === null) return transactions.map(() => null);
    await this.#run('ROLLBACK TO SAVEPOINT part');
    return transactions.length === 1 ? [constraint(refusal)] : this.#makeHalves(transactions);
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql, this.#leftMs());
  }

  #leftMs(): number {
    return Math.max(this.#endMs - monotonicMs(), 1);
  }
}
