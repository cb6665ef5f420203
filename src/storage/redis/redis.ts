// Redis as what nodes share: one loop tells it what the parts have said, whenever it is there.
import type { Logger } from 'pino';
import { backoffMs, type Backoff } from '../../lib/backoff.ts';
import { monotonicMs, type Clock, type Timer } from '../../lib/clock.ts';
import { chance } from '../../lib/random.ts';
import type { Shared, SharedChange, SharedNode } from '../shared.ts';
import { storableText } from '../storable.ts';
import type { RedisCounts } from '../storage-metrics.ts';
import { Behind } from './behind.ts';
import { RedisCommands } from './commands.ts';
import { Connection, reasonOf } from './connection.ts';
import { positionKey, sessionsKey, trackingKey } from './keys.ts';
import { Ledger } from './ledger.ts';
import { locateRedis } from './location.ts';
import { Reads } from './reads.ts';
import { Teller } from './teller.ts';

/** Milliseconds, as an operator would have them. */
export interface RedisTimes {
  /** A node that has not beaten for so long is dead. */
  readonly leaseMs: number;
  readonly beatMs: number;
  /** How long sets live that no node refreshes, and how often a node refreshes those that it has something in. */
  readonly lifeMs: number;
  readonly refreshMs: number;
  /** How long the actors wait for an answer. */
  readonly readWithinMs: number;
  readonly commandWithinMs: number;
  readonly connectWithinMs: number;
  readonly retry: Backoff;
  /** How long it is kept what a lost shard has said: it says most of it again when it is back. */
  readonly graceMs: number;
  /** How long the end of the node waits for all to be told. */
  readonly closeWithinMs: number;
}

export const redisTimes: RedisTimes = {
  leaseMs: 20_000,
  beatMs: 5_000,
  lifeMs: 60_000,
  refreshMs: 25_000,
  readWithinMs: 100,
  commandWithinMs: 2_000,
  connectWithinMs: 5_000,
  retry: { firstMs: 100, maxMs: 2_000 },
  graceMs: 5_000,
  closeWithinMs: 3_000,
};

export interface RedisOptions {
  /** `redis://host:6379`, `rediss://…`, or with `?cluster=true`. */
  readonly url: string;
  /** Names this run of the node: its lease, and what it has said. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counts: RedisCounts;
  /** `redisTimes` unless given. */
  readonly times?: Partial<RedisTimes>;
}

/** Larger slices would hold up others who use this thread, or Redis. */
const sliceMax = 128;
/** After so many steps without a failure Redis is back, though there is more to tell. */
const stepsToTrust = 64;

/**
 * Connects in the background and again whenever the connection is lost.
 *
 * @throws Error for a URL that is none.
 */
export function openRedis(options: RedisOptions): SharedNode {
  return new RedisNode(options);
}

