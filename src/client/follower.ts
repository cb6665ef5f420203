// A room from its newest messages on: what is in the history, what comes live, and what was missed between, as one list.
import { delayBefore } from './backoff.ts';
import type { ChatMessage } from './bodies.ts';
import { StagewireError } from './error.ts';
import { tellSafely, type Stop } from './listeners.ts';
import { messageOf } from './loss.ts';
import type { Messaging } from './messaging.ts';
import type { Message, SubscriptionEvents } from './subscription.ts';

export interface FollowListeners {
  /** Each message once, in the order of `seq`. */
  readonly message: (message: ChatMessage) => void;
  /**
   * The list begins: show what follows alone. Called before the first message, and again where it can't go on: when more
   * than 1,000 messages were missed, or the server's data were restored from a backup.
   */
  readonly reset?: () => void;
  /** It can't go on: the server's refusal. The client's `onRefusal` is told without it. */
  readonly refused?: (error: StagewireError) => void;
  /** How many of the messages before it begins with: 1 to 1,000; 50 by default. */
  readonly limit?: number;
}

/** Newest first. */
type History = (page: {
  readonly before?: number;
  readonly limit: number;
}) => Promise<readonly ChatMessage[]>;

/** Messages that are asked for at once. */
const pageMax = 100;
/** More are not fetched after a loss: the list begins anew. */
const missedMax = 1_000;
/** Live messages that wait for the history; what comes beyond is asked for again. */
const earlyMax = 1_000;
const again = { baseMs: 1_000, capMs: 30_000 } as const;

export class Follower {
  readonly #client: Messaging;
  readonly #history: History;
  readonly #listeners: FollowListeners;
  readonly #limit: number;
  readonly #early: ChatMessage[] = [];
  #last = 0;
  #epoch: string | null = null;
  /** The list begins with what is fetched next. */
  #isAnew = true;
  /** What comes live waits for what is before it. */
  #isBehind = false;
  #isOverfull = false;
  /** What is fetched for an older one is not wanted any more. */
  #run = 0;
  #isAsking = false;
  #isOver = false;
  #attempt = 0;
  #stopRetry: Stop = () => undefined;

  /** @throws RangeError for a limit that can't be had. */
  constructor(client: Messaging, history: History, listeners: FollowListeners) {
    const { limit = 50 } = listeners;
    if (!Number.isInteger(limit) || limit < 1 || limit > missedMax) {
      throw new RangeError(`limit is a whole number from 1 to ${missedMax}`);
    }
    this.#client = client;
    this.#history = history;
    this.#listeners = listeners;
    this.#limit = limit;
  }

  /** Of its subscription. */
  get events(): SubscriptionEvents {
    return {
      present: (frame) => this.#present(frame),
      message: ({ body }) => this.#came(JSON.parse(body) as ChatMessage),
      // The client gave up between, or was closed.
      started: () => void (this.#isBehind && !this.#isAsking && this.#fetch()),
      refused: (error) => {
        this.stop();
        if (this.#listeners.refused) this.#listeners.refused(error);
        else this.#client.tellRefusal(error);
      },
    };
  }

  stop(): void {
    this.#isOver = true;
    this.#run += 1;
    this.#stopRetry();
  }

  /** From here on everything comes: what is fetched now leaves no gap to it. */
  #present({ headers: { seq, epoch = '' } }: Message): void {
    if (epoch !== this.#epoch || Number(seq) < this.#last) this.#isAnew = true;
    this.#epoch = epoch;
    this.#early.length = 0;
    this.#isOverfull = false;
    void this.#fetch();
  }

  #came(message: ChatMessage): void {
    if (!this.#isBehind) this.#deliver(message);
    else if (this.#early.length < earlyMax) this.#early.push(message);
    else this.#isOverfull = true;
  }

  async #fetch(): Promise<void> {
    this.#stopRetry();
    this.#run += 1;
    const run = this.#run;
    this.#isBehind = true;
    this.#isAsking = true;
    try {
      const messages = await this.#missed();
      if (run !== this.#run) return;
      this.#attempt = 0;
      this.#caughtUp(messages);
    } catch (thrown) {
      if (run !== this.#run) return;
      this.#isAsking = false;
      this.#attempt += 1;
      const error =
        thrown instanceof StagewireError ? thrown : new StagewireError('UNAVAILABLE', messageOf(thrown));
      // Of a loss the states tell.
      if (this.#client.state.name === 'connected') this.#client.tellRefusal(error);
      const afterMs = delayBefore(this.#attempt, again, Math.random());
      this.#stopRetry = this.#client.later(afterMs, () => void this.#fetch());
    }
  }

  /** Newest first: what comes after the last one that was told, or the newest ones where the list begins. */
  async #missed(): Promise<readonly ChatMessage[]> {
    const all: ChatMessage[] = [];
    for (;;) {
      const wanted = this.#isAnew ? this.#limit - all.length : pageMax;
      const limit = Math.min(wanted, pageMax);
      const oldest = all.at(-1);
      const page = await this.#history({ limit, ...(oldest ? { before: oldest.seq } : {}) });
      if (!oldest && !this.#isAnew && (page[0]?.seq ?? 0) - this.#last > missedMax) {
        this.#isAnew = true;
        continue;
      }
      const after = this.#isAnew ? 0 : this.#last;
      const news = page.filter(({ seq }) => seq > after);
      all.push(...news);
      if (news.length < limit || (this.#isAnew && all.length >= this.#limit)) return all;
    }
  }

  #caughtUp(messages: readonly ChatMessage[]): void {
    if (this.#isAnew) {
      this.#isAnew = false;
      this.#last = 0;
      tellSafely(() => this.#listeners.reset?.());
    }
    this.#isAsking = false;
    this.#isBehind = false;
    const early = this.#early.splice(0);
    for (const message of [...messages.toReversed(), ...early]) tellSafely(() => this.#deliver(message));
    if (!this.#isOverfull) return;
    this.#isOverfull = false;
    void this.#fetch();
  }

  #deliver(message: ChatMessage): void {
    if (this.#isOver || message.seq <= this.#last) return;
    this.#last = message.seq;
    this.#listeners.message(message);
  }
}
