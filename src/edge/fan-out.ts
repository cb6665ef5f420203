// Fan-out: one frame per group of subscriptions that differ in nothing, published once. Client libraries number
// their subscriptions alike, so a destination has few groups, however many subscribers.
import type { StreamMessage } from '../link/messages.ts';
import type { Encoding, Groups } from './connection.ts';
import { edgeCountsAlone, type EdgeCounts } from './edge-metrics.ts';
import { PatternIndex } from './destination-pattern.ts';
import { messageFrame as sockjsFrame } from './sockjs/frames.ts';
import { messageBlock, messageFrame } from './stomp/encoder.ts';
import type { Header, StompVersion } from './stomp/frame.ts';
import { isWildcard, type Source, type Subscription } from './subscription.ts';

/** What decides about the bytes of a frame. */
interface Format {
  readonly version: StompVersion;
  readonly encoding: Encoding;
}

interface Group extends Format {
  /** Name of the transport's group. */
  readonly name: string;
  readonly subscriptionId: string;
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

/** A message on its way to subscribers: encoded at most once per format. */
export class Delivery {
  readonly message: StreamMessage;
  readonly #destination: string;
  readonly #epoch: string | null;
  readonly #id: string;
  readonly #blocks = new Map<string, Uint8Array>();

  constructor(destination: string, epoch: string | null, id: string, message: StreamMessage) {
    this.#destination = destination;
    this.#epoch = epoch;
    this.#id = id;
    this.message = message;
  }

  /** The frame as STOMP; where the encoding has only text it is that. */
  frame({ version, encoding }: Format, subscriptionId: string, own?: readonly Header[]): Uint8Array {
    const asIs = encoding === 'plain' || this.message[3];
    const name = asIs ? version : `${version} text`;
    let block = this.#blocks.get(name);
    if (!block) this.#blocks.set(name, (block = this.#encode(version, asIs)));
    return messageFrame(version, subscriptionId, block, own);
  }

  /** @param asIs the body stays what it is; else what is no UTF-8 in it becomes U+FFFD. */
  #encode(version: StompVersion, asIs: boolean): Uint8Array {
    const [seq, headers, bytes] = this.message;
    const body = asIs ? bytes : Buffer.from(Buffer.from(bytes).toString());
    const all: Header[] = [
      ['destination', this.#destination],
      ['message-id', this.#id],
    ];
    if (this.#epoch !== null) all.push(['seq', String(seq)], ['epoch', this.#epoch]);
    if (headers === null) all.push(['content-type', 'application/json']);
    else all.push(...Object.entries(headers));
    return messageBlock(version, all, body);
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
    // An id names a message of a stream for good; what is volatile gets one that is never used again here.
    const id = epoch === null ? this.#volatileId() : `${epoch}-${message[0]}`;
    return new Delivery(shown, epoch, id, message);
  }

  /** Says where a stream stands; its id is not that of the message at that place. */
  notice(shown: string, epoch: string | null, message: StreamMessage): Delivery {
    return new Delivery(shown, epoch, this.#volatileId(), message);
  }

  #volatileId(): string {
    this.#volatileCount += 1;
    return `v-${this.#volatileCount}`;
  }

  #deliver(channel: Channel, delivery: Delivery): void {
    for (const group of channel.groups.values()) {
      const stomp = delivery.frame(group, group.subscriptionId);
      const isSockjs = group.encoding === 'sockjs';
      const frame = isSockjs ? sockjsFrame(stomp) : stomp;
      this.#groups.publish(group.name, frame, isSockjs || delivery.message[3]);
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
        version: session.version,
        encoding: session.encoding,
        subscriptionId: id,
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

function groupName({ version, encoding }: Format, subscriptionId: string): string {
  return `${version} ${encoding} ${subscriptionId}`;
}
