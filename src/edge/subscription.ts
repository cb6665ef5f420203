// One subscription of one session.
import type { Own } from './dialect.ts';
import type { From, Params, Recovered } from '../link/messages.ts';
import type { Session } from './session.ts';

export type AckMode = 'auto' | 'client' | 'client-individual';

/**
 * A stream of an actor, conflated or not; a queue; a pattern of plain topics; the session's own refusals; or the answer
 * to a command.
 */
export type SourceType = 'stream' | 'conflated' | 'queue' | 'wildcard' | 'errors' | 'answer';

/** Where a subscription's messages come from. */
export interface Source {
  readonly type: SourceType;
  /** The destination as the actor names it, or a pattern. */
  readonly destination: string;
  /** As the client names it, and as its MESSAGEs say. */
  readonly shown: string;
  /** Empty for a pattern and for an answer, which may come of many. */
  readonly actor: string;
  /** Empty where it is no stream of an actor. */
  readonly stream: string;
  readonly params: Params | null;
}

/** Told by the source, not by its signs: names of users and query strings hold `*` and `?` too. */
export function isWildcard({ type }: Source): boolean {
  return type === 'wildcard';
}

export interface SubscriptionOptions {
  readonly number: number;
  readonly session: Session;
  readonly id: string;
  readonly source: Source;
  readonly ack: AckMode;
  readonly from: From;
  readonly receipt: string | null;
}

/** Deliveries above the kept position that may be acknowledged out of order before the session is too slow. */
export const unacknowledgedMax = 10_000;

/** Tells what a session may acknowledge from what others may, one with the same numbers before a restart among them. */
export const tagOf = ({ id }: Session): string => id.slice(-8);

export class Subscription {
  /** Names it on the link; unique on its edge. */
  readonly number: number;
  readonly session: Session;
  readonly id: string;
  readonly source: Source;
  readonly ack: AckMode;
  from: From;
  receipt: string | null;
  /** `behind`: it is left out of what is published until its client has read on. */
  phase: 'starting' | 'live' | 'behind' | 'ended' = 'starting';
  /** Whether a page has come. */
  hasStarted = false;
  /** Said on the first live message when nothing was missed. */
  recovered: Recovered = null;
  epoch: string | null = null;
  /** The last message delivered: a seq, or a count where messages have none. */
  delivered = 0;
  /** All up to here is acknowledged. */
  acknowledged = 0;
  #outOfOrder: Set<number> | null = null;

  constructor(options: SubscriptionOptions) {
    this.number = options.number;
    this.session = options.session;
    this.id = options.id;
    this.source = options.source;
    this.ack = options.ack;
    this.from = options.from;
    this.receipt = options.receipt;
  }

  /** The durable name, if it has one. */
  get durable(): string | null {
    return this.from?.[0] === 'durable' ? this.from[1] : null;
  }

  /** Whether it takes the frame that its group shares. */
  get shares(): boolean {
    return this.ack === 'auto' && this.recovered === null;
  }

  /** What this subscription alone is told beside the message, if anything; also counts the delivery. */
  own(seq: number): Own | null {
    // Without an epoch a seq means nothing: there is none, or it is of one of a pattern's many streams.
    this.delivered = this.epoch === null ? this.delivered + 1 : seq;
    const { recovered } = this;
    if (this.shares) return null;
    // What lies before can't be acknowledged any more: nobody was sent it.
    if (recovered === false) {
      this.acknowledged = this.delivered;
      this.#outOfOrder = null;
    }
    this.recovered = null;
    return { ack: this.ack === 'auto' ? null : this.ackId(), recovered, redelivered: false };
  }

  /** Whether only its messages can tell their destination. */
  get isPattern(): boolean {
    return isWildcard(this.source);
  }

  /** What acknowledges the newest delivery, or that one. */
  ackId(delivery = this.delivered): string {
    return `${this.number}-${delivery}-${tagOf(this.session)}`;
  }

  /**
   * Notes an ACK.
   *
   * @returns the new position below which everything is acknowledged, or null when it did not move.
   */
  acknowledge(delivery: number): number | null {
    const before = this.acknowledged;
    if (this.ack === 'client') this.acknowledged = Math.max(before, delivery);
    else if (delivery > before) {
      this.#outOfOrder ??= new Set();
      this.#outOfOrder.add(delivery);
      while (this.#outOfOrder.delete(this.acknowledged + 1)) this.acknowledged += 1;
    }
    return this.acknowledged > before ? this.acknowledged : null;
  }

  /** Whether more is acknowledged out of order than is kept track of. */
  get overrun(): boolean {
    return (this.#outOfOrder?.size ?? 0) > unacknowledgedMax;
  }
}
