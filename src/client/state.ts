// What a user can be shown of the connection.
import type { LossReason } from './loss.ts';

export type ClientState =
  /** Not connected yet, and trying. */
  | {
      readonly name: 'connecting';
      /** 1 for the first since `connect`, or since the connection was lost. */
      readonly attempt: number;
    }
  /** All that was missed has been asked for. */
  | {
      readonly name: 'connected';
      /** Whose token it is, as the server reads it. */
      readonly user: string;
    }
  /** The connection was lost or could not be made; it is tried again. */
  | {
      readonly name: 'waiting';
      /** Which one comes next. */
      readonly attempt: number;
      /** When that is: milliseconds since 1970. */
      readonly retryAtMs: number;
      /** Why there is no connection. */
      readonly reason: LossReason;
      /** The same as a sentence: the server's own words, or what a callback threw. */
      readonly message: string;
    }
  /** The browser says that there is no network; goes on when there is one. */
  | { readonly name: 'offline' }
  /**
   * It is not tried again until `connect` is called. What waited has rejected, and what is sent now rejects at once: with
   * UNAUTHORIZED or UNAVAILABLE and this message.
   */
  | {
      readonly name: 'failed';
      /** The server does not take the token, or `maxAttempts` were in vain. */
      readonly reason: 'unauthorized' | 'attempts';
      /** The server's own words, such as `The token has expired.`, or why the last attempt was in vain. */
      readonly message: string;
    }
  /** Not asked to connect, or closed. */
  | { readonly name: 'closed' };
