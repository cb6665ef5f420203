// The one table of refusals. Imports nothing.

/** Codes a client can see, in `/user/queue/errors`, in REST bodies and in ERROR frames. */
export type ErrorCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'RATE_LIMITED'
  | 'TOO_LARGE'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** HTTP status of each code. */
export const httpStatus: Readonly<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  TOO_LARGE: 413,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

/**
 * A command refused for what it asks: goes to whoever asked, word for word, so its message never holds SQL,
 * a stack or a path. Anything else that is thrown is a fault of ours and is shown as INTERNAL.
 */
export class Refusal extends Error {
  readonly code: ErrorCode;
  /** The domain's own fields, such as `roomId` or `retryAfterMs`. */
  readonly detail: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, message: string, detail: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.detail = detail;
  }
}

/** A queue is over its bound: nothing was done, and it may work later. */
export function overloaded(): Refusal {
  return new Refusal('UNAVAILABLE', 'The server is overloaded, try again later.');
}
