// Claims of a MySQL database: who owns it, and what a commit asks to know whether it may still be made.
import { StorageError } from '../storage.ts';
import { nextEpoch, wholeTerritory, type Claim, type OwnerRow } from '../claim.ts';
import { describe, type MysqlLocation } from './location.ts';
import { lockTimeout, errorNumber, Session } from './session.ts';

const lockTimeoutDefaultMs = 10_000;

const selection = 'SELECT territory, epoch, owner FROM owners WHERE territory = ?';

/**
 * Asked in the transaction of each commit, with the claim's territory; its row goes to `assertHolds`. The lock is shared:
 * commits of one owner don't wait for one another, while a claim waits for all of them, and they for it.
 */
export const ownerOfCommit = `${selection} LOCK IN SHARE MODE`;

/**
 * With READ COMMITTED a binary log of statements takes no change of a row, so nothing could ever be committed. It is asked
 * of a session that is new, as those of commits will be.
 */
async function assertLogs(session: Session, location: MysqlLocation): Promise<void> {
  const rows = await session.rows<{ Variable_name: string; Value: string }>(
    "SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')",
  );
  const settings = new Map(rows.map((row) => [row.Variable_name, row.Value]));
  if (settings.get('log_bin') !== 'ON' || settings.get('binlog_format') !== 'STATEMENT') return;
  throw new StorageError(
    'UNAVAILABLE',
    `The database server of ${describe(location)} has a binary log of statements (binlog_format=STATEMENT), ` +
      'which takes nothing that Stagewire writes: set binlog_format to ROW or MIXED.',
  );
}

/**
 * Makes `owner` the one that may write. Waits for a commit that is on its way; one that begins later is fenced off.
 *
 * @param lockTimeoutMs how long it waits, whole seconds.
 * @throws StorageError with reason UNAVAILABLE.
 */
export async function claimMysql(
  location: MysqlLocation,
  owner: string,
  now: number,
  lockTimeoutMs = lockTimeoutDefaultMs,
): Promise<Claim> {
  const session = await Session.open(location, { lockTimeoutMs });
  try {
    await assertLogs(session, location);
    await session.run('START TRANSACTION');
    // Makes the row that the next statement locks; two that only looked for it could each keep the other from making it.
    await session.run(
      'INSERT INTO owners (territory, epoch, owner, claimed_at) VALUES (?, 0, ?, ?) ON DUPLICATE KEY UPDATE epoch = epoch',
      [wholeTerritory, owner, new Date(now)],
    );
    const [row] = await session.rows<OwnerRow>(`${selection} FOR UPDATE`, [wholeTerritory]);
    const epoch = nextEpoch(row);
    await session.run('UPDATE owners SET epoch = ?, owner = ?, claimed_at = ? WHERE territory = ?', [
      epoch,
      owner,
      new Date(now),
      wholeTerritory,
    ]);
    await session.run('COMMIT');
    return { territory: wholeTerritory, epoch };
  } catch (error) {
    if (errorNumber(error) !== lockTimeout) throw error;
    throw new StorageError(
      'UNAVAILABLE',
      `The owner so far of the database ${describe(location)} has been committing for ${lockTimeoutMs / 1000} s: ` +
        'end that server, or try again.',
      { cause: error },
    );
  } finally {
    session.close();
  }
}
