// MySQL as a store, on a real server.
import { beforeAll, describe } from 'vitest';
import { migrate, openStorage } from '../../src/storage/open.ts';
import { schemas } from '../../src/storage/schema.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { storageContract } from './storage.contract.ts';

describe.runIf(runsMysql)('on a server', () => {
  const server = useMariadb();
  let url: string;

  beforeAll(async () => {
    url = await server().newDatabase();
    await migrate(url);
  });

  storageContract('mysql', async () => {
    const emptied = Object.keys(schemas).map((table) => `DELETE FROM ${table}`);
    await server().sql(`SET foreign_key_checks = 0; ${emptied.join('; ')}`, url);
    const storage = await openStorage(url);
    return {
      storage,
      async reopen() {
        await storage.close();
        return openStorage(url);
      },
    };
  });
});
