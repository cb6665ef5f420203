// The consumers of an edge: subscriptions of queues. Each message comes for one of them alone, is written when its client
// has read enough of what came before, and is settled: by the client, or by its being written where the client need not
// acknowledge. What is not settled is known here, so that a new shard can be told.
import { prefetchDefault } from '../actors/route.ts';
import { Refusal } from '../errors.ts';
import { ToShard, type DeliverMessage, type From, type Held, type JoinMessage } from '../link/messages.ts';
import { CloseCode } from './connection.ts';
import type { Edge } from './edge.ts';
import { Delivery } from './delivery.ts';
import { FrameWaiting, type Commit } from './frame-waiting.ts';
import type { Session } from './session.ts';
import type { Waiting } from './shard-port.ts';
import type { Frame, FrameHeaders } from './frame.ts';
import type { Subscription } from './subscription.ts';
import { Unsettled } from './unsettled.ts';

const prefetchMax = 1_000;
/** Bodies that wait for one client to read. Its windows may allow more; then it is too slow a reader. */
const pendingBytesMax = 64 * 1024 * 1024;
/** How long until it is tried again to settle what was written. */
const settleAgainMs = 1_000;

interface Consumer {
  readonly subscription: Subscription;
  readonly window: number;
  /** Not written yet. */
  readonly pending: DeliverMessage[];
  /** Delivered, to be acknowledged by the client. */
  readonly unsettled: Unsettled;
  /** Written, and to be settled without the client. */
  written: Held[];
  waits: boolean;
}

/** @throws Refusal for what no queue can give. */
export function consumeFrom(headers: FrameHeaders, destination: string): From {
  if (headers.has('durable')) {
    throw new Refusal('BAD_REQUEST', `No position can be kept for ${destination}.`);
  }
  if (headers.has('resume')) {
    throw new Refusal('BAD_REQUEST', `${destination} is a queue: there is no past to go on from.`);
  }
  const prefetch = headers.get('prefetch-count') ?? `${prefetchDefault}`;
  const window = /^\d{1,4}$/.test(prefetch) ? Number(prefetch) : 0;
  if (window < 1 || window > prefetchMax) {
    throw new Refusal('BAD_REQUEST', `prefetch-count must be a whole number from 1 to ${prefetchMax}.`);
  }
  return ['consume', window];
}

export class Consumers {
  readonly #edge: Edge;
  readonly #all = new Map<number, Consumer>();

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** The subscription has its place among the queue's consumers, unless it has ended meanwhile. */
  started(subscription: Subscription): void {
    const { session, number, source, receipt, from, ack } = subscription;
    if (subscription.phase === 'ended') this.#edge.portOf(source.actor).leave(source.actor, number);
    else {
      subscription.phase = 'live';
      const window = from?.[0] === 'consume' ? from[1] : prefetchDefault;
      const unsettled = new Unsettled(ack === 'client');
      this.#all.set(number, { subscription, window, pending: [], unsettled, written: [], waits: false });
    }
    subscription.receipt = null;
    session.receipt(receipt);
  }

  /** A message came. One for a consumer that has left comes back to its queue by itself. */
  delivered(message: DeliverMessage): void {
    const consumer = this.#all.get(message[1]);
    if (!consumer) return;
    const { session } = consumer.subscription;
    consumer.pending.push(message);
    session.pendingBytes += message[4][2].length;
    this.#writeOn(consumer);
    if (session.pendingBytes > pendingBytesMax) {
      session.end(CloseCode.tooSlow, 'too slow a reader of queues');
    }
  }

