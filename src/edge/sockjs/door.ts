// The way in to all endpoints of an edge: requests go to where their session is.
import { placement } from '../../actors/placement.ts';
import type { LinkEnd } from '../../link/link.ts';
import { BodyBudget } from './body-budget.ts';
import { refuse, type Endpoint, type SessionPlace } from './endpoint.ts';
import type { LocalExchange } from './local-exchange.ts';
import { placeOf, type Place } from './place.ts';
import { Relay, type RelayedExchange } from './relay.ts';

export interface DoorOptions {
  /** Which edge of how many this is; the only one unless given. */
  readonly place?: { readonly index: number; readonly count: number };
  /** Bytes of the bodies that are being read; one that finds no room is answered with 503. */
  readonly bodiesBytesMax: number;
  /** Told of a fault in what another edge has handed over. */
  readonly onFault: (error: unknown) => void;
}

interface Found {
  readonly endpoint: Endpoint;
  /** Null where there is nothing. */
  readonly place: Place | null;
}

const noBody = new Uint8Array(0);

export class Door {
  readonly endpoints: readonly Endpoint[];
  readonly #place: NonNullable<DoorOptions['place']>;
  readonly #onFault: DoorOptions['onFault'];
  readonly #budget: BodyBudget;
  readonly #relay = new Relay((exchange, body) => this.#serve(exchange, body));

  constructor(endpoints: readonly Endpoint[], options: DoorOptions) {
    const { place = { index: 0, count: 1 }, bodiesBytesMax, onFault } = options;
    this.endpoints = endpoints;
    this.#budget = new BodyBudget(bodiesBytesMax);
    this.#place = place;
    this.#onFault = onFault;
  }

  /** Whether no client has to come for the end of its session, and no response comes from another edge. */
  get idle(): boolean {
    return this.#relay.open === 0 && this.#relay.empty && this.endpoints.every(({ idle }) => idle);
  }

  /** Nobody new gets in. */
  drain(): void {
    for (const endpoint of this.endpoints) endpoint.draining = true;
  }

  /** Another edge is there (again). */
  connect(index: number, end: LinkEnd): void {
    this.#relay.connect(index, end);
  }

  close(): void {
    this.#relay.close();
  }

  /** What a path leads to; null when it lies below no endpoint. */
  find(path: string): Found | null {
    for (const endpoint of this.endpoints) {
      const { base } = endpoint.options;
      if (path === base || path.startsWith(`${base}/`))
        return { endpoint, place: placeOf(path.slice(base.length)) };
    }
    return null;
  }

  /** Takes a request that came in here; must be called in the turn in which it came. */
  handle(exchange: LocalExchange, { endpoint, place }: Found): void {
    const { origin, host } = exchange.request;
    if (!endpoint.options.allows(origin, host)) return refuse(exchange, 403);
    if (endpoint.answer(exchange, place) || place?.kind !== 'session') return;
    if (place.transport !== 'xhr_send') return this.#toSession(exchange, endpoint, place, noBody);
    const { messageBytesMax } = endpoint.options.limits;
    exchange.readBody({ bytesMax: messageBytesMax, budget: this.#budget }, (body) => {
      if (typeof body === 'number') refuse(exchange, body);
      else this.#toSession(exchange, endpoint, place, body);
    });
  }

  #toSession(exchange: LocalExchange, endpoint: Endpoint, place: SessionPlace, body: Uint8Array): void {
    const { index, count } = this.#place;
    const owner = placement(`${endpoint.options.base} ${place.session}`, count);
    if (owner === index) endpoint.serve(exchange, place, body);
    else if (!this.#relay.ask(owner, exchange, body)) refuse(exchange, 503);
  }

  /** A request that came in at another edge, which has looked at all but the session. */
  #serve(exchange: RelayedExchange, body: Uint8Array): void {
    const found = this.find(exchange.request.path);
    if (found?.place?.kind !== 'session') return refuse(exchange, 404);
    try {
      found.endpoint.serve(exchange, found.place, body);
    } catch (thrown) {
      this.#onFault(thrown);
      exchange.abort();
    }
  }
}
