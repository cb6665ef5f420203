// What a promise of the client rejects with.
import type { ErrorCode } from '../errors.ts';

/**
 * Why something was not done: a code of the server's, or one of the client's own. `CLOSED`: the client was closed first.
 * `FULL`: too much waits to be sent already. `EXPIRED`: there was no answer in time; whether it was done is not known.
 */
export type RefusalCode = ErrorCode | 'CLOSED' | 'FULL' | 'EXPIRED';

export class StagewireError extends Error {
  readonly code: RefusalCode;
  /** The domain's own fields of a refusal, such as `roomId` or `retryAfterMs`. */
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: RefusalCode, message: string, detail: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'StagewireError';
    this.code = code;
    this.detail = detail;
  }
}

/** The error that a refusal's body stands for. */
export function refusalOf(body: unknown): StagewireError {
  const { code, message, ...detail } = body as { code: RefusalCode; message: string };
  return new StagewireError(code, message, detail);
}
