// What the handling of a request needs of its transport.
import type { RestResponse } from './rest-response.ts';

export interface HttpSide {
  /** No more of the body comes until `resume`, but for what is on its way. */
  pause(): void;
  resume(): void;
  /** Answers, once. `closes` ends the connection after it. */
  reply(response: RestResponse, closes?: boolean): void;
}

/** Takes the body of one request, and answers it. */
export interface BodyReader {
  /** The bytes may be used again after the call. */
  push(chunk: Uint8Array, isLast: boolean): void;
  /** The client is gone. */
  abort(): void;
}