  /**
   * ACK and NACK.
   *
   * @throws Refusal for what the client does not hold.
   */
  acknowledge(subscription: Subscription, frame: Frame, delivery: number, commit: Commit | null): void {
    const consumer = this.#all.get(subscription.number);
    const isAcknowledged = frame.command === 'ACK';
    const settled = consumer?.unsettled.settle(delivery, isAcknowledged);
    if (!consumer || !settled) {
      throw new Refusal(
        'BAD_REQUEST',
        `There is no message to acknowledge as ${subscription.ackId(delivery)}.`,
      );
    }
    const { session, source } = subscription;
    const waiting = new FrameWaiting(session, source.shown, frame.headers.get('receipt'), commit);
    const held = settled.map(([, one]) => one);
    this.#settle(subscription, held, isAcknowledged, {
      answered: () => waiting.answered(),
      refused: (refusal) => {
        consumer.unsettled.restore(settled);
        waiting.refused(refusal);
      },
    });
  }

  /** A live subscription has ended: what it holds goes to others. */
  ended(subscription: Subscription): void {
    const { number, session, source } = subscription;
    const consumer = this.#all.get(number);
    if (!consumer) return;
    this.#settleWritten(consumer);
    this.#all.delete(number);
    for (const [, , , , message] of consumer.pending) session.pendingBytes -= message[2].length;
    this.#edge.portOf(source.actor).leave(source.actor, number);
  }

  /** A client that takes its leave takes no more messages, though its connection is still there. */
  endOf(session: Session): void {
    for (const subscription of [...(session.subscriptions?.values() ?? [])]) {
      if (subscription.source.type === 'queue') this.#edge.drop(subscription);
    }
  }

  /** The node drains: nothing more is written. */
  endAll(): void {
    for (const { subscription } of this.#all.values()) this.ended(subscription);
  }

  /** Those of actors that fit, with what they hold, for a shard that knows nothing of them. */
  *joins(fits: (actor: string) => boolean): Iterable<JoinMessage> {
    for (const { subscription, window, pending, unsettled } of this.#all.values()) {
      const { source, number } = subscription;
      if (!fits(source.actor)) continue;
      const held = [...pending.map(([, , one]) => one), ...unsettled.held()];
      yield [ToShard.join, source.actor, number, window, held];
    }
  }

  #writeOn(consumer: Consumer): void {
    if (consumer.waits) return;
    const { session } = consumer.subscription;
    const bytesMax = this.#edge.config.unreadBytesMax / 2;
    while (consumer.pending.length > 0 && session.phase !== 'closed') {
      if (session.connection.bufferedBytes > bytesMax) {
        consumer.waits = true;
        return session.backlog.whenRead(bytesMax, () => {
          consumer.waits = false;
          this.#writeOn(consumer);
        });
      }
      this.#write(consumer, consumer.pending.shift() as DeliverMessage);
    }
  }

  #write(consumer: Consumer, [, , held, redelivered, message]: DeliverMessage): void {
    const { subscription, unsettled, written } = consumer;
    const { session, source, ack } = subscription;
    session.pendingBytes -= message[2].length;
    if (ack !== 'auto') {
      subscription.delivered += 1;
      unsettled.add(subscription.delivered, held);
    } else {
      written.push(held);
      if (written.length === 1) queueMicrotask(() => this.#settleWritten(consumer));
    }
    const delivery = new Delivery(source.shown, null, message, held[0]);
    const own = { ack: ack === 'auto' ? null : subscription.ackId(), recovered: null, redelivered };
    session.write(subscription, delivery, own);
  }

  #settleWritten(consumer: Consumer): void {
    const { written, subscription } = consumer;
    if (written.length === 0) return;
    consumer.written = [];
    this.#settle(subscription, written, true, {
      answered: () => undefined,
      refused: () =>
        this.#edge.later(settleAgainMs, () => {
          if (!this.#all.has(subscription.number)) return;
          consumer.written.push(...written);
          this.#settleWritten(consumer);
        }),
    });
  }

  #settle({ source, number }: Subscription, held: readonly Held[], isAck: boolean, waiting: Waiting): void {
    this.#edge.portOf(source.actor).settle([source.actor, number, held, isAck], waiting);
  }
}
