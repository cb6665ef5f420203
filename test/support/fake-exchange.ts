// An exchange without a socket: keeps what was answered.
import type { Exchange, ResponseHeaders, SockjsRequest } from '../../src/edge/sockjs/exchange.ts';

export const plainRequest: SockjsRequest = {
  method: 'POST',
  path: '/echo/0/a/xhr',
  query: '',
  address: '192.0.2.7',
  credential: null,
  host: 'localhost',
  origin: '',
  cookie: '',
  ifNoneMatch: '',
  upgrade: '',
  connection: '',
  headersAsked: '',
};

/** Lets faults through to the test. */
export const unguarded = (task: () => void): void => task();

export class FakeExchange implements Exchange {
  readonly request: SockjsRequest;
  done = false;
  onAborted: (() => void) | null = null;
  status = 0;
  headers: ResponseHeaders = {};
  readonly chunks: string[] = [];

  constructor(request: Partial<SockjsRequest> = {}) {
    this.request = { ...plainRequest, ...request };
  }

  /** What came after the prelude. */
  get frames(): string {
    return this.chunks.join('').replace(/^h{2048}\n/, '');
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array = ''): void {
    this.#open(status, headers, body);
    this.done = true;
  }

  start(headers: ResponseHeaders, chunk: Uint8Array): void {
    this.#open(200, headers, chunk);
  }

  write(chunk: Uint8Array): void {
    if (this.done) throw new Error('written after the end');
    this.chunks.push(Buffer.from(chunk).toString());
  }

  end(): void {
    this.done = true;
  }

  /** The client is gone. */
  abort(): void {
    this.done = true;
    this.onAborted?.();
  }

  #open(status: number, headers: ResponseHeaders, body: string | Uint8Array): void {
    if (this.done || this.status !== 0) throw new Error('answered twice');
    this.status = status;
    this.headers = headers;
    this.chunks.push(Buffer.from(body).toString());
  }
}