class RedisNode implements SharedNode {
  readonly #options: RedisOptions;
  readonly #times: RedisTimes;
  readonly #connection: Connection;
  readonly #ledger = new Ledger();
  readonly #teller: Teller;
  readonly #behind: Behind;
  readonly #reads: Reads;
  readonly #timers: readonly Timer[];
  /** Calls the loop out of its sleep. */
  #wake: (() => void) | null = null;
  #isAwake = false;
  /** Null until the first try has come to an end. */
  #isThere: boolean | null = null;
  #awaySinceMs = 0;
  #droppedBefore = 0;
  #failures = 0;
  /** Steps since the last failure. */
  #steps = 0;
  #parts = 0;
  #isClosing = false;
  readonly #loop: Promise<void>;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#times = { ...redisTimes, ...options.times };
    const { beatMs, leaseMs, lifeMs, refreshMs } = this.#times;
    options.counts.unavailable.set(1);
    this.#connection = new Connection(locateRedis(options.url), {
      ...this.#times,
      onReady: () => this.#call(),
      onLost: (reason) => this.#lost(reason),
    });
    const commands = new RedisCommands(this.#connection.client);
    this.#behind = new Behind(commands, () => options.counts.dropped.add());
    this.#reads = new Reads(options.clock, this.#times.readWithinMs);
    const beatsBeforeSweep = Math.ceil(leaseMs / beatMs);
    this.#teller = new Teller({
      ...{ node: options.node, commands, ledger: this.#ledger },
      ...{ leaseMs, lifeMs, beatsBeforeSweep, sliceMax },
    });
    const every = (intervalMs: number, due: () => void): Timer =>
      options.clock.every(intervalMs, () => {
        due();
        this.#call();
      });
    this.#timers = [
      every(beatMs, () => this.#teller.beatIsDue()),
      every(refreshMs, () => this.#teller.refreshIsDue()),
    ];
    this.#loop = this.#run();
  }

  part(): Shared {
    this.#parts += 1;
    const part = this.#parts;
    return {
      tell: (change) => this.#tell(part, change),
      snapshot: (actor) => this.#ask(() => this.#behind.snapshot(actor)),
      position: (...of) => this.#ask(() => this.#behind.position(...of)),
      close: () => this.#end(part),
    };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) timer.cancel();
    this.#ledger.endAll();
    this.#call();
    let deadline: Timer | null = null;
    const tooLong = new Promise<void>((resolve) => {
      deadline = this.#options.clock.after(this.#times.closeWithinMs, resolve);
    });
    await Promise.race([this.#loop, tooLong]);
    (deadline as Timer | null)?.cancel();
    this.#connection.close();
  }

  #tell(part: number, change: SharedChange): void {
    switch (change[0]) {
      case 'session':
        this.#ledger.say(part, [sessionsKey(storableText(change[1])), change[2]], change[3]);
        break;
      case 'tracking':
        this.#ledger.say(part, [trackingKey(change[1]), storableText(change[2])], change[3]);
        break;
      case 'unacked':
        this.#behind.putUnacked(change[1], change[2], change[3]);
        break;
      case 'acked':
        this.#behind.putUnacked(change[1], change[2], null);
        break;
      case 'position':
        this.#behind.putPosition(positionKey(change[1], change[2], change[3]), {
          epoch: change[4],
          seq: change[5],
        });
        break;
      case 'snapshot':
        this.#behind.putSnapshot(change[1], change[2]);
        break;
    }
    this.#call();
  }

  /** The shard that comes next may say the same, and nobody should see its users go and come. */
  #end(part: number): Promise<void> {
    this.#options.clock.after(this.#times.graceMs, () => {
      this.#ledger.end(part);
      this.#call();
    });
    return Promise.resolve();
  }

  async #ask<Value>(ask: () => Promise<Value | null>): Promise<Value | null> {
    return this.#isThere === true ? this.#reads.ask(ask) : null;
  }

  /** One thing after the other while Redis is there, until the node ends and all is told. */
  async #run(): Promise<void> {
    for (;;) {
      if (!this.#connection.isReady) {
        if (this.#isClosing) return;
        await this.#sleep();
        continue;
      }
      try {
        const isBusy = await this.#step();
        this.#steps += 1;
        // One that fails whenever it is told something is not back each time that it takes something else.
        if (!isBusy || this.#steps >= stepsToTrust) this.#back();
        if (isBusy) continue;
        if (this.#isClosing) return await this.#teller.leave();
        await this.#sleep();
      } catch (error) {
        if (this.#isClosing) return;
        await this.#failed(error);
      }
    }
  }

  async #step(): Promise<boolean> {
    const isBusy = this.#isClosing ? await this.#teller.tellSome() : await this.#teller.step();
    return isBusy || this.#behind.writeSome(this.#options.clock.now());
  }

  #back(): void {
    this.#failures = 0;
    this.#reads.punctual();
    if (this.#isThere === true) return;
    const { log, counts } = this.#options;
    if (this.#isThere === null) log.info('Redis is there');
    else {
      const awayMs = Math.round(monotonicMs() - this.#awaySinceMs);
      log.info({ awayMs, dropped: counts.dropped.value - this.#droppedBefore }, 'Redis is back');
    }
    this.#isThere = true;
    counts.unavailable.set(0);
  }

  #lost(reason: string): void {
    this.#teller.lost();
    if (this.#isThere === false || this.#isClosing) return;
    this.#isThere = false;
    const { log, counts } = this.#options;
    this.#awaySinceMs = monotonicMs();
    this.#droppedBefore = counts.dropped.value;
    counts.unavailable.set(1);
    log.warn({ reason }, 'Redis is away, the node goes on without it');
  }

  /** Redis does not do its work, though there may be a connection. */
  async #failed(error: unknown): Promise<void> {
    this.#lost(reasonOf(error));
    // One that answers at least is worth keeping, unless it has become a replica: another may be in its place.
    const answers = error instanceof Error && error.name === 'ReplyError';
    if (!answers || error.message.startsWith('READONLY')) this.#connection.renew();
    this.#failures += 1;
    this.#steps = 0;
    const pauseMs = backoffMs(this.#failures, this.#times.retry, chance());
    await new Promise<void>((resolve) => this.#options.clock.after(pauseMs, resolve));
  }

  #call(): void {
    this.#isAwake = true;
    this.#wake?.();
  }

  async #sleep(): Promise<void> {
    if (!this.#isAwake) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#isAwake = false;
  }
}
