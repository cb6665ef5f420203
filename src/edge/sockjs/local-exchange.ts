// An exchange whose socket is here.
import { STATUS_CODES } from 'node:http';
import type { BodyBudget } from './body-budget.ts';
import type { Exchange, ResponseHeaders, SockjsRequest } from './exchange.ts';

/** What is used of the transport's response; nothing of it may be after it has ended or was aborted. */
export interface ResponseOut {
  onAborted(handler: () => void): unknown;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  cork(task: () => void): unknown;
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string): unknown;
  write(chunk: Uint8Array): unknown;
  end(body?: string | Uint8Array): unknown;
  endWithoutBody(): unknown;
  close(): unknown;
}

/** Calls the task, and `giveUp` after a fault in it: nothing may be thrown into the transport. */
export type Guard = (task: () => void, giveUp?: () => void) => void;

export interface BodyBounds {
  readonly bytesMax: number;
  /** Of all bodies together. */
  readonly budget: BodyBudget;
}

type BodyRefusal = 413 | 503;

export class LocalExchange implements Exchange {
  readonly request: SockjsRequest;
  done = false;
  onAborted: (() => void) | null = null;
  /** Told of the status when there is one. */
  onStatus: ((status: number) => void) | null = null;
  readonly #out: ResponseOut;
  readonly #guard: Guard;
  #giveUpBody: () => void = () => undefined;

  constructor(out: ResponseOut, request: SockjsRequest, guard: Guard) {
    this.request = request;
    this.#out = out;
    this.#guard = guard;
    out.onAborted(() => {
      this.done = true;
      this.#giveUpBody();
      this.guarded(() => this.onAborted?.());
    });
  }

  /** Calls the task; a fault in it cuts the connection. */
  guarded(task: () => void): void {
    this.#guard(task, () => this.cut());
  }

  /**
   * Reads the body, which must be asked for at once.
   *
   * @param read called once, with the status that refuses a body which is longer than `bytesMax` (413) or finds no room
   *   (503); not called when the client is gone before.
   */
  readBody({ bytesMax, budget }: BodyBounds, read: (body: Uint8Array | BodyRefusal) => void): void {
    let pieces: Uint8Array[] = [];
    let bytes = 0;
    let isRead = false;
    const finish = (body: () => Uint8Array | BodyRefusal): void => {
      isRead = true;
      this.guarded(() => read(body()));
      this.#giveUpBody();
    };
    this.#giveUpBody = () => {
      pieces = [];
      budget.giveBack(bytes);
      bytes = 0;
    };
    this.#out.onData((chunk, isLast) => {
      if (this.done || isRead) return;
      if (bytes + chunk.byteLength > bytesMax) return finish(() => 413);
      if (!budget.take(chunk.byteLength)) return finish(() => 503);
      bytes += chunk.byteLength;
      // The transport takes the chunk back.
      pieces.push(new Uint8Array(chunk.slice(0)));
      if (isLast) finish(() => Buffer.concat(pieces));
    });
  }

  respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void {
    if (this.done) return;
    this.done = true;
    this.onStatus?.(status);
    this.#out.cork(() => {
      this.#head(status, headers);
      if (body === undefined) this.#out.endWithoutBody();
      else if (this.request.method === 'HEAD') {
        this.#out.writeHeader('content-length', `${Buffer.byteLength(body)}`);
        this.#out.endWithoutBody();
      } else this.#out.end(body);
    });
  }

  start(headers: ResponseHeaders, chunk: Uint8Array): void {
    if (this.done) return;
    this.onStatus?.(200);
    this.#out.cork(() => {
      this.#head(200, headers);
      this.#out.write(chunk);
    });
  }

  write(chunk: Uint8Array): void {
    // No writing on as the client reads: a response is ended before it is large.
    if (!this.done) this.#out.cork(() => this.#out.write(chunk));
  }

  end(): void {
    if (this.done) return;
    this.done = true;
    this.#out.cork(() => this.#out.end());
  }

  /** Ends it, and the connection with it, wherever it is. */
  cut(): void {
    if (!this.done) this.#out.close();
  }

  #head(status: number, headers: ResponseHeaders): void {
    this.#out.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
    for (const [name, value] of Object.entries(headers)) this.#out.writeHeader(name, value);
  }
}
