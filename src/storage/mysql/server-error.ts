// What the errors of MySQL and MariaDB mean for what was asked.

/** The connection is gone: it broke, or the server did not answer in time. */
export class ConnectionLost extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConnectionLost';
  }
}

interface ServerError {
  readonly errno: number;
  readonly sqlState: string;
}

// Classes of SQL states: data that can't be what it should, and keys and references that don't hold.
const refusedStates = /^2[23]/;
// Errors of data that have no state of their own: a value is missing, cut short, of no use to its column or its
// character set, a row is too large.
const refusedNumbers = new Set([1048, 1118, 1153, 1264, 1265, 1292, 1300, 1366, 1406, 3819, 3988, 4025]);
// A deadlock, a lock that could not be had, a row or a table that has changed since it was looked at: nothing is wrong
// with what was asked, and once the others are done it works.
const passingNumbers = new Set([1205, 1213, 1020, 1615, 3572]);
// The server is going down, somebody has ended this connection, or the server takes no more writes, as one that another
// has taken over from: the next connection may lead to that one.
const endingNumbers = new Set([1053, 1927, 3169, 4031, 1159, 1161, 1077, 1079, 1290, 1836]);

function serverError(error: unknown): ServerError | null {
  const { errno, sqlState } = (error ?? {}) as Partial<ServerError>;
  return typeof errno === 'number' && errno > 0 && typeof sqlState === 'string' ? { errno, sqlState } : null;
}

/**
 * Whether what was asked can never work, as opposed to the server being in trouble. What comes neither from the server
 * nor from the connection comes from a value that can't be bound.
 */
export function isRefusedByData(error: unknown): boolean {
  if (error instanceof RangeError || error instanceof TypeError) return true;
  const found = serverError(error);
  return found !== null && (refusedStates.test(found.sqlState) || refusedNumbers.has(found.errno));
}

/** Whether the same transaction, rolled back and made again, may well work. */
export function isPassing(error: unknown): boolean {
  return passingNumbers.has(serverError(error)?.errno ?? 0);
}

/** Whether nothing more can be asked on the connection that the error came from. */
export function endsConnection(error: unknown): boolean {
  const found = serverError(error);
  return found === null
    ? (error as { fatal?: boolean } | null)?.fatal === true
    : endingNumbers.has(found.errno);
}
