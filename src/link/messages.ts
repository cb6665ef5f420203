// What crosses the link between an edge and a shard. Tuples, since a packed array is the cheapest to cross;
// every message starts with its operation. Bodies stay bytes: the actor's thread decodes them.
import type { ErrorCode } from '../errors.ts';

export type Headers = Readonly<Record<string, string>>;

/** Who asks, and by which session; no session for REST, timers and other actors. */
export type Asker = readonly [user: string, roles: readonly string[], session?: string];

/** Where a subscription starts: live only, after a known message, or where a durable name was acknowledged. */
export type From =
  | null
  | readonly [kind: 'resume', epoch: string, seq: number]
  /** A `resume` header that can't be read: it can't be answered either. */
  | readonly [kind: 'lost']
  /** A conflated stream goes on: what has changed since that place of its own count, once each. */
  | readonly [kind: 'since', upto: number]
  | readonly [kind: 'durable', name: string]
  /** Of a queue: as one of its consumers, which holds at most so many messages unacknowledged. */
  | readonly [kind: 'consume', window: number];

/** What a queue must know of a message that a consumer holds, should its own memory be gone. */
export type Held = readonly [id: string, position: number, tries: number, bytes: number];

/** Values of the placeholders of a route other than the actor's id, and of a query string. */
export type Params = Readonly<Record<string, string>>;

export const ToShard = {
  command: 1,
  subscribe: 2,
  replay: 3,
  unsubscribe: 4,
  acknowledge: 5,
  wildcards: 6,
  rejoin: 7,
  tell: 8,
  relay: 9,
  feed: 10,
  attach: 11,
  detach: 12,
  settle: 13,
  leave: 14,
  join: 15,
  joined: 16,
  retire: 17,
} as const;

/** A command for an actor; answered by `reply` or `refuse` with the same request number. */
export type CommandMessage = readonly [
  op: typeof ToShard.command,
  request: number,
  actor: string,
  command: string,
  asker: Asker,
  params: Params | null,
  idempotencyKey: string | null,
  headers: Headers | null,
  body: Uint8Array,
  isText: boolean,
];

/** Answered by `subscribed` pages until one says `live`, or by `refuseSubscription`. */
export type SubscribeMessage = readonly [
  op: typeof ToShard.subscribe,
  subscription: number,
  actor: string,
  stream: string,
  destination: string,
  asker: Asker,
  params: Params | null,
  from: From,
];

/** Asks for the next page of a replay; answered like `subscribe`. */
export type ReplayMessage = readonly [
  op: typeof ToShard.replay,
  subscription: number,
  actor: string,
  stream: string,
  destination: string,
  asker: Asker,
  params: Params | null,
  epoch: string,
  after: number,
];

/** One live subscription of the destination on this edge is gone. */
export type UnsubscribeMessage = readonly [
  op: typeof ToShard.unsubscribe,
  actor: string,
  destination: string,
];

/** Keeps the position of a durable name; answered by `reply` or `refuse`. */
export type AcknowledgeMessage = readonly [
  op: typeof ToShard.acknowledge,
  request: number,
  actor: string,
  destination: string,
  asker: Asker,
  name: string,
  epoch: string,
  seq: number,
];

/**
 * Whether this edge has wildcard subscriptions and so must see every plain topic's messages; answered by `reply`
 * when there is a request number.
 */
export type WildcardsMessage = readonly [op: typeof ToShard.wildcards, wanted: boolean, request?: number];

/**
 * After a shard was started again: this edge has `count` live subscriptions of the destination, which have seen
 * all up to `after` of `epoch` (epoch is null where nothing is kept). What came later is published to this edge.
 */
export type RejoinMessage = readonly [
  op: typeof ToShard.rejoin,
  actor: string,
  stream: string,
  destination: string,
  params: Params | null,
  count: number,
  epoch: string | null,
  after: number,
];

/** From one actor to another, not answered. */
export type TellMessage = readonly [
  op: typeof ToShard.tell,
  actor: string,
  command: string,
  body: Uint8Array,
];

/** From any actor to the subscribers of a volatile destination of another one, without a turn of that. */
export type RelayMessage = readonly [
  op: typeof ToShard.relay,
  actor: string,
  destination: string,
  message: StreamMessage,
];

/** Others have appended to a stream of the actor. */
export type FeedMessage = readonly [op: typeof ToShard.feed, actor: string, stream: string];

/** A session is there, for an actor of a kind that wants to know of its user's sessions; or again, for a new shard. */
export type AttachMessage = readonly [
  op: typeof ToShard.attach,
  actor: string,
  session: string,
  user: string,
  isAgain: boolean,
];

/** A session that was attached to the actor is gone. */
export type DetachMessage = readonly [op: typeof ToShard.detach, actor: string, session: string];

