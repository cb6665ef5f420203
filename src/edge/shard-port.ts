// An edge's side of one shard: what is asked and not answered yet, and what becomes of it when the shard dies.
import { overloaded, Refusal } from '../errors.ts';
import { Link, type LinkEnd } from '../link/link.ts';
import {
  ToEdge,
  ToShard,
  type AcknowledgeMessage,
  type AttachedMessage,
  type CommandMessage,
  type DeliverMessage,
  type JoinMessage,
  type DetachedMessage,
  type PublishMessage,
  type RevokeMessage,
  type SettleMessage,
  type SubscribedMessage,
  type ToEdgeMessage,
  type ToShardMessage,
} from '../link/messages.ts';
import { edgeCountsAlone, type EdgeCounts } from './edge-metrics.ts';
import type { Channel } from './fan-out.ts';
import type { Subscription } from './subscription.ts';

/** Someone who waits for a command's answer. */
export interface Waiting {
  /** @param cursor where to go on from when there is more to be asked; else null. */
  answered(body: Uint8Array | null, cursor: string | null): void;
  refused(refusal: Refusal): void;
}

/** What comes from a shard and answers no request. */
export interface ShardEvents {
  published(message: PublishMessage): void;
  subscribed(subscription: Subscription, message: SubscribedMessage): void;
  subscriptionRefused(subscription: Subscription, refusal: Refusal): void;
  revoked(message: RevokeMessage): void;
  attached(message: AttachedMessage): void;
  detached(message: DetachedMessage): void;
  delivered(message: DeliverMessage): void;
  /** The shard is gone: messages of it may be committed that nobody here was sent. */
  lost(): void;
}

export type CommandFields = Tail<CommandMessage>;

/** A command or an acknowledgement without its request number. */
export type Request =
  | { readonly op: typeof ToShard.command; readonly fields: CommandFields }
  | { readonly op: typeof ToShard.acknowledge; readonly fields: Tail<AcknowledgeMessage> };

/** A session that is tied to an actor. */
export interface Attachment {
  readonly actor: string;
  readonly session: string;
  readonly user: string;
}

type Tail<Message extends readonly unknown[]> = Message extends readonly [unknown, unknown, ...infer Rest]
  ? readonly [...Rest]
  : never;

interface Settling {
  readonly fields: Tail<SettleMessage>;
  readonly waiting: Waiting;
}

/** Subscriptions on their way to one shard, also those that ended meanwhile; one more is refused. */
const startingMax = 500_000;
const lost = 'The server lost this command before it was answered; it may have happened.';

export class ShardPort {
  readonly #events: ShardEvents;
  readonly #counts: EdgeCounts;
  readonly #waiting = new Map<number, Waiting>();
  /** Subscriptions that are not live yet; they are asked for again when the shard was lost. */
  readonly #starting = new Map<number, Subscription>();
  /** What consumers have settled. A shard that comes back is asked again: an acknowledgement is never lost on the way. */
  readonly #settling = new Map<number, Settling>();
  #link: Link<ToShardMessage, ToEdgeMessage> | null = null;
  #requests = 0;

  constructor(events: ShardEvents, counts = edgeCountsAlone()) {
    this.#events = events;
    this.#counts = counts;
  }

  get connected(): boolean {
    return this.#link !== null;
  }

  /** Whether everything asked was answered. */
  get idle(): boolean {
    return this.#waiting.size === 0 && (this.#settling.size === 0 || !this.#link);
  }

  /**
   * The shard is there (again). What is live goes on where this edge left off; what was starting is asked anew.
   *
   * @param channels this edge's live channels on the shard.
   * @param attachments of this edge's sessions to the shard's actors.
   */
  connect(
    end: LinkEnd,
    channels: Iterable<Channel>,
    attachments: Iterable<Attachment>,
    hasPatterns: boolean,
  ): void {
    // That the old one is gone may be heard only after the new one is there.
    if (this.#link) {
      this.close();
      this.#disconnected();
    }
    this.#link = new Link<ToShardMessage, ToEdgeMessage>(
      end,
      (message) => this.#receive(message),
      () => this.#disconnected(),
    );
    if (hasPatterns) this.#link.send([ToShard.wildcards, true], 0);
    for (const attachment of attachments) this.attach(attachment, true);
    for (const { source, subscriptions, epoch, seq } of channels) {
      const { actor, stream, destination, params } = source;
      const count = subscriptions.size;
      this.#link.send([ToShard.rejoin, actor, stream, destination, params, count, epoch, seq], 0);
    }
    for (const subscription of this.#starting.values()) this.#subscribe(subscription);
    for (const [request, { fields }] of this.#settling) {
      this.#link.send([ToShard.settle, request, ...fields], 0);
    }
  }

  /** Never refused here: what is settled is bounded by what was delivered. */
  settle(fields: Tail<SettleMessage>, waiting: Waiting): void {
    this.#requests += 1;
    this.#settling.set(this.#requests, { fields, waiting });
    this.#link?.send([ToShard.settle, this.#requests, ...fields], 0);
  }

