// What a user can be shown of the connection.

export type ClientState =
  /** Not connected yet, and trying. */
  | { readonly name: 'connecting'; readonly attempt: number }
  /** All that was missed has been asked for. */
  | { readonly name: 'connected'; readonly user: string }
  /** The connection was lost or could not be made; the next attempt is at `retryAtMs` (milliseconds since 1970). */
  | { readonly name: 'waiting'; readonly attempt: number; readonly retryAtMs: number }
  /** The browser says that there is no network; goes on when there is one. */
  | { readonly name: 'offline' }
  /** The server does not take the token, or `maxAttempts` were in vain: `connect` tries again. */
  | { readonly name: 'failed'; readonly reason: 'unauthorized' | 'attempts'; readonly message: string }
  /** Not asked to connect, or closed. */
  | { readonly name: 'closed' };
