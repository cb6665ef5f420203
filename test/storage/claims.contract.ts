// What every store that can be claimed does: one suite, run on each of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim } from '../../src/storage/claim.ts';
import { claimStorage, openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { insert, message, messages, noon, reasons, room, topic } from './rows.ts';
import { startScript, type Child } from './storage-child-process.ts';

/** A migrated, empty database that nobody has claimed, and that other processes can open too. */
export interface ClaimedDatabase {
  readonly url: string;
  /** Runs SQL as somebody would by hand; rows of a SELECT. */
  sql(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const commitRounds = 8;
const claimants = 5;

export function claimsContract(store: string, make: () => Promise<ClaimedDatabase>): void {
  describe(`claims of ${store}`, () => {
    let database: ClaimedDatabase;
    const opened: Storage[] = [];
    const children: Child[] = [];

    const claim = async (owner = 'a server'): Promise<Claim> =>
      (await claimStorage(database.url, owner, noon)) as Claim;
    const open = async (held: Claim | null): Promise<Storage> => {
      const storage = await openStorage(database.url, { claim: held });
      opened.push(storage);
      return storage;
    };
    const start = (...parameters: string[]): Child => {
      const child = startScript('./claims-child.js', parameters);
      children.push(child);
      return child;
    };
    const seqs = async (storage: Storage): Promise<number[]> => {
      const args = { roomId: 'lobby', after: 0, limit: 1_000 };
      return (await storage.query({ name: 'roomMessagesAfter', args })).map(({ seq }) => seq);
    };
    const stray = [insert('chat_messages', message({ room_id: 'none' }))];

    beforeEach(async () => {
      database = await make();
    });
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill();
      for (const storage of opened.splice(0)) await storage.close();
    });

    it('[FENCE1] each claim is one more than the one before, and the database says whose it is', async () => {
      expect(await claim('first')).toEqual({ territory: '*', epoch: 1 });
      expect(await claim('second')).toEqual({ territory: '*', epoch: 2 });
      const rows = await database.sql('SELECT territory, epoch, owner FROM owners');
      expect(rows.map((row) => [row['territory'], Number(row['epoch']), row['owner']])).toEqual([
        ['*', 2, 'second'],
      ]);
    });

    it('[FENCE1] those who claim in the same moment take turns', async () => {
      const claiming = Array.from({ length: claimants }, (_, index) =>
        start('claim', database.url, `${index}`),
      );
      for (const child of claiming) await child.line();
      for (const child of claiming) child.say('go');
      const claims = await Promise.all(
        claiming.map(async (child) => {
          await child.line();
          return JSON.parse(await child.line()) as Claim;
        }),
      );
      const epochs = claims.map(({ epoch }) => epoch);
      expect(epochs.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5]);
      const rows = await database.sql('SELECT owner FROM owners');
      expect(rows).toEqual([{ owner: `${epochs.indexOf(claimants)}` }]);
    });

    it('[FENCE2] a store with an older claim applies nothing and says FENCED of all; queries answer', async () => {
      const loser = await open(await claim());
      expect(await loser.commit([[insert('chat_rooms', room())], messages(1)])).toEqual([null, null]);
      const second = [insert('chat_messages', message({ seq: 2 }))];
      expect(reasons(await loser.commit([stray, second]))).toEqual(['CONSTRAINT', null]);

      const winner = await open(await claim('the newer one'));
      const third = [insert('chat_messages', message({ seq: 3 }))];
      for (const transactions of [[third], [stray, third], [[], third, []], [[]]]) {
        const outcomes = await loser.commit(transactions);
        expect(reasons(outcomes)).toEqual(transactions.map(() => 'FENCED'));
        expect(outcomes[0]?.message).toContain('the newer one');
      }
      expect(await seqs(loser)).toEqual([1, 2]);
      expect(await winner.commit([third])).toEqual([null]);
      expect(await seqs(loser)).toEqual([1, 2, 3]);
      expect(reasons(await loser.commit([[]]))).toEqual(['FENCED']);
    });

    it('[FENCE3] a store without a claim is not asked for one', async () => {
      const before = await open(null);
      await claim();
      const after = await open(null);
      expect(await before.commit([[insert('chat_rooms', room())]])).toEqual([null]);
      expect(await after.commit([messages(1)])).toEqual([null]);
    });

    it('[FENCE4] a claim waits for the commit that is on its way, or makes it fail, and never both', async () => {
      const first = await open(null);
      await first.commit([[insert('topics', topic())]]);
      const newest = async (): Promise<number | undefined> =>
        (await first.query({ name: 'topicHead', args: { topic: 'news' } }))[0]?.newest;
      for (let round = 0; round < commitRounds; round += 1) {
        const child = start('commit', database.url, JSON.stringify(await claim()));
        for (let count = 0; count < 20 + round; count += 1) await child.line();
        await claim();
        const stored = await newest();
        const rest = await child.ended();
        expect(new Set(JSON.parse(rest.at(-1) ?? '') as string[])).toEqual(new Set(['FENCED']));
        const acknowledged = rest.length > 1 ? Number(rest.at(-2)) : 20 + round;
        expect([stored, await newest()]).toEqual([acknowledged, acknowledged]);
        await first.commit([[{ op: 'trim_topic', topic: 'news', upto: acknowledged }]]);
      }
    });

    it('[FENCE5] a claim outlives the store that was opened with it', async () => {
      const held = await claim();
      const first = await open(held);
      await first.commit([[insert('chat_rooms', room())]]);
      await first.close();
      const again = await open(held);
      expect(await again.commit([messages(1)])).toEqual([null]);
    });

    it('[FENCE5] once its row was removed by hand nobody owns the database, until somebody claims it', async () => {
      const storage = await open(await claim());
      await storage.commit([[insert('chat_rooms', room())]]);
      await database.sql('DELETE FROM owners');
      const outcomes = await storage.commit([messages(1)]);
      expect(reasons(outcomes)).toEqual(['FENCED']);
      expect(outcomes[0]?.message).toMatch(/row in its table owners was removed/);
      expect(await (await open(await claim())).commit([messages(1)])).toEqual([null]);
    });
  });
}
