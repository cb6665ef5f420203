// Fan-out: one frame per group of subscriptions that differ in nothing, published once. Client libraries number
// their subscriptions alike, so a destination has few groups, however many subscribers.
import type { StreamMessage } from '../link/messages.ts';
import type { Encoding, Groups } from './connection.ts';
import { edgeCountsAlone, type EdgeCounts } from './edge-metrics.ts';
import { PatternIndex } from './destination-pattern.ts';
import { Delivery, type MessageId } from './delivery.ts';
import type { Addressee, Dialect } from './dialect.ts';
import type { Session } from './session.ts';
import { messageFrame as sockjsFrame } from './sockjs/frames.ts';
import { isWildcard, type Source, type Subscription } from './subscription.ts';

interface Group extends Addressee {
  /** Name of the transport's group. */
  readonly name: string;
  readonly dialect: Dialect;
  readonly encoding: Encoding;
  size: number;
}

/** The live subscriptions of one destination (or wildcard pattern) on this edge. */
export class Channel {
  readonly source: Source;
  readonly subscriptions = new Set<Subscription>();
  readonly groups = new Map<string, Group>();
  /** Those that need a frame of their own. */
  readonly individual = new Set<Subscription>();
  /**
   * The last message published, so that a shard that was started again knows what this edge has seen; in a conflated
   * stream, which has no epoch, a place that every subscription has seen.
   */
  epoch: string | null = null;
  seq = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** A subscription that has seen all up to there has gone live. */
  startedAt(epoch: string | null, seq: number): void {
    // A conflated start may be ahead of what was published to the others.
    this.seq = epoch === null && this.subscriptions.size > 1 ? Math.min(this.seq, seq) : seq;
    this.epoch = epoch;
  }
}

export class FanOut {
  readonly #groups: Groups;
  readonly #counts: EdgeCounts;
  readonly #channels = new Map<string, Channel>();
  readonly #patterns = new PatternIndex<Channel>();
  readonly #onBytes: (bytes: number) => void;
  #groupCount = 0;
  #volatileCount = 0;
  #patternCount = 0;

  /** @param onBytes told how many bytes a publish may have added to any one connection. */
  constructor(groups: Groups, onBytes: (bytes: number) => void, counts = edgeCountsAlone()) {
    this.#groups = groups;
    this.#counts = counts;
    this.#onBytes = onBytes;
  }

  get hasPatterns(): boolean {
    return this.#patternCount > 0;
  }

  channel(destination: string): Channel | undefined {
    return this.#channels.get(destination);
  }

  channels(): Iterable<Channel> {
    return this.#channels.values();
  }

  /** From now on the subscription gets what is published. */
  add(subscription: Subscription): Channel {
    const { source } = subscription;
    let channel = this.#channels.get(source.destination);
    if (!channel) {
      channel = new Channel(source);
      this.#channels.set(source.destination, channel);
      if (isWildcard(source)) {
        this.#patterns.add(source.destination, channel);
        this.#patternCount += 1;
      }
    }
    channel.subscriptions.add(subscription);
    if (subscription.shares) this.#join(channel, subscription);
    else channel.individual.add(subscription);
    return channel;
  }

  /** `connected` is false when the connection has left its groups by closing. */
  remove(subscription: Subscription, connected: boolean): void {
    const { destination } = subscription.source;
    const channel = this.#channels.get(destination);
    if (!channel?.subscriptions.delete(subscription)) return;
    if (!channel.individual.delete(subscription)) this.#leave(channel, subscription, connected);
    if (channel.subscriptions.size > 0) return;
    this.#channels.delete(destination);
    if (isWildcard(channel.source)) {
      this.#patterns.remove(destination, channel);
      this.#patternCount -= 1;
    }
  }

  /** Live subscriptions of one user, for a destination it may no longer see. */
  subscriptionsOf(destination: string, user: string): Subscription[] {
    const all = this.#channels.get(destination)?.subscriptions ?? [];
    return [...all].filter(({ session }) => session.user === user);
  }

  publish(destination: string, epoch: string | null, message: StreamMessage, plain: boolean): void {
    const channel = this.#channels.get(destination);
    const patterns = plain && this.#patternCount > 0 ? this.#patterns.match(destination) : [];
    // A SEND may be to what looks like a pattern; subscribers of the pattern are among its matches.
    if (channel && !isWildcard(channel.source)) {
      channel.epoch = epoch;
      channel.seq = message[0];
      const delivery = this.delivery(channel.source.shown, epoch, message);
      this.#deliver(channel, delivery);
      for (const pattern of patterns) this.#deliver(pattern, delivery);
      return;
    }
    let delivery: Delivery | undefined;
    for (const pattern of patterns) {
      delivery ??= this.delivery(destination, epoch, message);
      this.#deliver(pattern, delivery);
    }
  }

  delivery(shown: string, epoch: string | null, message: StreamMessage): Delivery {
    const id = epoch === null ? this.#volatileNumber() : null;
    return new Delivery(shown, epoch, message, id);
  }

  /** Says where a stream stands; its id is not that of the message at that place. */
  notice(shown: string, epoch: string | null, message: StreamMessage): Delivery {
    const number = this.#volatileNumber();
    const id: MessageId = epoch === null ? number : `v-${number}`;
    return new Delivery(shown, epoch, message, id);
  }

  #volatileNumber(): number {
    this.#volatileCount += 1;
    return this.#volatileCount;
  }

  #deliver(channel: Channel, delivery: Delivery): void {
    for (const group of channel.groups.values()) {
      const { dialect } = group;
      const plain = delivery.frame(dialect, group, null);
      const isSockjs = group.encoding === 'sockjs';
      const frame = isSockjs ? sockjsFrame(plain) : plain;
      this.#groups.publish(group.name, frame, dialect.isText && (isSockjs || delivery.message[3]));
      this.#counts.deliveries.add(group.size);
      this.#counts.framesOut.add(group.size);
      this.#counts.bytesOut.add(group.size * frame.length);
      this.#onBytes(frame.length);
    }
    if (channel.individual.size > 0) this.#deliverIndividually(channel, delivery);
  }

  #deliverIndividually(channel: Channel, delivery: Delivery): void {
    for (const subscription of channel.individual) {
      subscription.session.deliver(subscription, delivery);
      if (subscription.phase === 'live' && subscription.shares) {
        channel.individual.delete(subscription);
        this.#join(channel, subscription);
      }
    }
  }

  #join(channel: Channel, { session, id }: Subscription): void {
    const name = groupName(session, id);
    let group = channel.groups.get(name);
    if (!group) {
      this.#groupCount += 1;
      group = {
        name: this.#groupCount.toString(36),
        dialect: session.dialect,
        encoding: session.connection.encoding,
        id,
        isPattern: isWildcard(channel.source),
        size: 0,
      };
      channel.groups.set(name, group);
    }
    group.size += 1;
    session.connection.join(group.name);
  }

  #leave(channel: Channel, { session, id }: Subscription, connected: boolean): void {
    const name = groupName(session, id);
    const group = channel.groups.get(name);
    if (!group) return;
    group.size -= 1;
    if (group.size === 0) channel.groups.delete(name);
    if (connected) session.connection.leave(group.name);
  }
}

function groupName({ dialect }: Session, id: string): string {
  return `${dialect.key} ${id}`;
}
