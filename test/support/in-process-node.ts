// A whole node in one thread: edges and shards joined by real links, a store in memory, and time that stands
// still. A test drives it through clients without sockets.
import { pino } from 'pino';
import type { AnyKind } from '../../src/actors/actor.ts';
import { kinds as allKinds } from '../../src/actors/kinds.ts';
import type { PeerPort } from '../../src/actors/peers.ts';
import { routesOf, sessionKindsOf } from '../../src/actors/routes.ts';
import { Shard, type ShardLimits } from '../../src/actors/shard.ts';
import { Authenticator, type Identity } from '../../src/edge/auth.ts';
import type { Encoding } from '../../src/edge/connection.ts';
import { Edge, type EdgeConfig } from '../../src/edge/edge.ts';
import { createRateTable, RateLimiter, type RateLimit } from '../../src/edge/rate-limit.ts';
import { RouteTable } from '../../src/edge/route-table.ts';
import type { Session } from '../../src/edge/session.ts';
import { Refusal } from '../../src/errors.ts';
import { createLink, Link } from '../../src/link/link.ts';
import type { ToEdgeMessage, ToPeerMessage, ToShardMessage } from '../../src/link/messages.ts';
import { headLimits } from '../../src/limits.ts';
import type { Outcome, Query, QueryName, Rows, Storage, Transaction } from '../../src/storage/storage.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeConnection, FakeGroups, type ServerFrame } from './fake-connection.ts';
import { FakeStorage } from './fake-storage.ts';
import { encode, type FrameHeaders } from './stomp.ts';

export interface NodeOptions {
  readonly kinds?: readonly AnyKind[];
  readonly shards?: number;
  readonly edges?: number;
  readonly edge?: Partial<EdgeConfig>;
  readonly limits?: Partial<ShardLimits>;
  readonly rateLimit?: RateLimit;
}

/** Takes `alice`, `alice+role` or `alice@<expires at, in ms>` for a token; one that begins with `bad` is refused. */
export class FakeAuthenticator extends Authenticator {
  /** Whether each check waits for the test. */
  holds = false;
  readonly held: (() => void)[] = [];

  override async verify(token: string): Promise<Identity> {
    if (this.holds) await new Promise<void>((resolve) => this.held.push(resolve));
    const [name = '', expiresAt] = token.split('@');
    const [user = '', ...roles] = name.split('+');
    if (user.startsWith('bad')) throw new Refusal('UNAUTHORIZED', 'The token is bad.');
    return { user, roles, expiresAtMs: expiresAt === undefined ? null : Number(expiresAt) };
  }
}

/** One client of an edge. */
export class FakeClient {
  readonly connection: FakeConnection;
  readonly session: Session;
  version = '1.2';
  #receipts = 0;

  constructor(connection: FakeConnection, session: Session) {
    this.connection = connection;
    this.session = session;
  }

  get frames(): readonly ServerFrame[] {
    return this.connection.frames;
  }

  /** Commands of the frames that came. */
  get commands(): string[] {
    return this.frames.map(({ command }) => command);
  }

  get receipts(): string[] {
    return this.frames.flatMap(({ command, headers }) =>
      command === 'RECEIPT' ? [headers['receipt-id'] ?? ''] : [],
    );
  }

  /** What came on `/user/queue/errors`. */
  get refusals(): { code: string; receipt?: string; destination: string; [field: string]: unknown }[] {
    return this.frames.flatMap(({ headers, body }) =>
      headers['destination'] === '/user/queue/errors'
        ? [JSON.parse(body) as { code: string; destination: string }]
        : [],
    );
  }

  messages(subscription: string): ServerFrame[] {
    return this.frames.filter(
      ({ command, headers }) => command === 'MESSAGE' && headers['subscription'] === subscription,
    );
  }

  bodies(subscription: string): string[] {
    return this.messages(subscription).map(({ body }) => body);
  }

  seqs(subscription: string): number[] {
    return this.messages(subscription).map(({ headers }) => Number(headers['seq']));
  }

  send(command: string, headers: FrameHeaders = {}, body: string | Uint8Array = ''): void {
    this.raw(encode(this.version, command, headers, body));
  }

