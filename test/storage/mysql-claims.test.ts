// Claims of a MySQL database, and what they do about the lock of the owner's row.
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, describe, expect, it } from 'vitest';
import { assertHolds, wholeTerritory, type OwnerRow } from '../../src/storage/claim.ts';
import { claimMysql, ownerOfCommit } from '../../src/storage/mysql/claim.ts';
import { parseMysqlUrl } from '../../src/storage/mysql/location.ts';
import { claimStorage, migrate } from '../../src/storage/open.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { claimsContract } from './claims.contract.ts';
import { noon } from './rows.ts';

const server = useMariadb();

async function migrated(): Promise<string> {
  const url = await server().newDatabase();
  await migrate(url);
  return url;
}

if (runsMysql) {
  claimsContract('mysql', async () => {
    const url = await migrated();
    return { url, sql: (statement) => server().sql(statement, url) };
  });
}

describe.runIf(runsMysql)('claims of MySQL only', () => {
  const open: Connection[] = [];

  afterEach(() => {
    for (const connection of open.splice(0)) connection.destroy();
  });

  /** A transaction as a commit begins one. */
  async function beginCommit(url: string): Promise<Connection> {
    const connection = await createConnection(url);
    open.push(connection);
    await connection.query('START TRANSACTION');
    return connection;
  }

  async function ownerIn(connection: Connection): Promise<OwnerRow | undefined> {
    const [rows] = await connection.query<RowDataPacket[]>(ownerOfCommit, [wholeTerritory]);
    return rows[0] as OwnerRow | undefined;
  }

  /** Resolves when so many statements on the owners wait for a lock or `ended` says that none will. */
  async function waiting(url: string, count: number, ended: () => boolean): Promise<void> {
    // Not the list of processes alone: a statement is there before it has come to the lock. What the server tells of locks
    // it looks up anew only when nobody has asked for a tenth of a second.
    const asked =
      'DO SLEEP(0.15); ' +
      'SELECT id FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id ' +
      "WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'";
    while (!ended() && (await server().sql(asked, url)).length < count);
  }

  it('[FENCE1] the first claims of a database, made at once, are told apart', async () => {
    for (let round = 0; round < 5; round += 1) {
      const url = await migrated();
      const claims = await Promise.all(['a', 'b', 'c'].map(async (owner) => claimStorage(url, owner, noon)));
      expect(claims.map((claim) => claim?.epoch ?? 0).toSorted((one, other) => one - other)).toEqual([
        1, 2, 3,
      ]);
    }
  });

  it('[FENCE4] [STORE57] a claim waits for a commit on its way, and fences off what begins later', async () => {
    const url = await migrated();
    const claim = (await claimStorage(url, 'older', noon)) ?? expect.unreachable();
    const [early, beside] = [await beginCommit(url), await beginCommit(url)];
    // Commits of one owner don't wait for one another.
    assertHolds(claim, await ownerIn(early));
    assertHolds(claim, await ownerIn(beside));
    await early.query("INSERT INTO topics VALUES ('early', 'e', NOW())");

    const order: string[] = [];
    const younger = claimStorage(url, 'younger', noon).then(() => order.push('claimed'));
    await waiting(url, 1, () => order.length > 0);
    const late = await beginCommit(url);
    const asked = ownerIn(late).then((row) => {
      order.push('asked');
      return row;
    });
    await waiting(url, 2, () => order.length > 0);
    await beside.query('COMMIT');
    order.push('committed');
    await early.query('COMMIT');
    await younger;
    const owner = await asked;
    expect(order[0]).toBe('committed');
    expect(owner).toEqual({ territory: '*', epoch: 2, owner: 'younger' });
    expect(() => assertHolds(claim, owner)).toThrow(/taken over this database: younger/);
    expect(await server().sql('SELECT topic FROM topics', url)).toEqual([{ topic: 'early' }]);
  });

  it('[STORE57] a claim that waits too long says who is in its way', async () => {
    const url = await migrated();
    await claimStorage(url, 'older', noon);
    const commit = await beginCommit(url);
    await ownerIn(commit);
    await expect(claimMysql(parseMysqlUrl(url), 'younger', noon, 1_000)).rejects.toThrow(
      /^The owner so far of the database \w+ on [\w.:]+ has been committing for 1 s: end that server, or try again\.$/,
    );
    await commit.query('COMMIT');
    expect(await claimStorage(url, 'younger', noon)).toMatchObject({ epoch: 2 });
  });
});
