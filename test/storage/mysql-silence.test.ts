// A host that is gone without a word, as one that lost its power: nothing closes its connections.
import { describe, expect, it } from 'vitest';
import { parseMysqlUrl } from '../../src/storage/mysql/location.ts';
import { openMysql } from '../../src/storage/mysql/mysql.ts';
import { claimStorage, migrate } from '../../src/storage/open.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { insert, noon, reasons, room } from './rows.ts';

const mariadb = useMariadb();

const marked = 'in the middle of a commit';

describe.runIf(runsMysql)('a host that is gone without a word', () => {
  it('[STORE72] in the middle of a commit keeps nobody from claiming the database', async () => {
    const url = await mariadb().newDatabase();
    await migrate(url);
    const location = parseMysqlUrl(url);
    const proxy = await startFaultProxy(location.port);
    const claim = await claimStorage(url, 'the host that goes', noon);
    // It does not give up by itself, which would close its connection.
    const limits = { commitMs: 60_000, silenceMs: 1_000 };
    const storage = await openMysql({ location: { ...location, port: proxy.port }, claim, limits });
    const isGone = new Promise<void>((resolve) => {
      void proxy.cutAt('after', (bytes) => {
        if (!bytes.includes(marked)) return false;
        // The server gets this, and nothing after it.
        proxy.stall();
        resolve();
        return false;
      });
    });
    const lost = storage.commit([[insert('chat_rooms', room({ name: marked }))]]);
    await isGone;
    // It waits for 10 s, and gets what the commit has locked.
    const next = await claimStorage(url, 'the next host', noon);
    expect(next?.epoch).toBe((claim?.epoch ?? 0) + 1);
    expect(await mariadb().sql('SELECT * FROM chat_rooms', url)).toEqual([]);
    proxy.flow();
    // It was not dead: it has lost the database.
    expect(['UNAVAILABLE', 'FENCED']).toContain(reasons(await lost)[0]);
    await expect.poll(async () => reasons(await storage.commit([[]]))).toEqual(['FENCED']);
    await storage.close();
  });

  it('[STORE72] a session that was ended for its silence costs whoever commits next nothing', async () => {
    const url = await mariadb().newDatabase();
    await migrate(url);
    const storage = await openMysql({ location: parseMysqlUrl(url), limits: { silenceMs: 1_000 } });
    const database = new URL(url).pathname.slice(1);
    const sessions = async (): Promise<unknown[]> => {
      const others = `db = '${database}' AND id <> CONNECTION_ID()`;
      return (await mariadb().sql(`SELECT id FROM information_schema.processlist WHERE ${others}`, url)).map(
        ({ id }) => id,
      );
    };
    const before = await sessions();
    expect(before.length).toBeGreaterThan(0);
    const left = async (): Promise<unknown[]> => (await sessions()).filter((id) => before.includes(id));
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    expect(await storage.commit([[insert('chat_rooms', room())]])).toEqual([null]);
    await storage.close();
  });
});
