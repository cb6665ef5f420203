// What every store does: one suite, run on each of them. What only SQLite promises is in its own tests.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageError, type Storage } from '../../src/storage/storage.ts';
import { makeFixture } from './contract-fixture.ts';
import { documentRules } from './contract-documents.ts';
import { domainRowRules } from './contract-domain-rows.ts';
import { missedRules } from './contract-missed.ts';
import { queryRules } from './contract-queries.ts';
import { rowRules } from './contract-rows.ts';
import { streamRules } from './contract-streams.ts';
import { transactionRules } from './contract-transactions.ts';
import { valueRules } from './contract-values.ts';
import { insert, messages, room } from './rows.ts';

interface OpenedStorage {
  readonly storage: Storage;
  /** Closes the store and opens it again. None where nothing survives. */
  readonly reopen?: () => Promise<Storage>;
}

export function storageContract(store: string, open: () => Promise<OpenedStorage>): void {
  describe(store, () => {
    let opened: OpenedStorage;
    let storage: Storage;
    const fixture = makeFixture(() => storage);
    const { commitReasons, roomRow, seqs, write } = fixture;

    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(() => storage.close());

    rowRules(fixture);
    transactionRules(fixture);
    queryRules(fixture);
    valueRules(fixture);
    domainRowRules(fixture);
    streamRules(fixture);
    documentRules(fixture);
    missedRules(fixture);

    describe('ends', () => {
      it('[STORE20] a closed store answers UNAVAILABLE and is closed twice without harm', async () => {
        await storage.close();
        expect(await commitReasons([], messages(1))).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
        const asked = roomRow();
        await expect(asked).rejects.toThrow(StorageError);
        await expect(asked).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
        await storage.close();
      });

      it('[STORE21] what was committed is there after the store was opened again', async () => {
        await write(insert('chat_rooms', room()), ...messages(50));
        storage = (await opened.reopen?.()) ?? storage;
        expect(await roomRow()).toEqual([room()]);
        expect(await seqs()).toHaveLength(50);
      });
    });
  });
}
