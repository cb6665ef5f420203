// Keeps one connection: opens it when it is first asked for, and another one whenever it is lost, until it is closed.
import { monotonicMs, type Clock, type Timer } from '../../lib/clock.ts';
import { chance } from '../../lib/random.ts';
import { unavailable } from '../failure.ts';
import type { Connection } from './connection.ts';
import type { MysqlLimits } from './limits.ts';
import { StorageError } from '../storage.ts';

export interface KeeperOptions {
  readonly clock: Clock;
  readonly limits: Pick<MysqlLimits, 'graceMs'>;
  /** Opens a connection that is ready for use. Must settle, within bounds of its own. */
  readonly open: () => Promise<Connection>;
}

const pauseMinMs = 50;
const pauseMaxMs = 2_000;
const steadyMs = 1_000;
// Often enough that neither server nor network takes the connection for a forgotten one.
const pingEveryMs = 30_000;
const pingLimitMs = 5_000;

interface Waiting {
  readonly resolve: (connection: Connection) => void;
  readonly reject: (error: StorageError) => void;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #pings: Timer;
  #connection: Connection | null = null;
  #opening: Promise<void> | null = null;
  #waiting: Waiting[] = [];
  /** When those who wait are sent away; null when nobody waits. */
  #grace: Timer | null = null;
  /** Why there is no connection, once the grace is over. */
  #away: StorageError | null = null;
  #pause: Timer | null = null;
  /** The last failure to open one. */
  #failed: StorageError | null = null;
  /** In a row, which makes the pauses longer. */
  #failures = 0;
  #openedMs = 0;
  #isClosed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#pings = options.clock.every(pingEveryMs, () => this.#ping());
  }

  /**
   * The connection. While it is opened, waits for a bounded time; once that is over, fails at once until there is one.
   *
   * @throws StorageError with reason UNAVAILABLE.
   */
  get(): Promise<Connection> {
    if (this.#connection) return Promise.resolve(this.#connection);
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#away) return Promise.reject(this.#away);
    const { clock, limits } = this.#options;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#grace ??= clock.after(limits.graceMs, () => this.#giveUp());
      this.#reopen();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pings.cancel();
    this.#pause?.cancel();
    this.#endGrace(closed());
    await this.#opening;
    await this.#connection?.close();
    this.#connection = null;
  }

  #reopen(): void {
    if (this.#isClosed || this.#opening || this.#pause) return;
    this.#opening = this.#open().finally(() => {
      this.#opening = null;
    });
  }

  async #open(): Promise<void> {
    try {
      const connection = await this.#options.open();
      if (connection.isLost) throw new Error('The connection was lost at once.');
      this.#openedMs = monotonicMs();
      this.#connection = connection;
      connection.onLost = () => this.#lose();
      this.#away = null;
      this.#grace?.cancel();
      this.#grace = null;
      for (const { resolve } of this.#waiting.splice(0)) resolve(connection);
    } catch (error) {
      this.#failed = unavailable(error);
      this.#reopenLater();
    }
  }

  #reopenLater(): void {
    const pauseMs = Math.min(pauseMinMs * 2 ** this.#failures, pauseMaxMs);
    this.#failures += 1;
    if (this.#isClosed) return;
    // Not all of it, so that those who lost theirs together don't come back together.
    this.#pause = this.#options.clock.after(pauseMs * (0.5 + chance() / 2), () => {
      this.#pause = null;
      this.#reopen();
    });
  }

  #lose(): void {
    this.#connection = null;
    // One that is lost as soon as it is opened is no better than one that can't be.
    if (monotonicMs() - this.#openedMs < steadyMs) return this.#reopenLater();
    this.#failures = 0;
    this.#reopen();
  }

  #giveUp(): void {
    this.#away = this.#failed ?? new StorageError('UNAVAILABLE', 'The database server does not answer.');
    this.#endGrace(this.#away);
  }

  #endGrace(reason: StorageError): void {
    this.#grace?.cancel();
    this.#grace = null;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #ping(): void {
    const connection = this.#connection;
    // One that does not answer is lost by that, and another one is opened.
    if (connection?.isIdle) connection.ping(pingLimitMs).catch(() => undefined);
  }
}

function closed(): StorageError {
  return new StorageError('UNAVAILABLE', 'The store is closed.');
}
