// A store that is watched: what goes through it is counted, and whether the database can be used, and is still ours, is
// known at any time.
import type { Logger } from 'pino';
import type { Clock, Timer } from '../lib/clock.ts';
import { Outage } from './outage.ts';
import type { Outcome, Query, QueryName, Rows, Storage, Transaction } from './storage.ts';
import { isUnavailable, StorageError } from './storage.ts';
import type { StorageCounts } from './storage-metrics.ts';
import { Unanswered, unansweredMaxMs } from './unanswered.ts';
import { reasonOf } from './failure.ts';

export interface WatchedOptions {
  readonly counts: StorageCounts;
  readonly clock: Clock;
  /** Milliseconds since any moment, never stepping back; the same for those who read the counts. */
  readonly monotonicMs: () => number;
  readonly log: Logger;
  /**
   * For a store that was opened with a claim: called once, when that is lost, before whoever asked is told. From then on
   * everything is FENCED.
   */
  readonly onFenced?: ((error: StorageError) => void) | undefined;
}

/** While the database can't be used it is tried this often, so that it is known to be well again without traffic. */
const tryAgainMs = 1_000;
/** Whoever writes nothing hears that another server has taken over when it asks. */
const askEveryMs = 1_000;

/** How late it may be told that an answer is late. */
const lookEveryMs = 500;

/** A room that nobody can have made. */
const cheapQuery: Query = { name: 'room', args: { roomId: '' } };

type Use = 'commit' | 'query';

export class WatchedStorage implements Storage {
  readonly #storage: Storage;
  readonly #options: WatchedOptions;
  /** What failed last with UNAVAILABLE: only the same kind of use tells that it works again. */
  readonly #failing = new Set<Use>();
  readonly #unanswered: Unanswered;
  readonly #outage: Outage;
  readonly #looking: Timer;
  #trying: Timer | null = null;
  #isTrying = false;
  readonly #asking: Timer | null;
  #isAsking = false;
  #fenced: StorageError | null = null;
  #isClosed = false;

  constructor(storage: Storage, options: WatchedOptions) {
    this.#storage = storage;
    this.#options = options;
    options.counts.unavailable.set(0);
    // Whoever reads it finds out by itself that it is too long ago: this thread may be what waits.
    this.#unanswered = new Unanswered(options.monotonicMs, (sinceMs) =>
      options.counts.unansweredSinceMs.set(sinceMs),
    );
    this.#outage = new Outage(options);
    this.#looking = options.clock.every(lookEveryMs, () => this.#look());
    this.#asking = options.onFenced ? options.clock.every(askEveryMs, () => void this.#ask()) : null;
  }

  async commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    const fenced = this.#fenced;
    if (fenced) return transactions.map(() => fenced);
    const { counts, monotonicMs } = this.#options;
    const startedMs = monotonicMs();
    const outcomes = await this.#commit(transactions);
    counts.commits.add();
    counts.commitSeconds.observe((monotonicMs() - startedMs) / 1_000);
    let writes = 0;
    let failure: StorageError | null = null;
    for (const [index, transaction] of transactions.entries()) {
      const outcome = outcomes[index];
      if (!outcome) writes += transaction.length;
      else if (outcome.reason === 'FENCED') this.#fence(outcome);
      else if (isUnavailable(outcome)) failure = outcome;
    }
    counts.writes.add(writes);
    if (failure) counts.commitFailures.add();
    this.#note('commit', startedMs, failure);
    return outcomes;
  }

  async query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    if (this.#fenced) throw this.#fenced;
    const { counts, monotonicMs } = this.#options;
    counts.queries.add();
    const startedMs = monotonicMs();
    const asked = this.#unanswered.asked();
    try {
      const rows = await this.#storage.query(query);
      this.#answered(asked);
      this.#note('query', startedMs, null);
      return rows;
    } catch (error) {
      counts.queryFailures.add();
      this.#answered(asked);
      this.#note('query', startedMs, error instanceof StorageError && !isUnavailable(error) ? null : error);
      throw error;
    }
  }

  async close(): Promise<void> {
    // Only a claim that held to the end makes it a clean one.
    if (this.#asking && !this.#fenced) await this.#ask();
    this.#isClosed = true;
    this.#trying?.cancel();
    this.#asking?.cancel();
    this.#looking.cancel();
    this.#outage.close();
    await this.#storage.close();
  }

  /** For good: a claim that was lost never holds again. */
  #fence(error: StorageError): void {
    if (this.#fenced || this.#isClosed) return;
    this.#fenced = error;
    this.#trying?.cancel();
    this.#asking?.cancel();
    this.#looking.cancel();
    this.#outage.close();
    this.#options.counts.unavailable.set(1);
    this.#options.onFenced?.(error);
  }

  async #ask(): Promise<void> {
    // While commits fail they are tried: that asks too.
    if (this.#isAsking || this.#failing.has('commit')) return;
    this.#isAsking = true;
    const startedMs = this.#options.monotonicMs();
    const [outcome] = await this.#commit([[]]);
    this.#isAsking = false;
    if (outcome?.reason === 'FENCED') this.#fence(outcome);
    else if (outcome) this.#note('commit', startedMs, outcome);
  }

  async #commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    const asked = this.#unanswered.asked();
    const outcomes = await this.#storage.commit(transactions);
    this.#answered(asked);
    return outcomes;
  }

  #answered(asked: number): void {
    this.#unanswered.answered(asked);
    // In a thread that the database blocks nothing else can tell.
    if (this.#unanswered.isLate(asked)) this.#late(asked);
  }

  #look(): void {
    const { oldestMs } = this.#unanswered;
    if (oldestMs !== 0 && this.#unanswered.isLate(oldestMs)) this.#late(oldestMs);
    else if (this.#failing.size === 0) this.#outage.well();
  }

  #late(sinceMs: number): void {
    if (this.#isClosed || this.#fenced) return;
    this.#outage.away(`it has not answered for ${unansweredMaxMs / 1_000} s`, sinceMs);
  }

  #note(use: Use, startedMs: number, failure: unknown): void {
    if (this.#isClosed || this.#fenced) return;
    if (failure !== null) {
      this.#outage.away(reasonOf(failure), startedMs);
      this.#outage.failed(use);
    }
    if ((failure !== null) === this.#failing.has(use)) {
      if (!this.#outage.isOver) this.#look();
      return;
    }
    if (failure !== null) this.#failing.add(use);
    else this.#failing.delete(use);
    this.#options.counts.unavailable.set(this.#failing.size > 0 ? 1 : 0);
    this.#look();
    if (this.#failing.size > 0) {
      this.#trying ??= this.#options.clock.every(tryAgainMs, () => void this.#try());
    } else {
      this.#trying?.cancel();
      this.#trying = null;
    }
  }

  async #try(): Promise<void> {
    if (this.#isTrying) return;
    this.#isTrying = true;
    // Reading may work while the disk is full or the database is locked: what can't be written must be written.
    if (this.#failing.has('commit')) await this.commit([[this.#mark()]]);
    else await this.query(cheapQuery).catch(() => undefined);
    this.#isTrying = false;
  }

  /** A row that says nothing to anybody, and goes when it is old. */
  #mark(): Transaction[number] {
    const row = {
      actor: '',
      command: 'try',
      user_id: '',
      idempotency_key: '',
      created_at: this.#options.clock.now(),
    };
    return { op: 'upsert', table: 'idempotency_keys', row };
  }
}
