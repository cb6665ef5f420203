// The contract of an actor kind: what its author writes, and what the runtime gives. A kind is one file in
// src/actors/kinds and one line in src/actors/kinds.ts.
import type { ZodObject, ZodType } from 'zod';
import type { Headers, Held, Params, StreamMessage } from '../link/messages.ts';
import type { SharedChange } from '../storage/shared.ts';
import type { Query, QueryName, Rows, Write } from '../storage/storage.ts';
import type { Body, Decoder } from './body.ts';
import type { IdSource } from './route.ts';
import type { LoadSource, Source } from './source.ts';
import type { LoadedRows, StateSnapshot } from './state-snapshot.ts';

export type { KindSettings, LoadSource, Source } from './source.ts';

export type { Held } from '../link/messages.ts';

/** The life of a stream and the messages of it that are kept: `oldest`..`newest`, none when newest is 0. */
export interface Head {
  readonly epoch: string;
  readonly oldest: number;
  readonly newest: number;
}

export interface PublishOptions {
  /**
   * The message's place in a stream that keeps history: one more than the last. In a conflated stream the place that
   * `present` counts by.
   */
  readonly seq?: number;
  readonly headers?: Headers | null;
  /** Values for the stream's placeholders other than `{id}`. */
  readonly params?: Params;
}

/** A message for one consumer. */
export interface Delivery {
  /** The consumer's key. */
  readonly consumer: string;
  readonly held: Held;
  /** Whether it may have been delivered before. */
  readonly redelivered: boolean;
  readonly headers: Headers | null;
  readonly body: Body;
}

/**
 * One turn's view of the world. Every verb only enqueues: nothing leaves before the writes of this turn and of all
 * earlier turns of the actor are committed, and nothing at all when the turn throws.
 */
export interface Context extends Source {
  /** The actor's id, as in `kind/id`. */
  readonly id: string;
  /** Who asks; empty in a timer's turn. */
  readonly user: string;
  readonly roles: readonly string[];
  /** The client session that asks; empty for REST, timers and other actors. */
  readonly session: string;
  /** Placeholders of the route other than the id, and query parameters. */
  readonly params: Params;
  write(write: Write): void;
  /** The answer to a REST caller, as JSON. A SEND is answered by its RECEIPT alone. */
  reply(value: unknown): void;
  /** To every subscriber of one of the actor's streams. */
  publish(stream: string, body: Body, options?: PublishOptions): void;
  /** Ends this user's subscriptions of a stream: it may no longer see it. */
  revoke(stream: string, user: string): void;
  /** Runs the kind's timer of that name once, `delayMs` from now; again replaces. Lost when the actor reloads. */
  after(delayMs: number, timer: string): void;
  /**
   * A command of another actor (or of this one, in a turn of its own), with a JSON body. Not answered, and lost when
   * a shard dies on the way: what must not be lost is written first and found again from there.
   */
  send(kind: string, id: string, command: string, body: unknown): void;
  /** A message to one consumer, which holds it from now on. */
  deliver(delivery: Delivery): void;
  /** A volatile message to all sessions of a user that subscribe to `/user/queue/{queue}`. */
  push(user: string, queue: string, body: Body): void;
  /**
   * Tells other nodes something, where there is a Redis; a hint that may be lost. What it says of sessions and trackings
   * is told also when the turn's writes are lost, as ties are no rows.
   */
  share(change: SharedChange): void;
  /** Tells the owner of a stream that this turn has appended to it; see `StreamLog.advance`. */
  feed(kind: string, id: string, stream: string): void;
  /** Ties the asking session to this actor until it ends or `detach` is called. Without a session nothing happens. */
  attach(): void;
  detach(): void;
  /** Sessions tied to this actor, and whose they are. */
  readonly attached: ReadonlyMap<string, string>;
  /** Whether anyone subscribes to one of the actor's streams: what nobody gets need not be made. */
  hasSubscribers(stream: string, params?: Params): boolean;
  /**
   * There is more than this turn has sent: the command comes again, with `cursor` among its params, when the client
   * has read that. So a long answer needs no bound but that of a page.
   */
  more(cursor: string): void;
}