/**
 * A consumer acknowledges what it holds, or gives it back; answered by `reply` or `refuse`. Asked again of a new shard
 * when there was no answer: what is settled already stays so.
 */
export type SettleMessage = readonly [
  op: typeof ToShard.settle,
  request: number,
  actor: string,
  subscription: number,
  held: readonly Held[],
  isAcknowledged: boolean,
];

/** A consumer is gone: what it holds goes to others. */
export type LeaveMessage = readonly [op: typeof ToShard.leave, actor: string, subscription: number];

/** After a shard was started again: this edge has this consumer, and it holds this. */
export type JoinMessage = readonly [
  op: typeof ToShard.join,
  actor: string,
  subscription: number,
  window: number,
  held: readonly Held[],
];

/** This edge has said all that it has: before all edges have, nobody knows which messages of queues are held. */
export type JoinedMessage = readonly [op: typeof ToShard.joined];

/**
 * The node drains: all consumers leave at once, of all edges, and nothing is handed out any more. One after another they
 * would hand each other what they hold, until it is a dead letter.
 */
export type RetireMessage = readonly [op: typeof ToShard.retire];

/** What shards send each other. */
export type ToPeerMessage = TellMessage | RelayMessage | FeedMessage;

export type ToShardMessage =
  | CommandMessage
  | SubscribeMessage
  | ReplayMessage
  | UnsubscribeMessage
  | AcknowledgeMessage
  | WildcardsMessage
  | RejoinMessage
  | ToPeerMessage
  | AttachMessage
  | DetachMessage
  | SettleMessage
  | LeaveMessage
  | JoinMessage
  | JoinedMessage
  | RetireMessage;

export const ToEdge = {
  reply: 1,
  refuse: 2,
  publish: 3,
  subscribed: 4,
  refuseSubscription: 5,
  revoke: 6,
  attached: 7,
  detached: 8,
  deliver: 9,
} as const;

/**
 * The command's effect is durable. `body` is for a REST caller or a subscription to the answer, or empty. With a
 * cursor there is more: the same command is to be asked again, with the cursor as parameter `cursor`, when the client
 * has read what it got.
 */
export type ReplyMessage = readonly [
  op: typeof ToEdge.reply,
  request: number,
  body: Uint8Array | null,
  cursor?: string,
];

export type RefusalMessage = readonly [
  op: typeof ToEdge.refuse,
  request: number,
  code: ErrorCode,
  message: string,
  detail: Readonly<Record<string, string | number>>,
];

/**
 * One message of a stream. `seq` is 0 where the stream keeps no history; headers are null for JSON that the server
 * made, and what the sender gave where a body is passed on.
 */
export type StreamMessage = readonly [
  seq: number,
  headers: Headers | null,
  body: Uint8Array,
  isText: boolean,
];

/** For every live subscription of the destination on this edge. `plain`: wildcards see it too. */
export type PublishMessage = readonly [
  op: typeof ToEdge.publish,
  destination: string,
  epoch: string | null,
  message: StreamMessage,
  plain: boolean,
];

/** How the start of a subscription was found: no resume asked, answered in full, or not. */
export type Recovered = true | false | null;

/**
 * A page of what a subscription starts with. Of a stream that keeps no history, and with `recovered` false, it is the
 * present state. When `live`, the subscription has now seen all up to `head`, and every later message of the destination
 * follows as `publish`; otherwise the edge asks on.
 */
export type SubscribedMessage = readonly [
  op: typeof ToEdge.subscribed,
  subscription: number,
  live: boolean,
  recovered: Recovered,
  epoch: string | null,
  head: number,
  page: readonly StreamMessage[],
];

export type RefuseSubscriptionMessage = readonly [
  op: typeof ToEdge.refuseSubscription,
  subscription: number,
  code: ErrorCode,
  message: string,
  detail: Readonly<Record<string, string | number>>,
];

/** The user may see the destination no longer: its subscriptions on this edge end with FORBIDDEN. */
export type RevokeMessage = readonly [op: typeof ToEdge.revoke, destination: string, user: string];

/** The actor holds something for this session: it is to be told by `detach` when the session ends. */
export type AttachedMessage = readonly [op: typeof ToEdge.attached, session: string, actor: string];

/** Nothing is held for the session any more. */
export type DetachedMessage = readonly [op: typeof ToEdge.detached, session: string, actor: string];

/** A message of a queue for this one consumer, which holds it until it is settled or the consumer leaves. */
export type DeliverMessage = readonly [
  op: typeof ToEdge.deliver,
  subscription: number,
  held: Held,
  /** Whether it may have been delivered before. */
  redelivered: boolean,
  message: StreamMessage,
];

export type ToEdgeMessage =
  | ReplyMessage
  | RefusalMessage
  | PublishMessage
  | SubscribedMessage
  | RefuseSubscriptionMessage
  | RevokeMessage
  | AttachedMessage
  | DetachedMessage
  | DeliverMessage;
