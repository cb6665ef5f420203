// What is to be sent: kept in order until the server has answered, and sent again over the next connection under the
// same key, so that it is done once.
import { StagewireError } from './error.ts';

export interface Outgoing {
  readonly destination: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface OutboxLimits {
  readonly outboxMax: number;
  readonly sendWithinMs: number;
}

/** Sends one frame; the key is its receipt and its idempotency key. */
type Send = (key: string, message: Outgoing) => void;

interface Entry {
  readonly message: Outgoing;
  readonly resolve: () => void;
  readonly reject: (error: StagewireError) => void;
  readonly expiry: ReturnType<typeof setTimeout> | undefined;
  readonly isOnce: boolean;
  isSent: boolean;
  /** Over any connection: whether it was done is not known. */
  wasSent: boolean;
  /** Connections that broke while it was under way. */
  breaks: number;
}

/** Messages under way at once: the server takes 1,000 commands of a session, and this leaves it room for others. */
const underWayMax = 256;
/** A message that was under way when so many connections broke is what breaks them: after the first one it goes alone. */
const breaksMax = 3;
const againMs = 1_000;

const lost = (): StagewireError => new StagewireError('EXPIRED', 'The connection was lost.');

export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #send: Send;
  /** In the order of sending. */
  readonly #entries = new Map<string, Entry>();
  #underWay = 0;
  #isOpen = false;
  #isHeld = false;
  #ended: StagewireError | null = null;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(limits: OutboxLimits, send: Send) {
    this.#limits = limits;
    this.#send = send;
  }

  /** Messages that wait for an answer. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Resolves when the server has it durably.
   *
   * @param isOnce it is not sent over another connection than the present one.
   * @throws StagewireError with the server's refusal, FULL, EXPIRED, CLOSED, or why the client has failed.
   */
  add(key: string, message: Outgoing, isOnce = false): Promise<void> {
    if (this.#entries.has(key)) {
      return Promise.reject(new StagewireError('CONFLICT', `Something with the key ${key} waits already.`));
    }
    if (isOnce && !this.#isOpen) return Promise.reject(lost());
    if (this.#ended) return Promise.reject(this.#ended);
    if (!isOnce && this.#entries.size >= this.#limits.outboxMax) {
      return Promise.reject(new StagewireError('FULL', 'Too much waits to be sent.'));
    }
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#settle(key, new StagewireError('EXPIRED', 'There was no answer in time.'));
      };
      const expiry = isOnce ? undefined : setTimeout(late, this.#limits.sendWithinMs);
      this.#entries.set(key, {
        message,
        resolve,
        reject,
        expiry,
        isOnce,
        isSent: false,
        wasSent: false,
        breaks: 0,
      });
      this.#go();
    });
  }

  /** A connection is there. */
  open(): void {
    this.#isOpen = true;
    this.#go();
  }

  /** Nothing is sent until it is let go again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#go();
  }

  /** It is lost: what was not answered is sent again, in order, over the next. */
  interrupt(isBroken: boolean): void {
    this.#isOpen = false;
    this.#resume();
    for (const [key, entry] of this.#entries) {
      if (entry.isSent && isBroken) entry.breaks += 1;
      entry.isSent = false;
      if (entry.isOnce) this.#settle(key, lost());
      if (entry.breaks >= breaksMax) {
        this.#settle(key, new StagewireError('BAD_REQUEST', 'The server does not take this frame.'));
      }
    }
    this.#underWay = 0;
  }

  answered(key: string): boolean {
    return this.#settle(key, null);
  }

  /** @returns whether it was one of these. */
  refused(key: string, error: StagewireError): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    const isForNow = error.code === 'RATE_LIMITED' || error.code === 'UNAVAILABLE';
    if (!isForNow) return this.#settle(key, error);
    // It keeps its place: what follows it may be done before, as it may without a refusal when two are under way.
    if (entry.isSent) this.#underWay -= 1;
    entry.isSent = false;
    const afterMs = Number(error.detail['retryAfterMs'] ?? againMs);
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#go();
    }, afterMs);
    return true;
  }

  /** There will be no connection: what waits rejects, and what is added. Null: there may be one again. */
  end(error: StagewireError | null): void {
    this.#ended = error;
    if (!error) return;
    this.#isOpen = false;
    this.#resume();
    for (const [key, { wasSent }] of this.#entries) {
      const isOpen = wasSent && error.code !== 'CLOSED';
      this.#settle(
        key,
        isOpen ? new StagewireError('EXPIRED', `It may be done or not: ${error.message}`) : error,
      );
    }
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #settle(key: string, error: StagewireError | null): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#entries.delete(key);
    clearTimeout(entry.expiry);
    if (entry.isSent) this.#underWay -= 1;
    if (error) entry.reject(error);
    else entry.resolve();
    this.#go();
    return true;
  }

  #go(): void {
    if (!this.#isOpen || this.#isHeld || this.#pause !== undefined) return;
    for (const [key, entry] of this.#entries) {
      if (entry.isSent && entry.breaks > 0) return;
      if (this.#underWay >= (entry.breaks > 0 ? 1 : underWayMax)) return;
      if (entry.isSent) continue;
      entry.isSent = true;
      entry.wasSent = true;
      this.#underWay += 1;
      this.#send(key, entry.message);
    }
  }
}
