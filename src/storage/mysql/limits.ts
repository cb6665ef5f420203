// How long the store waits for a MySQL server, and for what.

export interface MysqlLimits {
  /** Until a connection is open and set up. */
  readonly openMs: number;
  /** Until a session that was given up has ended on the server. */
  readonly sessionEndMs: number;
  /** For a connection that is opened again, before whoever asks is told that the database is away. */
  readonly graceMs: number;
  /** For a commit with all its tries; whoever waits for it has a client that waits, too. */
  readonly commitMs: number;
  /** For the lock of a row that somebody else has; then the commit is tried again. */
  readonly lockMs: number;
  /** After so long without a word the server ends the session of commits: twice the time between two pings. */
  readonly silenceMs: number;
  /** For one query, in a connection of its own. */
  readonly queryMs: number;
  /** For such a connection. */
  readonly turnMs: number;
}

export const defaultLimits: MysqlLimits = {
  // Lookup, connection, encryption, authentication and settings take milliseconds where all is well.
  openMs: 3_000,
  // It rolls back what it has done.
  sessionEndMs: 3_000,
  // A server that is started again is back within a second or two: then those who ask see but a delay.
  graceMs: 3_000,
  commitMs: 10_000,
  // Above a slow flush, and so far below the time of a commit that it can be tried again.
  lockMs: 2_000,
  silenceMs: 60_000,
  queryMs: 5_000,
  turnMs: 5_000,
};
