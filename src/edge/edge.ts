// An edge: the sessions of one thread, joined with every shard. Holds no state that a shard would need to go on.
import type { Logger } from 'pino';
import { placement } from '../actors/placement.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { newId } from '../lib/random.ts';
import { TimerWheel } from '../lib/wheel.ts';
import type { LinkEnd } from '../link/link.ts';
import { Attachments } from './attachments.ts';
import type { Authenticator } from './auth.ts';
import { Conflation } from './conflation.ts';
import { Consumers } from './consumers.ts';
import { CloseCode, type Connection, type Groups } from './connection.ts';
import { edgeCountsAlone, endReasonOf, type EdgeCounts } from './edge-metrics.ts';
import { FanOut } from './fan-out.ts';
import type { FrameLimits } from './frame.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { RouteTable } from './route-table.ts';
import { Session } from './session.ts';
import { ShardPort, type ShardEvents } from './shard-port.ts';
import { deliverLost, started, startRefused } from './starts.ts';
import { conversationIn } from './subprotocols.ts';
import { isWildcard, type Subscription } from './subscription.ts';
import { Refusal } from '../errors.ts';

export interface EdgeConfig {
  readonly frames: FrameLimits;
  /** CONNECT must come this soon after the connection. */
  readonly firstFrameWithinMs: number;
  /** What the server offers and asks for in CONNECTED; 0 for none. */
  readonly heartBeatMs: number;
  /** Commands of one session that are not answered; one more is refused with UNAVAILABLE. */
  readonly commandsInFlightMax: number;
  /** Bytes a client may leave unread; above it the session ends with 4008 and can resume. */
  readonly unreadBytesMax: number;
  /** Above it a subscription of a conflated stream is left out until half of it is read. */
  readonly conflateBytesMax: number;
  /** Over how long a drain closes its sessions. */
  readonly drainSpreadMs: number;
}

export interface EdgeOptions {
  readonly config: EdgeConfig;
  readonly shardCount: number;
  readonly routes: RouteTable;
  /** Kinds whose actors hear of every session of their user. */
  readonly sessionKinds: readonly string[];
  readonly authenticator: Authenticator;
  readonly rateLimiter: RateLimiter | null;
  readonly groups: Groups;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is counted; for nobody unless given. */
  readonly counts?: EdgeCounts;
}

const wheelTickMs = 100;
const drainSliceMs = 50;
const answeredCheckMs = 10;

export class Edge {
  readonly config: EdgeConfig;
  readonly routes: RouteTable;
  readonly authenticator: Authenticator;
  readonly rateLimiter: RateLimiter | null;
  readonly fanOut: FanOut;
  readonly counts: EdgeCounts;
  readonly conflation = new Conflation(this);
  readonly consumers = new Consumers(this);
  draining = false;
  /** Whether the drain had sessions to close. */
  hadSessions = false;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ports: readonly ShardPort[];
  readonly #ticking: Timer;
  readonly #sessions = new Set<Session>();
  readonly #attachments: Attachments;
  readonly #wheel = new TimerWheel<Session>({ tickMs: wheelTickMs, slots: 1024 });
  #subscriptionCount = 0;
  #bytesSinceSweep = 0;
  #sweepScheduled = false;

