// What crosses the link between an edge and a shard. Tuples, since a packed array is the cheapest to cross;
// every message starts with its operation. Bodies stay bytes: the actor's thread decodes them.
import type { ErrorCode } from '../errors.ts';

export type Headers = Readonly<Record<string, string>>;

/** Who asks. */
export type Asker = readonly [user: string, roles: readonly string[]];

/** Where a subscription starts: live only, after a known message, or where a durable name was acknowledged. */
export type From =
  | null
  | readonly [kind: 'resume', epoch: string, seq: number]
  /** A `resume` header that can't be read: it can't be answered either. */
  | readonly [kind: 'lost']
  | readonly [kind: 'durable', name: string];

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

export type ToShardMessage =
  | CommandMessage
  | SubscribeMessage
  | ReplayMessage
  | UnsubscribeMessage
  | AcknowledgeMessage
  | WildcardsMessage
  | RejoinMessage;

export const ToEdge = {
  reply: 1,
  refuse: 2,
  publish: 3,
  subscribed: 4,
  refuseSubscription: 5,
  revoke: 6,
} as const;

/** The command's effect is durable. `body` is for a REST caller, or empty. */
export type ReplyMessage = readonly [op: typeof ToEdge.reply, request: number, body: Uint8Array | null];

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
 * A page of what a subscription starts with. When `live`, it has now seen all up to `head` and every later
 * message of the destination follows as `publish`; otherwise the edge asks on with `replay`.
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

export type ToEdgeMessage =
  | ReplyMessage
  | RefusalMessage
  | PublishMessage
  | SubscribedMessage
  | RefuseSubscriptionMessage
  | RevokeMessage;
