// STOMP as what SockJS carries: where sessions meet the transports for those who have no WebSocket of their own.
import type { Clock } from '../lib/clock.ts';
import { newSecret } from '../lib/random.ts';
import type { Connection, Groups } from './connection.ts';
import type { Edge } from './edge.ts';
import type { EdgeCounts } from './edge-metrics.ts';
import type { Origins } from './origins.ts';
import type { Session } from './session.ts';
import type { SockjsApp, SockjsConnection, SockjsHandler } from './sockjs/connection.ts';
import { Endpoint, type EndpointLimits } from './sockjs/endpoint.ts';
import { messageFrame } from './sockjs/frames.ts';
import type { HttpGroups } from './sockjs/http-groups.ts';

const clientUrl = 'https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js';
const cookieBytes = 18;

class SockjsStompConnection implements Connection {
  readonly encoding = 'sockjs';
  readonly #connection: SockjsConnection;
  readonly #groups: Groups;
  readonly #own: string;
  readonly #counts: EdgeCounts;

  /** @param own name of a group that this connection is alone in. */
  constructor(connection: SockjsConnection, groups: Groups, own: string, counts: EdgeCounts) {
    this.#connection = connection;
    this.#groups = groups;
    this.#own = own;
    this.#counts = counts;
    connection.join(own);
  }

  get address(): string {
    return this.#connection.address;
  }

  get transport(): string {
    return `sockjs ${this.#connection.transport}`;
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  send(frame: Uint8Array): void {
    this.#connection.sendFrame(this.#framed(frame));
  }

  sendGathered(frame: Uint8Array): void {
    this.#groups.publish(this.#own, this.#framed(frame), true);
  }

  join(group: string): void {
    this.#connection.join(group);
  }

  leave(group: string): void {
    this.#connection.leave(group);
  }

  takeOverBeats(): void {
    this.#connection.stopBeats();
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }

  #framed(frame: Uint8Array): Uint8Array {
    const framed = messageFrame(frame);
    this.#counts.framesOut.add();
    this.#counts.bytesOut.add(framed.length);
    return framed;
  }
}

class StompHandler implements SockjsHandler {
  readonly #edge: Edge;
  readonly #session: Session;
  /** What the opening request showed. */
  readonly #credential: string | null;

  constructor(edge: Edge, session: Session, credential: string | null) {
    this.#edge = edge;
    this.#session = session;
    this.#credential = credential;
  }

  message(text: string): void {
    const bytes = Buffer.from(text);
    this.#edge.counts.bytesIn.add(bytes.length);
    this.#orFail(() => this.#session.receive(bytes, true));
  }

  drained(): void {
    this.#orFail(() => this.#edge.drained(this.#session));
  }

  closed(): void {
    this.#edge.closed(this.#session);
  }

  /** What fails is this session's affair, whatever request brought it up. */
  #orFail(task: () => void): void {
    try {
      task();
    } catch (thrown) {
      this.#edge.failed(this.#session, thrown);
    }
  }

  /** The token of the opening request, or any other of the same user. One that had none may come with none. */
  admits(credential: string | null): boolean | Promise<boolean> {
    if (credential === this.#credential) return true;
    const { user } = this.#session;
    if (credential === null || user === '') return false;
    return this.#edge.authenticator.verify(credential).then(
      (identity) => identity.user === user,
      () => false,
    );
  }
}

export class StompApp implements SockjsApp {
  readonly #edge: Edge;
  readonly #groups: Groups;
  #opened = 0;

  constructor(edge: Edge, groups: Groups) {
    this.#edge = edge;
    this.#groups = groups;
  }

  open(connection: SockjsConnection, credential: string | null): SockjsHandler {
    this.#opened += 1;
    const own = `@s${this.#opened.toString(36)}`;
    const stomp = new SockjsStompConnection(connection, this.#groups, own, this.#edge.counts);
    return new StompHandler(this.#edge, this.#edge.open(stomp, credential), credential);
  }
}

export interface StompEndpointsOptions {
  readonly app: SockjsApp;
  readonly clock: Clock;
  readonly groups: HttpGroups;
  readonly origins: Origins;
  readonly limits: EndpointLimits;
}

/** The endpoints that front ends know. */
export function stompEndpoints({ origins, ...shared }: StompEndpointsOptions): Endpoint[] {
  const options = {
    ...shared,
    allows: (origin: string, host: string) => origins.allows(origin || undefined, host),
    // A page of an origin that is listed must not be mistaken for all pages that could have ours in a frame.
    frames: origins.listed.includes('*') ? 'all' : origins.listed.length === 0 ? 'own' : 'none',
    clientUrl,
    hasWebSocket: true,
    newCookie: () => newSecret(cookieBytes),
  } as const;
  return ['/ws', '/inventory-ws'].map((base) => new Endpoint({ ...options, base }));
}