  /** SENDs with a receipt of its own. @returns the receipt. */
  tell(destination: string, body: string | Uint8Array, headers: FrameHeaders = {}): string {
    this.#receipts += 1;
    const receipt = `tell-${this.#receipts}`;
    this.send('SEND', { destination, receipt, ...headers }, body);
    return receipt;
  }

  subscribe(id: string, destination: string, headers: FrameHeaders = {}): void {
    this.send('SUBSCRIBE', { id, destination, receipt: `sub-${id}`, ...headers });
  }

  /** Bytes as they come off a socket: their memory is used again afterwards. */
  raw(data: string | Uint8Array): void {
    const chunk = Buffer.from(data);
    this.session.receive(chunk, typeof data === 'string');
    chunk.fill(0x78);
  }
}

const edgeConfig: EdgeConfig = {
  frames: { frameBytesMax: 65_536, ...headLimits },
  firstFrameWithinMs: 60_000,
  heartBeatMs: 10_000,
  commandsInFlightMax: 1_000,
  unreadBytesMax: 1024 * 1024,
  conflateBytesMax: 64 * 1024,
  drainSpreadMs: 1_000,
};

const shardLimits: ShardLimits = {
  mailboxMax: 1_024,
  actorsMax: 10_000,
  idleMs: 60_000,
  faultsMax: 5,
  stopMs: 1_000,
  writesMax: 20_000,
  bytesMax: 64 * 1024 * 1024,
};

/** The store as a thread has it: a dead one asks nothing more. */
class ShardStorage implements Storage {
  readonly #storage: Storage;
  readonly #isAlive: () => boolean;

  constructor(storage: Storage, isAlive: () => boolean) {
    this.#storage = storage;
    this.#isAlive = isAlive;
  }

  commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    return this.#isAlive() ? this.#storage.commit(transactions) : forever();
  }

  query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    return this.#isAlive() ? this.#storage.query(query) : forever();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function forever<Value>(): Promise<Value> {
  return new Promise(() => undefined);
}