  /** A consumer is there for a shard that knows nothing of it. */
  join(message: JoinMessage): void {
    this.#link?.send(message, 0);
  }

  /** All consumers are told. */
  joined(): void {
    this.#link?.send([ToShard.joined], 0);
  }

  /** The node drains. */
  retire(): void {
    this.#link?.send([ToShard.retire], 0);
  }

  leave(actor: string, subscription: number): void {
    this.#link?.send([ToShard.leave, actor, subscription], 0);
  }

  /** Sends a request, or refuses it at once when there is no shard or no room. */
  request(request: Request, waiting: Waiting): void {
    if (!this.#link) return this.#refuse(waiting, new Refusal('UNAVAILABLE', 'Try again in a moment.'));
    if (this.#link.full) {
      this.#counts.linkRefusals.add();
      return this.#refuse(waiting, overloaded());
    }
    this.#requests += 1;
    this.#waiting.set(this.#requests, waiting);
    if (request.op === ToShard.command) {
      this.#link.send([request.op, this.#requests, ...request.fields], request.fields[6].length);
    } else this.#link.send([request.op, this.#requests, ...request.fields], 0);
  }

  /** Asks for the start of a subscription, or for the next page of it, or refuses it when there is no room. */
  subscribe(subscription: Subscription): void {
    if (this.#link?.full || this.#starting.size >= startingMax) {
      this.#counts.linkRefusals.add();
      return this.#events.subscriptionRefused(subscription, overloaded());
    }
    this.#starting.set(subscription.number, subscription);
    this.#subscribe(subscription);
  }

  /** A live subscription is gone. */
  unsubscribe({ source }: Subscription): void {
    this.#link?.send([ToShard.unsubscribe, source.actor, source.destination], 0);
  }

  /** Without a shard it is told nothing: the next one is told of all that is attached. */
  attach({ actor, session, user }: Attachment, isAgain: boolean): void {
    this.#link?.send([ToShard.attach, actor, session, user, isAgain], 0);
  }

  detach(actor: string, session: string): void {
    this.#link?.send([ToShard.detach, actor, session], 0);
  }

  /** Asks for every plain message of the shard; a shard that comes back is asked by itself. */
  wantWildcards(waiting: Waiting): void {
    if (!this.#link) return waiting.answered(null, null);
    this.#requests += 1;
    this.#waiting.set(this.#requests, waiting);
    this.#link.send([ToShard.wildcards, true, this.#requests], 0);
  }

  endWildcards(): void {
    this.#link?.send([ToShard.wildcards, false], 0);
  }

  close(): void {
    this.#link?.close();
    this.#link = null;
  }

  #subscribe({ number, source, session, from, epoch, delivered }: Subscription): void {
    if (!this.#link) return;
    const { actor, stream, destination, params } = source;
    const start = [number, actor, stream, destination, session.asker, params] as const;
    // A page was delivered already: what is asked for comes after it.
    if (epoch === null) this.#link.send([ToShard.subscribe, ...start, from], 0);
    else this.#link.send([ToShard.replay, ...start, epoch, delivered], 0);
  }

  #receive(message: ToEdgeMessage): void {
    switch (message[0]) {
      case ToEdge.publish:
        return this.#events.published(message);
      case ToEdge.reply:
        // A part of an answer is not its end.
        if (message[3] === undefined) this.#counts.commands.ok.add();
        return this.#take(message[1])?.answered(message[2], message[3] ?? null);
      case ToEdge.refuse:
        return this.#refuse(this.#take(message[1]), new Refusal(message[2], message[3], message[4]));
      case ToEdge.subscribed: {
        const subscription = this.#starting.get(message[1]);
        if (!subscription) return;
        this.#starting.delete(message[1]);
        return this.#events.subscribed(subscription, message);
      }
      case ToEdge.refuseSubscription: {
        const subscription = this.#starting.get(message[1]);
        if (!subscription) return;
        this.#starting.delete(message[1]);
        const refusal = new Refusal(message[2], message[3], message[4]);
        return this.#events.subscriptionRefused(subscription, refusal);
      }
      case ToEdge.revoke:
        return this.#events.revoked(message);
      case ToEdge.attached:
        return this.#events.attached(message);
      case ToEdge.detached:
        return this.#events.detached(message);
      case ToEdge.deliver:
        return this.#events.delivered(message);
    }
  }

  #take(request: number): Waiting | undefined {
    const waiting = this.#waiting.get(request) ?? this.#settling.get(request)?.waiting;
    this.#waiting.delete(request);
    this.#settling.delete(request);
    return waiting;
  }

  #refuse(waiting: Waiting | undefined, refusal: Refusal): void {
    this.#counts.commands[refusal.code].add();
    waiting?.refused(refusal);
  }

  #disconnected(): void {
    this.#link = null;
    // The places of conflated streams are those of the shard that is gone.
    for (const one of this.#starting.values()) if (one.from?.[0] === 'since') one.from = ['since', 0];
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#events.lost();
    for (const one of waiting) this.#refuse(one, new Refusal('UNAVAILABLE', lost));
  }
}
