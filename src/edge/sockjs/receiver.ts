// A response that brings frames to a client: one of the requests that a session lives by.
import type { Exchange, ResponseHeaders } from './exchange.ts';
import type { Receiving } from './transport.ts';

export interface ReceiverOptions {
  readonly exchange: Exchange;
  readonly transport: Receiving;
  readonly headers: ResponseHeaders;
  /** The function of the page that frames of `htmlfile` are for. */
  readonly callback: string;
  /** A response that has brought this much ends: browsers keep all of it until then. */
  readonly bytesMax: number;
}

export class Receiver {
  readonly exchange: Exchange;
  /** Bytes of frames written. */
  bytes = 0;
  readonly #transport: Receiving;
  readonly #headers: ResponseHeaders;
  readonly #bytesMax: number;

  constructor({ exchange, transport, headers, callback, bytesMax }: ReceiverOptions) {
    this.exchange = exchange;
    this.#transport = transport;
    this.#headers = headers;
    this.#bytesMax = bytesMax;
    if (transport.streams) exchange.start(headers, Buffer.from(transport.prelude(callback)));
  }

  /** How much more it should bring. */
  get room(): number {
    return this.#bytesMax - this.bytes;
  }

  /** @returns whether it goes on; if not, it has ended. */
  write(frame: Uint8Array): boolean {
    const chunk = this.#transport.write(frame);
    this.bytes += chunk.length;
    if (!this.#transport.streams) {
      this.exchange.respond(200, this.#headers, chunk);
      return false;
    }
    this.exchange.write(chunk);
    if (this.room > 0) return true;
    this.exchange.end();
    return false;
  }

  /** Writes the last frame. */
  last(frame: Uint8Array): void {
    if (this.write(frame)) this.exchange.end();
  }
}
