// One HTTP response, which may be gone before its answer is there.
import { STATUS_CODES } from 'node:http';
import type { HttpSide } from './http-side.ts';
import type { RestResponse } from './rest-response.ts';

/** What is used of the transport's response; nothing of it may be after it has ended. */
export interface HttpOut {
  onAborted(handler: () => void): unknown;
  pause(): void;
  resume(): void;
  cork(task: () => void): unknown;
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string): unknown;
  end(body: Uint8Array, closeConnection: boolean): unknown;
  endWithoutBody(): unknown;
}

export class HttpReply implements HttpSide {
  done = false;
  /** Called when the client is gone before it was answered. */
  onAborted: (() => void) | null = null;
  /** Told of the status when it is answered. */
  onReply: ((status: number) => void) | null = null;
  readonly #out: HttpOut;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isHead: boolean;
  #isPaused = false;

  /** @param isHead the request was HEAD: a body would be taken for the start of the next response. */
  constructor(out: HttpOut, headers: Readonly<Record<string, string>>, isHead: boolean) {
    this.#out = out;
    this.#headers = headers;
    this.#isHead = isHead;
    out.onAborted(() => {
      this.done = true;
      this.onAborted?.();
    });
  }

  pause(): void {
    if (this.done || this.#isPaused) return;
    this.#isPaused = true;
    this.#out.pause();
  }

  resume(): void {
    if (this.done || !this.#isPaused) return;
    this.#isPaused = false;
    this.#out.resume();
  }

  reply({ status, body, headers }: RestResponse, closes = false): void {
    if (this.done) return;
    // What is left of the body is read all the same: the next request comes after it.
    this.resume();
    this.done = true;
    this.onReply?.(status);
    this.#out.cork(() => {
      this.#out.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      const type = body ? { 'content-type': 'application/json' } : {};
      for (const [name, value] of Object.entries({ ...this.#headers, ...type, ...headers })) {
        this.#out.writeHeader(name, value);
      }
      this.#out.writeHeader('cache-control', 'no-store');
      if (body && !this.#isHead) this.#out.end(body, closes);
      else {
        // Told of a length, `endWithoutBody` waits for a body; told of none in so many words, it makes one up.
        if (body) this.#out.writeHeader('content-length', `${body.length}`);
        this.#out.endWithoutBody();
      }
    });
  }
}
