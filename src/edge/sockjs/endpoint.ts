// An endpoint: a base path, what is served below it, and its sessions.
import type { Clock } from '../../lib/clock.ts';
import { newUint32 } from '../../lib/random.ts';
import type { SockjsApp } from './connection.ts';
import type { Exchange, ResponseHeaders, SockjsRequest } from './exchange.ts';
import { decodeMessages } from './frames.ts';
import {
  cachedForAYear,
  cookieHeader,
  crossOrigin,
  neverCached,
  plainCookie,
  preflight,
  shownCookie,
  text,
} from './headers.ts';
import type { HttpGroups } from './http-groups.ts';
import { HttpSession } from './http-session.ts';
import { iframePage, type IframePage } from './iframe.ts';
import type { Place } from './place.ts';
import { Receiver } from './receiver.ts';
import { methodOf, receiving, type ReceivingName } from './transport.ts';

export interface EndpointOptions {
  /** Such as `/ws`. */
  readonly base: string;
  readonly app: SockjsApp;
  readonly clock: Clock;
  readonly groups: HttpGroups;
  /** Whether a request of that Origin (empty for none) to that Host may go on. */
  readonly allows: (origin: string, host: string) => boolean;
  /** Which pages may have the iframe page in a frame. */
  readonly frames: 'all' | 'own' | 'none';
  readonly clientUrl: string;
  readonly hasWebSocket: boolean;
  /** The cookie for a client that shows none; null when the endpoint has no cookies. */
  readonly newCookie: (() => string) | null;
  readonly limits: EndpointLimits;
}

export interface EndpointLimits {
  readonly heartBeatMs: number;
  readonly disconnectDelayMs: number;
  /** After so many bytes of frames a streaming response ends. */
  readonly responseBytesMax: number;
  /** Of one `xhr_send`, or one message of a WebSocket. */
  readonly messageBytesMax: number;
  /** What may wait for one client. */
  readonly unreadBytesMax: number;
  /** Sessions over HTTP; one more is answered with 503. */
  readonly sessionsMax: number;
}

export type SessionPlace = Extract<Place, { readonly kind: 'session' }>;

const refusals = { empty: 'Payload expected.', broken: 'Broken JSON encoding.' } as const;

export class Endpoint {
  readonly options: EndpointOptions;
  /** Nobody new gets in. */
  draining = false;
  readonly #sessions = new Map<string, HttpSession>();
  readonly #iframe: IframePage;

  constructor(options: EndpointOptions) {
    this.options = options;
    this.#iframe = iframePage(options.clientUrl);
  }

