// The contract of an actor kind: what its author writes, and what the runtime gives. A kind is one file in
// src/actors/kinds and one line in src/actors/kinds.ts.
import type { Headers, Params, StreamMessage } from '../link/messages.ts';
import type { Query, QueryName, Rows, Write } from '../storage/storage.ts';
import type { Body, Decoder } from './body.ts';

/** The life of a stream and the messages of it that are kept: `oldest`..`newest`, none when newest is 0. */
export interface Head {
  readonly epoch: string;
  readonly oldest: number;
  readonly newest: number;
}

/** Where time and names come from, so that the same commands make the same state. */
export interface Source {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A time-ordered unique id. */
  newId(): string;
  newEpoch(): string;
}

export interface PublishOptions {
  /** The message's place in a stream that keeps history: one more than the last. */
  readonly seq?: number;
  readonly headers?: Headers | null;
  /** Values for the stream's placeholders other than `{id}`. */
  readonly params?: Params;
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
}

export interface Command<State> {
  /** `SEND /app/chat.send/{id}` or `GET /api/rooms/{id}`; more than one door is allowed. */
  readonly routes: readonly string[];
  /** Where the actor's id comes from; `path` unless given. */
  readonly id?: 'path' | 'user' | 'new';
  /** HTTP status of success; 200 unless given. */
  readonly status?: number;
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

export interface Kind<State = never> {
  /** The first half of `kind/id`. */
  readonly name: string;
  /** Rows an actor starts from. */
  load(id: string): Readonly<Record<string, Query>>;
  /** The state those rows stand for. A missing thing is a state too: its commands refuse with NOT_FOUND. */
  start(id: string, rows: never, source: Source): State;
  readonly streams: Readonly<Record<string, Stream<State>>>;
  readonly commands: Readonly<Record<string, Command<State>>>;
  readonly timers?: Readonly<Record<string, (state: State, ctx: Context) => undefined>>;
  /** Fields added to every refusal of a command, such as `roomId`. */
  refusalDetail?(id: string): Readonly<Record<string, string>>;
}

/** A kind of any state, as the runtime holds it. */
export type AnyKind = Kind;

interface CommandOptions<State, Value, Name extends QueryName> {
  routes: readonly string[];
  id?: 'path' | 'user' | 'new';
  status?: number;
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

type LoadedRows<Load extends Readonly<Record<string, Query>>> = {
  [Part in keyof Load]: Load[Part] extends { name: infer Name extends QueryName } ? Rows<Name> : never;
};

interface KindOptions<State, Load extends Readonly<Record<string, Query>>> {
  name: string;
  load(id: string): Load;
  start(id: string, rows: LoadedRows<Load>, source: Source): State;
  streams: Readonly<Record<string, Stream<State>>>;
  commands: Readonly<Record<string, Command<State>>>;
  timers?: Readonly<Record<string, (state: State, ctx: Context) => undefined>>;
  refusalDetail?(id: string): Readonly<Record<string, string>>;
}

/** Makes a kind of actor; see src/actors/kinds/topic.ts for a small one. */
export function defineActor<State, const Load extends Readonly<Record<string, Query>>>(
  options: KindOptions<State, Load>,
): AnyKind {
  return options as unknown as AnyKind;
}
