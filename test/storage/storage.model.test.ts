// The same random writes into a store and into memory: the same outcomes, and the same rows from every query.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../../src/storage/memory/memory.ts';
import { openStorage } from '../../src/storage/open.ts';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import type { Storage, Transaction } from '../../src/storage/storage.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { everyQuery } from './model-queries.ts';
import { boundsOfQueries, parents, write } from './model-writes.ts';
import { emptyDatabases } from './mysql-database.ts';
import { reasons } from './rows.ts';

const commits = fc.array(fc.array(fc.array(write, { maxLength: 4 }), { minLength: 4, maxLength: 20 }), {
  minLength: 4,
  maxLength: 10,
});

async function commitReasons(
  storage: Storage,
  transactions: readonly Transaction[],
): Promise<(string | null)[]> {
  return reasons(await storage.commit(transactions));
}

/** Whether a store, opened anew for each run, does what the one in memory does. */
async function doesTheSame(open: () => Promise<Storage>, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(commits, boundsOfQueries, async (batches, bounds) => {
    const memory = openMemory();
    const storage = await open();
    try {
      for (const batch of [[parents], ...batches]) {
        expect(await commitReasons(storage, batch)).toEqual(await commitReasons(memory, batch));
      }
      for (const query of everyQuery(bounds)) {
        expect(await storage.query(query), query.name).toEqual(await memory.query(query));
      }
    } finally {
      await memory.close();
      await storage.close();
    }
  });
  await fc.assert(property, { seed: 2_024_0501, numRuns });
}

describe('memory and SQLite', () => {
  removeFilesAfterwards();

  it('[STORE35] do the same with any writes', async () => {
    await expect(doesTheSame(async () => openSqlite({ file: newDatabase() }), 100)).resolves.toBeUndefined();
  });
});

describe.runIf(runsMysql)('memory and MySQL', () => {
  const emptyDatabase = emptyDatabases(useMariadb());

  it('[STORE35] do the same with any writes', async () => {
    await expect(doesTheSame(async () => openStorage(await emptyDatabase()), 30)).resolves.toBeUndefined();
  });
});
