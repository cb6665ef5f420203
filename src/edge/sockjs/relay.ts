// A session lives at one edge, and its requests may come in at any: they are handed over a link, and the responses come
// back the same way. So nobody needs to send a client's requests to the same thread.
import { Link, type LinkEnd } from '../../link/link.ts';
import type { Exchange, ResponseHeaders, SockjsRequest } from './exchange.ts';
import type { LocalExchange } from './local-exchange.ts';

const Op = { ask: 1, gone: 2, respond: 3, start: 4, write: 5, end: 6, cut: 7 } as const;

type RelayMessage =
  /** A request that came in here, for a session there. `id` is the asker's. */
  | readonly [op: typeof Op.ask, id: number, request: SockjsRequest, body: Uint8Array]
  /** Whoever asked is gone. */
  | readonly [op: typeof Op.gone, id: number]
  | readonly [
      op: typeof Op.respond,
      id: number,
      status: number,
      headers: ResponseHeaders,
      body: Uint8Array | null,
    ]
  | readonly [op: typeof Op.start, id: number, headers: ResponseHeaders, chunk: Uint8Array]
  | readonly [op: typeof Op.write, id: number, chunk: Uint8Array]
  | readonly [op: typeof Op.end, id: number]
  /** No end that one could tell: the connection is to be cut. */
  | readonly [op: typeof Op.cut, id: number];

/** Takes what other edges hand over. */
export type Serve = (exchange: RelayedExchange, body: Uint8Array) => void;

export class Relay {
  readonly #peers = new Map<number, Peer>();
  readonly #serve: Serve;

  constructor(serve: Serve) {
    this.#serve = serve;
  }

  /** Responses that come from elsewhere and have not ended. */
  get open(): number {
    return [...this.#peers.values()].reduce((sum, { asked }) => sum + asked.size, 0);
  }

  /** Whether nothing waits to cross. */
  get empty(): boolean {
    return [...this.#peers.values()].every(({ link }) => link.empty);
  }

  /** @param index the other edge's; one that had it before is gone. */
  connect(index: number, end: LinkEnd): void {
    this.#peers.get(index)?.close();
    const peer: Peer = new Peer(end, this.#serve, () => {
      if (this.#peers.get(index) === peer) this.#peers.delete(index);
    });
    this.#peers.set(index, peer);
  }

  /** @returns false when that edge can't take it now. */
  ask(index: number, exchange: LocalExchange, body: Uint8Array): boolean {
    const peer = this.#peers.get(index);
    if (!peer || peer.link.full) return false;
    peer.ask(exchange, body);
    return true;
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }
}

class Peer {
  readonly link: Link<RelayMessage, RelayMessage>;
  /** Held here, served there. */
  readonly asked = new Map<number, LocalExchange>();
  /** Held there, served here. */
  readonly #served = new Map<number, RelayedExchange>();
  readonly #serve: Serve;
  #count = 0;

  constructor(end: LinkEnd, serve: Serve, onClosed: () => void) {
    this.#serve = serve;
    this.link = new Link<RelayMessage, RelayMessage>(
      end,
      (message) => this.#receive(message),
      () => {
        this.#lost();
        onClosed();
      },
    );
  }

  ask(exchange: LocalExchange, body: Uint8Array): void {
    this.#count += 1;
    const id = this.#count;
    this.asked.set(id, exchange);
    exchange.onAborted = () => {
      if (this.asked.delete(id)) this.link.send([Op.gone, id], 0);
    };
    this.link.send([Op.ask, id, exchange.request, body], body.length);
  }

  close(): void {
    this.link.close();
    this.#lost();
  }

  #lost(): void {
    for (const exchange of this.asked.values()) exchange.cut();
    this.asked.clear();
    for (const exchange of this.#served.values()) exchange.abort();
    this.#served.clear();
  }

  #receive(message: RelayMessage): void {
    const [op, id] = message;
    if (op === Op.ask) return this.#take(id, message[2], message[3]);
    if (op === Op.gone) {
      const served = this.#served.get(id);
      this.#served.delete(id);
      return served?.abort();
    }
    const exchange = this.asked.get(id);
    if (!exchange) return;
    if (op === Op.start) return exchange.start(message[2], message[3]);
    if (op === Op.write) return exchange.write(message[2]);
    this.asked.delete(id);
    if (op === Op.end) exchange.end();
    else if (op === Op.cut) exchange.cut();
    else exchange.respond(message[2], message[3], message[4] ?? undefined);
  }

  #take(id: number, request: SockjsRequest, body: Uint8Array): void {
    const exchange = new RelayedExchange(
      request,
      (message, bytes) => {
        if (message[0] !== Op.start && message[0] !== Op.write) this.#served.delete(id);
        this.link.send(message, bytes);
      },
      id,
    );
    this.#served.set(id, exchange);
    this.#serve(exchange, body);
  }
}

/** An exchange whose socket is at another edge. */
export class RelayedExchange implements Exchange {
  readonly request: SockjsRequest;
  done = false;
  onAborted: (() => void) | null = null;
  readonly #send: (message: RelayMessage, bytes: number) => void;
  readonly #id: number;

  constructor(request: SockjsRequest, send: (message: RelayMessage, bytes: number) => void, id: number) {
    this.request = request;
    this.#send = send;
    this.#id = id;
  }

  respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void {
    if (this.done) return;
    this.done = true;
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? null);
    this.#send([Op.respond, this.#id, status, headers, bytes], bytes?.length ?? 0);
  }

  start(headers: ResponseHeaders, chunk: Uint8Array): void {
    if (!this.done) this.#send([Op.start, this.#id, headers, chunk], chunk.length);
  }

  write(chunk: Uint8Array): void {
    if (!this.done) this.#send([Op.write, this.#id, chunk], chunk.length);
  }

  end(): void {
    if (this.done) return;
    this.done = true;
    this.#send([Op.end, this.#id], 0);
  }

  /** Whoever asked is gone, or is to go. */
  abort(): void {
    if (this.done) return;
    this.done = true;
    this.#send([Op.cut, this.#id], 0);
    this.onAborted?.();
  }
}
