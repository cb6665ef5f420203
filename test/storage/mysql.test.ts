// What MySQL and MariaDB do as all stores do.
import { describe } from 'vitest';
import { openStorage } from '../../src/storage/open.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { emptyDatabases } from './mysql-database.ts';
import { storageContract } from './storage.contract.ts';

describe.runIf(runsMysql)('mysql', () => {
  const server = useMariadb();
  const emptyDatabase = emptyDatabases(server);

  storageContract('mysql', async () => {
    const url = await emptyDatabase();
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