  /** How many sessions there are over HTTP, with those whose end is still told. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether no client has to come for the end of its session. */
  get idle(): boolean {
    return [...this.#sessions.values()].every(({ isEnding }) => !isEnding);
  }

  /** Answers all that needs no session. @returns whether it did. */
  answer(exchange: Exchange, place: Place | null): boolean {
    if (place === null || (place.kind === 'raw' && !this.options.hasWebSocket)) refuse(exchange, 404);
    else if (place.kind === 'session') return this.#answerSession(exchange, place);
    else if (place.kind === 'raw') refuseUpgrade(exchange);
    else if (place.kind === 'info') this.#info(exchange);
    else if (place.kind === 'iframe') this.#answerIframe(exchange);
    else exchange.respond(200, text, 'Welcome to SockJS!\n');
    return true;
  }

  /** A request of a session, where that session is. */
  serve(exchange: Exchange, { session: id, transport }: SessionPlace, body: Uint8Array): void {
    if (transport === 'websocket') return refuse(exchange, 404);
    const session = this.#sessions.get(id);
    if (!session) {
      if (transport === 'xhr_send') return refuse(exchange, 404, crossOrigin(exchange.request));
      return this.#open(exchange, id, transport);
    }
    const { credential } = exchange.request;
    const admitted = session.admits(credential, shownCookie(exchange.request));
    const goOn = (isAdmitted: boolean): void => {
      if (exchange.done) return;
      if (!isAdmitted) return refuse(exchange, 404, crossOrigin(exchange.request));
      if (transport === 'xhr_send') return this.#receive(exchange, session, body);
      if (transport !== session.transport) return refuse(exchange, 404, crossOrigin(exchange.request));
      session.attach(this.#receiver(exchange, transport));
    };
    if (typeof admitted === 'boolean') return goOn(admitted);
    void admitted.then(goOn);
  }

  #open(exchange: Exchange, id: string, name: ReceivingName): void {
    const { limits, clock, groups, app } = this.options;
    if (this.draining || this.#sessions.size >= limits.sessionsMax) return refuse(exchange, 503);
    const receiver = this.#receiver(exchange, name);
    const { address, credential } = exchange.request;
    const cookie = shownCookie(exchange.request);
    const session = new HttpSession({
      transport: name,
      address,
      secret: this.options.newCookie && cookie !== plainCookie ? cookie : null,
      ...limits,
      clock,
      groups,
      gone: () => this.#sessions.delete(id),
    });
    this.#sessions.set(id, session);
    session.open(receiver, app, credential);
  }

  #receiver(exchange: Exchange, name: ReceivingName): Receiver {
    const transport = receiving[name];
    const headers = { 'content-type': transport.contentType, ...this.#sessionHeaders(exchange) };
    const bytesMax = this.options.limits.responseBytesMax;
    const callback = callbackOf(exchange.request);
    return new Receiver({
      exchange,
      transport,
      headers,
      callback: isCallback(callback) ? callback : '',
      bytesMax,
    });
  }

  #receive(exchange: Exchange, session: HttpSession, body: Uint8Array): void {
    const decoded = decodeMessages(body);
    if ('defect' in decoded) {
      return exchange.respond(500, { ...text, ...crossOrigin(exchange.request) }, refusals[decoded.defect]);
    }
    exchange.respond(204, { ...text, ...this.#sessionHeaders(exchange) });
    session.receive(decoded.messages);
  }

  #sessionHeaders({ request }: Exchange): ResponseHeaders {
    const { newCookie } = this.options;
    const cookie = newCookie ? cookieHeader(shownCookie(request) ?? newCookie()) : {};
    return { ...neverCached, ...crossOrigin(request), ...cookie };
  }

  #answerSession(exchange: Exchange, { transport }: SessionPlace): boolean {
    const { request } = exchange;
    const method = methodOf(transport);
    if (transport === 'websocket' && !this.options.hasWebSocket) refuse(exchange, 404);
    else if (request.method === 'OPTIONS' && transport !== 'websocket') this.#preflight(exchange, method);
    else if (request.method !== method) {
      const allow = transport === 'websocket' ? method : `OPTIONS, ${method}`;
      exchange.respond(405, { allow }, '');
    } else if (transport === 'websocket') refuseUpgrade(exchange);
    else if (transport === 'htmlfile' && !isCallback(callbackOf(request))) refuseCallback(exchange);
    else return false;
    return true;
  }

  #info(exchange: Exchange): void {
    const { request } = exchange;
    if (request.method === 'OPTIONS') return this.#preflight(exchange, 'GET');
    if (request.method !== 'GET') return exchange.respond(405, { allow: 'OPTIONS, GET' }, '');
    const { hasWebSocket, newCookie } = this.options;
    const info = {
      entropy: newUint32(),
      origins: ['*:*'],
      cookie_needed: newCookie !== null,
      websocket: hasWebSocket,
    };
    const type = { 'content-type': 'application/json; charset=UTF-8' };
    exchange.respond(200, { ...type, ...neverCached, ...crossOrigin(request) }, JSON.stringify(info));
  }

  #preflight(exchange: Exchange, method: string): void {
    const headers = preflight(`OPTIONS, ${method}`, this.options.clock.now());
    exchange.respond(204, { ...headers, ...crossOrigin(exchange.request) });
  }

  #answerIframe(exchange: Exchange): void {
    const { request } = exchange;
    const { frames, clock } = this.options;
    if (frames === 'none') return refuse(exchange, 404);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return exchange.respond(405, { allow: 'GET' }, '');
    const { body, etag } = this.#iframe;
    const shared = { ...cachedForAYear(clock.now()), etag };
    if (request.ifNoneMatch.split(/ *, */).includes(etag)) return exchange.respond(304, shared);
    const bounds: ResponseHeaders = frames === 'own' ? { 'x-frame-options': 'SAMEORIGIN' } : {};
    exchange.respond(200, { ...shared, ...bounds, 'content-type': 'text/html; charset=UTF-8' }, body);
  }
}

const meanings = {
  403: 'This origin may not connect.',
  404: 'Not found',
  413: 'Too large',
  503: 'Try later',
};

export function refuse(
  exchange: Exchange,
  status: keyof typeof meanings,
  headers: ResponseHeaders = {},
): void {
  exchange.respond(status, { ...text, ...neverCached, ...headers }, `${meanings[status]}\n`);
}

/** It is a GET where only WebSocket is spoken, and no request for an upgrade to it. */
function refuseUpgrade(exchange: Exchange): void {
  const isUpgrade = exchange.request.upgrade.toLowerCase() === 'websocket';
  const isWrong = isUpgrade ? '"Connection" must be "Upgrade".' : 'Can "Upgrade" only to "WebSocket".';
  exchange.respond(400, text, `${isWrong}\n`);
}

/** What a request for `htmlfile` names as the function of its page; empty for none. */
function callbackOf({ query }: SockjsRequest): string {
  const parameters = new URLSearchParams(query);
  return parameters.get('c') ?? parameters.get('callback') ?? '';
}

/** It is written into a script, so it must be a name and nothing else. */
function isCallback(name: string): boolean {
  return /^[\w.]{1,128}$/.test(name);
}

/** Whatever became of the session: it is the request that is wrong. */
function refuseCallback(exchange: Exchange): void {
  const isMissing = callbackOf(exchange.request) === '';
  const what = isMissing ? '"callback" parameter required' : 'invalid "callback" parameter';
  exchange.respond(500, { ...text, ...neverCached }, `${what}\n`);
}