export class InProcessNode {
  readonly clock = new FakeClock();
  readonly storage = new FakeStorage();
  readonly authenticator = new FakeAuthenticator({ clock: this.clock, secret: 'x'.repeat(32) });
  readonly edges: readonly Edge[];
  readonly groups: readonly FakeGroups[];
  readonly clients: FakeClient[] = [];
  /** Lines of the log. */
  readonly logs: { readonly event?: string; readonly [field: string]: unknown }[] = [];
  readonly #options: NodeOptions;
  readonly #kinds: readonly AnyKind[];
  readonly #log = pino(
    { level: 'info' },
    { write: (line: string) => void this.logs.push(JSON.parse(line) as { event?: string }) },
  );
  /** What each shard is joined by; empty for one that is dead. */
  readonly #links: Link<ToEdgeMessage, ToShardMessage>[][] = [];
  readonly #shards: Shard[] = [];
  #ids = 0;
  #happenings = 0;

  constructor(options: NodeOptions = {}) {
    this.#options = options;
    // Presence reads and writes by itself when sessions come, in the middle of what a test holds back.
    this.#kinds = options.kinds ?? allKinds.filter((kind) => kind.attachesSessions !== true);
    const { edges = 1, shards = 1, rateLimit } = options;
    const table = createRateTable(1_024);
    this.groups = Array.from({ length: edges }, () => new FakeGroups());
    this.edges = this.groups.map(
      (groups) =>
        new Edge({
          config: { ...edgeConfig, ...options.edge },
          shardCount: shards,
          routes: new RouteTable(routesOf(this.#kinds)),
          sessionKinds: sessionKindsOf(this.#kinds),
          authenticator: this.authenticator,
          rateLimiter: rateLimit ? new RateLimiter(table, rateLimit) : null,
          groups,
          clock: this.clock,
          log: this.#log,
        }),
    );
    for (let index = 0; index < shards; index += 1) this.startShard(index);
  }

  /** A new shard in that place, joined with every edge unless some are named. */
  startShard(index: number, edges: readonly number[] = [...this.edges.keys()]): void {
    const shard: Shard = new Shard({
      kinds: this.#kinds,
      storage: new ShardStorage(this.storage, () => this.#shards[index] === shard && this.#isAlive(index)),
      clock: this.clock,
      ids: { newId: () => this.#name('id'), newEpoch: () => this.#name('epoch') },
      settings: { priceIntervalMs: 500 },
      limits: { ...shardLimits, ...this.#options.limits },
      place: { index, count: this.#options.shards ?? 1, edges: this.edges.length },
      log: this.#log,
    });
    this.#shards[index] = shard;
    this.#links[index] = this.edges.map((edge, number) => {
      const [edgeEnd, shardEnd] = createLink();
      const receive = (message: ToShardMessage): void => {
        this.#happenings += 1;
        shard.receive(number, message);
      };
      const link = new Link<ToEdgeMessage, ToShardMessage>(shardEnd, receive, () => shard.removeEdge(number));
      shard.addEdge(number, link);
      if (edges.includes(number)) edge.connectShard(index, edgeEnd);
      return link;
    });
    for (const [other, peer] of this.#shards.entries()) {
      if (other === index || !this.#isAlive(other)) continue;
      shard.addPeer(other, this.#wayTo(other));
      peer.addPeer(index, this.#wayTo(index));
    }
  }

  #wayTo(index: number): PeerPort {
    const send = (message: ToPeerMessage): void => {
      setImmediate(() => {
        this.#happenings += 1;
        if (this.#isAlive(index)) this.#shards[index]?.receiveFromPeer(message);
      });
    };
    return { send, full: false };
  }

  /** The thread of a shard is gone: what it has not answered it never will. */
  killShard(index: number): void {
    for (const link of this.#links[index]?.splice(0) ?? []) link.close();
    for (const [other, peer] of this.#shards.entries()) if (other !== index) peer.removePeer(index);
  }

  /** A connection that has said nothing yet. */
  open(edge = 0, urlToken: string | null = null, encoding: Encoding = 'plain'): FakeClient {
    const { edges, groups } = this;
    const its = edges[edge] as Edge;
    const connection = new FakeConnection(
      groups[edge] as FakeGroups,
      () => this.clock.now(),
      () => its.closed(client.session),
      encoding,
    );
    const client = new FakeClient(connection, its.open(connection, urlToken));
    this.clients.push(client);
    return client;
  }

  /** A client that is signed in and hears what is refused. */
  async signIn(
    user: string,
    options: {
      edge?: number;
      version?: string;
      heartBeat?: string;
      token?: string;
      encoding?: Encoding;
    } = {},
  ): Promise<FakeClient> {
    const { edge = 0, version = '1.2', heartBeat = '0,0', token = user, encoding } = options;
    const client = this.open(edge, null, encoding);
    const authorization = `Bearer ${token}`;
    client.send('CONNECT', { 'accept-version': version, 'heart-beat': heartBeat, authorization });
    client.version = version;
    await this.settle();
    client.send('SUBSCRIBE', { id: 'errors', destination: '/user/queue/errors' });
    return client;
  }

  /** Lets everything happen that waits for nothing from outside. */
  async settle(): Promise<void> {
    for (let quiet = 0, before = -1; quiet < 8; quiet += 1) {
      const now = this.#happenings + this.clients.reduce((sum, { frames }) => sum + frames.length, 0);
      if (now !== before) quiet = 0;
      before = now;
      await new Promise(setImmediate);
    }
  }

  /** Moves the clock in small steps, with everything that happens on the way. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(left, stepMs));
      await new Promise(setImmediate);
    }
    await this.settle();
  }

  /** Whether all that was asked is answered. */
  get idle(): boolean {
    return this.#shards.every((shard) => shard.idle);
  }

  /** What clients did to connections that were closed. */
  get misuses(): string[] {
    return this.clients.flatMap(({ connection }) => connection.misuses);
  }

  close(): void {
    for (const index of this.#links.keys()) this.killShard(index);
  }

  #isAlive(index: number): boolean {
    return (this.#links[index]?.length ?? 0) > 0;
  }

  #name(what: string): string {
    this.#ids += 1;
    return `${what}-${this.#ids}`;
  }
}