/** How a stream's history is found, so that a subscription can start in the past. */
export interface StreamLog<State> {
  head(state: State): Head;
  /** The messages with `seq > after`, oldest first. */
  after(id: string, after: number, limit: number): Query;
  /** A row of that query as a message. */
  message(row: never): StreamMessage;
  /** Makes the epoch durable where a stream without messages has not stored it yet. */
  keep?(state: State, ctx: Context): void;
  /**
   * Present when other actors append to the stream (`append` and `ctx.feed`): the runtime publishes what is found
   * beyond the head, in order, and hands each row over, which moves the head. A row may come twice.
   */
  advance?(state: State, row: never): void;
}

/** What a volatile stream has to say at once to whoever subscribes. */
export interface Present {
  readonly bodies: readonly Body[];
  /** The place in the stream's own count that these reach; 0 where it counts nothing. */
  readonly upto: number;
  /** Whether this is all; otherwise `present` is asked again from `upto` on when the client has read it. */
  readonly isWhole: boolean;
}

export interface Stream<State> {
  /** Where clients subscribe: `/topic/room.{id}`. */
  readonly destination: string;
  /** Any signed-in client may SEND to it, and wildcards show it. */
  readonly plain?: boolean;
  /** Throws a Refusal when the asking user may not subscribe. */
  admit?(state: State, ctx: Context): void;
  /** Present when messages have `seq` and can be resumed. */
  readonly log?: StreamLog<State>;
  /**
   * The state as messages: what a subscription of a volatile stream starts with, and what one is sent whose gap can't
   * be filled. `after` is 0 or the place that a conflated subscription has seen. The turn's sends count, its writes too.
   */
  present?(state: State, ctx: Context, after: number): Present;
  /**
   * A subscriber that reads too slowly is left out, and gets `present` from where it was when it has read on. For
   * streams whose older messages are worth nothing.
   */
  readonly conflated?: boolean;
}

interface Doors {
  /**
   * `SEND /app/chat.send/{id}` or `GET /api/rooms/{id}`; more than one door is allowed. `SUBSCRIBE /app/doc.open/{id}`
   * is answered by one MESSAGE. Without a door only other actors can ask.
   */
  readonly routes: readonly string[];
  /** `path` unless given. */
  readonly id?: IdSource;
  /** HTTP status of success; 200 unless given. */
  readonly status?: number;
  /** Who asks must have one of these; an `admin` may do what any role may. */
  readonly roles?: readonly string[];
  /** What it does, in one line, for those who read the description of the REST interface. */
  readonly about?: string;
  /** Shape of the answer, for the same. */
  readonly answer?: ZodType;
  /** Query parameters, each a text; others are ignored. */
  readonly parameters?: ZodObject;
  /** Largest body over REST; 1 MiB unless given. */
  readonly bodyBytesMax?: number;
  /** Takes a stream of JSON lines over REST too: it comes as several commands, each a JSON list. */
  readonly takesLines?: boolean;
}

export interface Command<State> extends Doors {
  readonly decode: Decoder<unknown>;
  /** A key under which a repeat of the command has no second effect, where the body carries one. */
  idempotencyKey?(body: never): string | undefined;
  /** Rows the turn needs and the state does not hold. Read after the actor's earlier writes are committed. */
  query?(state: State, body: never, ctx: Context): Query | undefined;
  /**
   * The turn. Synchronous: a promise is a type error. Throws a Refusal before it has changed the state; whatever
   * else it throws is a fault, and the actor is loaded again from what is committed.
   */
  receive(state: State, body: never, ctx: Context, rows: never): undefined;
}

/** A subscription that gets messages for itself alone. */
export interface Consumer {
  /** Names it among the actor's consumers; never used again. */
  readonly key: string;
  /** Messages that it may hold unacknowledged. */
  readonly window: number;
  /** What it holds, by id. */
  readonly held: ReadonlyMap<string, Held>;
}

/** A consumer has acknowledged what it held, or gives it back. */
export interface Settlement {
  readonly consumer: string;
  readonly held: readonly Held[];
  readonly isAcknowledged: boolean;
}

/**
 * Shares messages out among the subscribers of the kind's streams, each to one alone. The runtime keeps who they are and
 * what they hold, since they outlive a reload: the state learns of them by `joined`, before any other turn.
 */
