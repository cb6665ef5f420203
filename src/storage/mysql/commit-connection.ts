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
import type { MysqlLimits } from './limits.ts';
import { sessionSettings } from './session-settings.ts';

// Those of all statements of a group: of 24 tables, in some sizes each.
const statementsMax = 256;
export type CommitConnectionOptions = Pick<ConnectionOptions, 'location' | 'clock'> & {
  readonly limits: Pick<MysqlLimits, 'openMs' | 'lockMs' | 'sessionEndMs' | 'silenceMs'>;
};

/** @param lock a name of `newCommitLock`, the same for all connections of a store. */
export async function openCommitConnection(
  options: CommitConnectionOptions,
  lock: string,
): Promise<Connection> {
  const { lockMs, sessionEndMs, silenceMs } = options.limits;
  // The servers count whole seconds.
  const lockS = Math.ceil(lockMs / 1_000);
  // A host that is gone without a word leaves a transaction that holds its locks until the server misses the connection,
  // and as long nobody else can commit or claim. So the server ends a session of which it hears nothing for longer than
  // there is between two pings, and MariaDB, which can, a transaction that nobody goes on with sooner. Both are far above
  // the pauses of a commit that goes on; one that loses its connection before COMMIT was sent is made again on another.
  const silenceS = Math.ceil(silenceMs / 1_000);
  const connection = await Connection.open({
    ...options,
    statementsMax,
    settings: (isMariadb) => [
      ...sessionSettings(isMariadb),
      `SET SESSION innodb_lock_wait_timeout = ${lockS}, lock_wait_timeout = ${lockS}, ` +
        `wait_timeout = ${silenceS}`,
      ...(isMariadb ? [`SET SESSION idle_transaction_timeout = ${Math.ceil(silenceS / 2)}`] : []),
    ],
  });
  try {
    await takeLock(connection, lock, sessionEndMs);
    // The first statement of a commit begins its transaction: one round trip less.
    await connection.run('SET SESSION autocommit = 0', sessionEndMs);
    return connection;
  } catch (error) {
    connection.abandon('The session before it could not be ended');
    throw error;
  }
}

export const newCommitLock = (): string => `stagewire:commits:${newId()}`;

async function takeLock(connection: Connection, lock: string, limitMs: number): Promise<void> {
  const [before] = await connection.execute('SELECT IS_USED_LOCK(?) AS session', [lock], limitMs);
  const session = before?.['session'];
  if (session !== null && session !== undefined) {
    // It may be gone by now, and if it can't be killed it may end by itself.
    await connection.run(`KILL ${Number(session)}`, limitMs).catch((error: unknown) => {
      if (connection.isLost) throw error;
    });
  }
  const [taken] = await connection.execute(
    `SELECT GET_LOCK(?, ${Math.ceil(limitMs / 1_000)}) AS isTaken`,
    [lock],
    // The server counts whole seconds, from when it has the statement.
    limitMs + 2_000,
  );
  if (taken?.['isTaken'] !== 1) throw new Error('An earlier commit has not ended on the database server.');
}