  constructor(options: EdgeOptions) {
    this.config = options.config;
    this.routes = options.routes;
    this.authenticator = options.authenticator;
    this.rateLimiter = options.rateLimiter;
    this.#clock = options.clock;
    this.#log = options.log;
    this.counts = options.counts ?? edgeCountsAlone();
    this.fanOut = new FanOut(options.groups, (bytes) => this.#published(bytes), this.counts);
    this.#ports = Array.from({ length: options.shardCount }, () => this.#newPort());
    this.#attachments = new Attachments(options.sessionKinds, (actor) => this.portOf(actor));
    this.#ticking = options.clock.every(wheelTickMs, () => this.#tick());
  }

  /** Whether every shard is there and new clients are welcome. */
  get ready(): boolean {
    return !this.draining && this.#ports.every((port) => port.connected);
  }

  now(): number {
    return this.#clock.now();
  }

  /** @param subprotocol what the client speaks; '' for what it speaks unless it says. */
  open(connection: Connection, urlToken: string | null, subprotocol = ''): Session {
    const conversation = conversationIn(subprotocol, this.config.frames, connection.encoding);
    const session = new Session(this, { connection, conversation, id: newId(), urlToken });
    this.#sessions.add(session);
    this.counts.connections.set(this.#sessions.size);
    return session;
  }

  /** The session is signed in. */
  opened(session: Session): void {
    const { id, user, connection } = session;
    this.#log.info(
      { event: 'connect', session: id, user, protocol: protocolOf(session), address: connection.address },
      'connect',
    );
    this.counts.sessionsOpened.add();
    this.#attachments.opened(session);
  }

  /** A fault of ours in what the session asked, outside of the transport's callbacks: it ends, the edge goes on. */
  failed(session: Session, error: unknown): void {
    this.#log.error({ err: error, session: session.id }, 'a session failed');
    session.end(CloseCode.fault, 'the server failed');
  }

  /** The connection is gone. */
  closed(session: Session): void {
    const signedIn = session.user !== '';
    const endCode = session.phase === 'leaving' ? CloseCode.normal : session.endCode;
    session.closed();
    this.#sessions.delete(session);
    this.counts.connections.set(this.#sessions.size);
    if (signedIn) this.counts.sessionsEnded[endReasonOf(endCode)].add();
    else this.counts.connectionsRefused.add();
    this.#wheel.cancel(session);
    for (const subscription of session.subscriptions?.values() ?? []) this.#forget(subscription, false);
    session.subscriptions = null;
    this.#attachments.closed(session);
    const { id, user, connection, endReason: reason } = session;
    const durationMs = this.now() - session.openedAtMs;
    const line = {
      session: id,
      protocol: protocolOf(session),
      address: connection.address,
      reason,
      durationMs,
    };
    if (signedIn) this.#log.info({ event: 'disconnect', user, ...line }, 'disconnect');
    else this.#log.info({ event: 'refused', ...line }, 'connection ended before it was signed in');
  }

  portOf(actor: string): ShardPort {
    return this.#ports[placement(actor, this.#ports.length)] as ShardPort;
  }

  /** A shard thread is there (again). */
  connectShard(shard: number, end: LinkEnd): void {
    const port = this.#ports[shard] as ShardPort;
    const channels = [...this.fanOut.channels()].filter(
      ({ source }) => !isWildcard(source) && this.portOf(source.actor) === port,
    );
    port.connect(end, channels, this.#attachments.on(port), this.fanOut.hasPatterns);
    for (const join of this.consumers.joins((actor) => this.portOf(actor) === port)) port.join(join);
    port.joined();
  }

  nextSubscription(): number {
    this.#subscriptionCount += 1;
    return this.#subscriptionCount;
  }

  /** A subscription of this session by its number. */
  subscription(session: Session, number: number): Subscription | undefined {
    for (const subscription of session.subscriptions?.values() ?? []) {
      if (subscription.number === number) return subscription;
    }
    return undefined;
  }

  /** Calls `live` when every shard knows that this edge wants to see all plain messages. */
  addWildcard(subscription: Subscription, live: () => void): void {
    subscription.phase = 'live';
    this.fanOut.add(subscription);
    let open = this.#ports.length;
    const settled = (): void => {
      open -= 1;
      if (open === 0) live();
    };
    for (const port of this.#ports) port.wantWildcards({ answered: settled, refused: settled });
  }

  /** Ends a subscription of a session that goes on. */
  drop(subscription: Subscription): void {
    const { session } = subscription;
    session.subscriptions?.delete(subscription.id);
    if (session.errors) session.errors = session.errors.filter((one) => one !== subscription);
    this.#forget(subscription, true);
  }

  /** The next page of a start, as soon as the client has read enough of the last one. */
  askOn(subscription: Subscription): void {
    const { session, source } = subscription;
    const { unreadBytesMax, conflateBytesMax } = this.config;
    const bytesMax = source.type === 'conflated' ? conflateBytesMax : unreadBytesMax;
    session.backlog.whenRead(bytesMax / 2, () => {
      if (subscription.phase === 'starting') this.portOf(source.actor).subscribe(subscription);
      else this.conflation.settled(subscription);
    });
  }

  /** The client has read on. */
  drained(session: Session): void {
    session.backlog.drained();
  }

  /** Ends the session when its client leaves too much unread. */
  checkSpeed(session: Session): void {
    if (session.phase === 'closed') return;
    if (session.backlog.isOver(this.config.unreadBytesMax)) {
      session.end(CloseCode.tooSlow, 'too slow a reader, resume');
    }
  }

  /** Calls the session's `tick` at that time; again replaces. */
  wake(session: Session, atMs: number): void {
    this.#wheel.schedule(session, atMs);
  }

  sleep(session: Session): void {
    this.#wheel.cancel(session);
  }

  /** Answers what was received, then closes every session in slices. Resolves when the last one is closed. */
  async drain(): Promise<void> {
    this.draining = true;
    for (const port of this.#ports) port.retire();
    this.consumers.endAll();
    while (this.#ports.some((port) => !port.idle)) await this.#pause(answeredCheckMs);
    const sessions = [...this.#sessions];
    this.hadSessions = sessions.length > 0;
    const slices = Math.max(1, Math.min(sessions.length / 100, this.config.drainSpreadMs / drainSliceMs));
    const sliceSize = Math.ceil(sessions.length / slices);
    for (let index = 0; index < sessions.length; index += sliceSize) {
      for (const session of sessions.slice(index, index + sliceSize)) {
        session.end(CloseCode.restart, 'server drains');
      }
      await this.#pause(drainSliceMs);
    }
    this.close();
  }

  /** Lets the shards go. The thread may take up another edge afterwards. */
  close(): void {
    this.#ticking.cancel();
    for (const port of this.#ports) port.close();
  }

  later(ms: number, task: () => void): void {
    this.#clock.after(ms, task);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve));
  }

  #newPort(): ShardPort {
    const events: ShardEvents = {
      published: ([, destination, epoch, message, plain]) => {
        if (epoch === null) {
          const channel = this.fanOut.channel(destination);
          if (channel?.source.type === 'conflated') this.conflation.publishing(channel, message[2].length);
        }
        this.fanOut.publish(destination, epoch, message, plain);
      },
      subscribed: (subscription, message) => started(this, subscription, message),
      subscriptionRefused: (subscription, refusal) => startRefused(this, subscription, refusal),
      lost: () => this.#lost(port),
      revoked: ([, destination, user]) => {
        for (const subscription of this.fanOut.subscriptionsOf(destination, user)) {
          const refusal = new Refusal('FORBIDDEN', 'You may no longer see this.');
          this.drop(subscription);
          subscription.session.refuse(refusal, subscription.source.shown, undefined);
        }
      },
      attached: ([, session, actor]) => this.#attachments.attached(session, actor),
      detached: ([, session, actor]) => this.#attachments.detached(session, actor),
      delivered: (message) => this.consumers.delivered(message),
    };
    const port = new ShardPort(events, this.counts);
    return port;
  }

  #lost(port: ShardPort): void {
    // Channels of one destination rejoin where they were. A pattern has many streams, and no place in them.
    for (const channel of this.fanOut.channels()) {
      const { source, subscriptions } = channel;
      if (isWildcard(source)) {
        for (const subscription of subscriptions) deliverLost(this, subscription, null, 0);
      } else if (source.type === 'conflated' && this.portOf(source.actor) === port) channel.seq = 0;
    }
    for (const session of this.#sessions) {
      for (const subscription of session.behind ?? []) {
        if (this.portOf(subscription.source.actor) === port) subscription.from = ['since', 0];
      }
    }
  }

  #forget(subscription: Subscription, connected: boolean): void {
    const wasLive = subscription.phase === 'live';
    subscription.phase = 'ended';
    const { type } = subscription.source;
    if (!wasLive || type === 'errors' || type === 'answer') return;
    if (type === 'queue') return this.consumers.ended(subscription);
    this.fanOut.remove(subscription, connected);
    if (isWildcard(subscription.source)) {
      if (!this.fanOut.hasPatterns) for (const port of this.#ports) port.endWildcards();
    } else this.portOf(subscription.source.actor).unsubscribe(subscription);
  }

  #tick(): void {
    const now = this.now();
    this.#wheel.advance(now, (session) => session.tick(now));
  }

  // No connection can have more unread than what was published to it since it was last looked at, so looking at
  // all of them once per budget is enough: none gets far above it, and a publish stays one call.
  #published(bytes: number): void {
    this.#bytesSinceSweep += bytes;
    if (this.#bytesSinceSweep < this.config.unreadBytesMax || this.#sweepScheduled) return;
    this.#sweepScheduled = true;
    // Published frames reach the connections at the end of this turn of the event loop.
    setImmediate(() => {
      this.#sweepScheduled = false;
      this.#bytesSinceSweep = 0;
      for (const session of this.#sessions) this.checkSpeed(session);
    });
  }
}

/** For the log. */
function protocolOf({ dialect: { name }, connection: { transport } }: Session): string {
  return transport === 'websocket' ? name : `${name}, ${transport}`;
}