export interface Consumers<State> {
  /** One is there from now on, or after a load all that are there; some may be known already. */
  joined(state: State, ctx: Context, consumers: readonly Consumer[]): undefined;
  /** They are gone, all at once; what they held is nobody's. */
  left(state: State, ctx: Context, consumers: readonly string[]): undefined;
  /** Of a consumer that the state does not know where its shard is a new one. */
  settled(state: State, ctx: Context, settlement: Settlement): undefined;
  /** Rows that memory lacks, asked for after each turn; read while the actor takes no turn, and given to `took`. */
  wants(state: State, id: string): Query | null;
  took(state: State, ctx: Context, query: Query, rows: readonly never[]): undefined;
}

export interface Kind<State = never> {
  /** The first half of `kind/id`. */
  readonly name: string;
  /**
   * Rows an actor starts from.
   *
   * @param before where snapshots among the rows must lie below: Infinity, or where one lies that `start` found worthless.
   */
  load(id: string, before: number): Readonly<Record<string, Query>>;
  /**
   * The state those rows stand for. A missing thing is a state too: its commands refuse with NOT_FOUND.
   *
   * @throws Worthless when a snapshot among the rows is.
   */
  start(id: string, rows: never, source: LoadSource): State;
  /** Present where a load takes less with a snapshot. */
  readonly snapshot?: StateSnapshot<State>;
  readonly streams: Readonly<Record<string, Stream<State>>>;
  readonly commands: Readonly<Record<string, Command<State>>>;
  readonly timers?: Readonly<Record<string, (state: State, ctx: Context) => undefined>>;
  /** Fields added to every refusal of a command, such as `roomId`; `now` is when it was refused. */
  refusalDetail?(id: string, now: number): Readonly<Record<string, string>>;
  /** Every session is attached to the actor with its user's name as id, from its CONNECT on. */
  readonly attachesSessions?: boolean;
  /** The turn after `ctx.attached` has changed from outside: a session came, or has ended. */
  attachments?(state: State, ctx: Context, change: AttachmentChange): undefined;
  /** The last turn before the node ends, of an actor that is in memory. */
  drain?(state: State, ctx: Context): undefined;
  /**
   * Present where messages go to one subscriber alone. Other actors that have put messages there say so with
   * `ctx.feed`: then the actor is loaded again.
   */
  readonly consumers?: Consumers<State>;
}

/** A session tied to an actor, and whose it is. */
export interface Attached {
  readonly session: string;
  readonly user: string;
}

/**
 * What has become of a tie: `isAgain` when its shard is a new one, and it was there before or a subscription of the
 * actor was: then others may have ended without a word.
 */
export interface AttachmentChange {
  readonly came: Attached | null;
  readonly gone: Attached | null;
  readonly isAgain: boolean;
}

/** A kind of any state, as the runtime holds it. */
export type AnyKind = Kind;

interface CommandOptions<State, Value, Name extends QueryName> extends Doors {
  decode: Decoder<Value>;
  idempotencyKey?(body: Value): string | undefined;
  query?(state: State, body: Value, ctx: Context): Query<Name> | undefined;
  receive(state: State, body: Value, ctx: Context, rows: Rows<Name>): undefined;
}

/** Types one command: the body as its decoder makes it, the rows as its query gives them. */
export function command<State, Value, Name extends QueryName = never>(
  options: CommandOptions<State, Value, Name>,
): Command<State> {
  return options as unknown as Command<State>;
}

interface KindOptions<State, Load extends Readonly<Record<string, Query>>> {
  name: string;
  load(id: string, before: number): Load;
  start(id: string, rows: LoadedRows<Load>, source: LoadSource): State;
  snapshot?: StateSnapshot<State>;
  streams: Readonly<Record<string, Stream<State>>>;
  commands: Readonly<Record<string, Command<State>>>;
  timers?: Readonly<Record<string, (state: State, ctx: Context) => undefined>>;
  refusalDetail?(id: string, now: number): Readonly<Record<string, string>>;
  attachesSessions?: boolean;
  attachments?(state: State, ctx: Context, change: AttachmentChange): undefined;
  drain?(state: State, ctx: Context): undefined;
  consumers?: Consumers<State>;
}

/** Makes a kind of actor; see src/actors/kinds/topic.ts for a small one. */
export function defineActor<State, const Load extends Readonly<Record<string, Query>>>(
  options: KindOptions<State, Load>,
): AnyKind {
  return options as unknown as AnyKind;
}
