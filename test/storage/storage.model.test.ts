// The same random writes into both stores: the same outcomes, and the same rows from every query.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../../src/storage/memory/memory.ts';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import type { Storage, Transaction } from '../../src/storage/storage.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { everyQuery } from './model-queries.ts';
import { boundsOfQueries, parents, write } from './model-writes.ts';
import { reasons } from './rows.ts';

removeFilesAfterwards();

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

describe('memory and SQLite', () => {
  it('[STORE35] do the same with any writes', async () => {
    const property = fc.asyncProperty(commits, boundsOfQueries, async (batches, bounds) => {
      const memory = openMemory();
      const sqlite = openSqlite({ file: newDatabase() });
      try {
        for (const batch of [[parents], ...batches]) {
          expect(await commitReasons(memory, batch)).toEqual(await commitReasons(sqlite, batch));
        }
        for (const query of everyQuery(bounds)) {
          expect(await memory.query(query), query.name).toEqual(await sqlite.query(query));
        }
      } finally {
        await memory.close();
        await sqlite.close();
      }
    });
    await fc.assert(property, { seed: 2_024_0501, numRuns: 100 });
  });
});
