// The connection that commits are made on, and why the next one may be believed after it was lost.
//
// When a connection breaks while its COMMIT is on the way, nobody knows what became of that: the server may have made it,
// may have rolled it back, or may have it in front of it and make it at any time later. Whoever then asked the database
// what it holds could be told one thing, go on from there, and be overtaken by rows that he was told are not there. So a
// store must not answer anything before the old session is over.
//
// A lock by name tells. A session of this store takes it before its first commit, and a server gives it back when the
// session ends, after it has rolled back or committed what was open: so whoever has the lock knows that no session before
// it has anything left to do. The name is made up anew by each store, so nobody else can hold it. A session that still
// has it is killed, because a server that is cut off from its client can keep it for hours; KILL takes effect between
// two steps of a statement, and a COMMIT that is being made is made. After the server itself has died there is no lock
// and no session, and what it had not committed is rolled back before it lets anybody in.
import { newId } from '../../lib/random.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { sessionSettings } from './session-settings.ts';

// Those of all statements of a group: of 24 tables, in some sizes each.
const statementsMax = 256;
// Above a slow flush, and well below the time of a commit, so that one that waits for a lock can be tried again.
const lockLimitS = 2;
// How long a session that was killed may take to end: it rolls back what it has done.
const endLimitS = 3;
// MariaDB ends a transaction that nobody goes on with, as of a host that is gone without a word: it would hold its locks
// until the server misses the connection. Far above the pauses of one that goes on.
const idleLimitS = 30;

/** @param lock a name of `newCommitLock`, the same for all connections of a store. */
export async function openCommitConnection(
  options: Pick<ConnectionOptions, 'location' | 'clock'>,
  lock: string,
): Promise<Connection> {
  const connection = await Connection.open({
    ...options,
    statementsMax,
    settings: (isMariadb) => [
      ...sessionSettings(isMariadb),
      `SET SESSION innodb_lock_wait_timeout = ${lockLimitS}, lock_wait_timeout = ${lockLimitS}`,
      ...(isMariadb ? [`SET SESSION idle_transaction_timeout = ${idleLimitS}`] : []),
    ],
  });
  try {
    await takeLock(connection, lock);
    // The first statement of a commit begins its transaction: one round trip less.
    await connection.run('SET SESSION autocommit = 0', endLimitS * 1_000);
    return connection;
  } catch (error) {
    connection.abandon('The session before it could not be ended');
    throw error;
  }
}

export const newCommitLock = (): string => `stagewire:commits:${newId()}`;

async function takeLock(connection: Connection, lock: string): Promise<void> {
  const limitMs = endLimitS * 1_000;
  const [before] = await connection.execute('SELECT IS_USED_LOCK(?) AS session', [lock], limitMs);
  const session = before?.['session'];
  if (session !== null && session !== undefined) {
    // It may be gone by now, and if it can't be killed it may end by itself.
    await connection.run(`KILL ${Number(session)}`, limitMs).catch((error: unknown) => {
      if (connection.isLost) throw error;
    });
  }
  const [taken] = await connection.execute(
    `SELECT GET_LOCK(?, ${endLimitS}) AS isTaken`,
    [lock],
    // The server counts its seconds from when it has the statement.
    limitMs + 1_000,
  );
  if (taken?.['isTaken'] !== 1) throw new Error('An earlier commit has not ended on the database server.');
}
