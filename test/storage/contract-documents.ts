// Contract of stores: documents, their operations and snapshots.
import { beforeEach, describe, expect, it } from 'vitest';
import type { DocumentOperationRow } from '../../src/storage/tables.ts';
import type { Fixture } from './contract-fixture.ts';
import { document, operation, snapshot } from './domain-rows.ts';
import { insert, upsert } from './rows.ts';

export function documentRules({ write, query }: Fixture): void {
  const docId = 'd1';
  const of = (rows: readonly { revision: number }[]) => rows.map(({ revision }) => revision);
  const head = async () => (await query({ name: 'documentHead', args: { docId } }))[0];
  const tail = async (before = Infinity) =>
    of(await query({ name: 'documentTail', args: { docId, before } }));
  const after = async (revision: number, limit = 99) =>
    of(await query({ name: 'documentOperationsAfter', args: { docId, after: revision, limit } }));
  const newest = async (before = Infinity) =>
    of(await query({ name: 'documentSnapshot', args: { docId, before } }));
  const operations = (...revisions: number[]) =>
    revisions.map((revision) => insert('document_operations', operation({ revision })));

  describe('documents', () => {
    beforeEach(() =>
      write(
        insert('documents', document()),
        insert('documents', document({ doc_id: 'other' })),
        insert('document_operations', operation({ doc_id: 'other', revision: 50 })),
        insert('document_snapshots', snapshot({ doc_id: 'other', revision: 60 })),
      ),
    );

    it('[STORE42] a document is at the revision after its last operation, or at that of its snapshot', async () => {
      expect(await head()).toEqual({ oldest: 0, newest: 0 });
      await write(...operations(0, 1, 2));
      expect(await head()).toEqual({ oldest: 0, newest: 3 });
      await write(insert('document_snapshots', snapshot({ revision: 3 })));
      expect(await head()).toEqual({ oldest: 0, newest: 3 });
      await write({ op: 'trim_document', docId, operationsBefore: 2, snapshotsBefore: 0 });
      expect(await head()).toEqual({ oldest: 2, newest: 3 });
      await write({ op: 'trim_document', docId, operationsBefore: 3, snapshotsBefore: 0 });
      expect(await head()).toEqual({ oldest: 3, newest: 3 });
    });

    it('[STORE42] the tail of a document is what its newest snapshot lacks and one more, all without one', async () => {
      await write(...operations(3, 1, 0, 2, 4));
      expect(await tail()).toEqual([0, 1, 2, 3, 4]);
      await write(
        insert('document_snapshots', snapshot({ revision: 4 })),
        insert('document_snapshots', snapshot({ revision: 2 })),
      );
      expect(await newest()).toEqual([4]);
      expect(await tail()).toEqual([3, 4]);
      await write(insert('document_snapshots', snapshot({ revision: 5 })));
      expect(await tail()).toEqual([4]);
      await write(insert('document_snapshots', snapshot({ revision: 7 })));
      expect(await tail()).toEqual([]);
      expect([await newest(7), await tail(7)]).toEqual([[5], [4]]);
      expect([await newest(5), await tail(5)]).toEqual([[4], [3, 4]]);
      expect([await newest(4), await tail(4)]).toEqual([[2], [1, 2, 3, 4]]);
      expect([await newest(2), await tail(2)]).toEqual([[], [0, 1, 2, 3, 4]]);
      expect(await after(1, 2)).toEqual([2, 3]);
      expect(await after(-Infinity)).toEqual([0, 1, 2, 3, 4]);
      expect(await after(4)).toEqual([]);
      expect(await after(-1, 0)).toEqual([]);
    });

    it('[STORE39] trim_document removes the older operations and snapshots of one document', async () => {
      await write(...operations(0, 1, 2, 3));
      await write(...[0, 2, 4].map((revision) => insert('document_snapshots', snapshot({ revision }))));
      await write({ op: 'trim_document', docId, operationsBefore: 2, snapshotsBefore: 2 });
      expect(await after(-1)).toEqual([2, 3]);
      expect(await newest()).toEqual([4]);
      await write({ op: 'trim_document', docId, operationsBefore: 0, snapshotsBefore: 4 });
      expect(await newest()).toEqual([4]);
      await write(...[2, 0].map((revision) => upsert('document_snapshots', snapshot({ revision }))));
      await write({ op: 'trim_document', docId, operationsBefore: -Infinity, snapshotsBefore: Infinity });
      expect(await after(-1)).toEqual([2, 3]);
      expect(await newest()).toEqual([]);
      expect(await query({ name: 'documentHead', args: { docId: 'other' } })).toEqual([
        { oldest: 50, newest: 60 },
      ]);
    });

    it('[STORE43] undo begins at the newest operation of the user that can be taken back', async () => {
      const rows: Partial<DocumentOperationRow>[] = [
        { user_id: 'ann' },
        { user_id: 'ann' },
        { user_id: 'bob' },
        { user_id: 'ann', is_undone: true },
        { user_id: 'ann', undoes: 3 },
        { user_id: 'bob' },
      ];
      await write(
        ...rows.map((row, revision) => insert('document_operations', operation({ ...row, revision }))),
      );
      const undo = async (userId: string, since: number) =>
        of(await query({ name: 'documentUndo', args: { docId, userId, since } }));
      expect(await undo('ann', 0)).toEqual([1, 2, 3, 4, 5]);
      expect(await undo('ann', 1)).toEqual([1, 2, 3, 4, 5]);
      expect(await undo('ann', 2)).toEqual([]);
      expect(await undo('bob', -Infinity)).toEqual([5]);
      expect(await undo('eve', 0)).toEqual([]);
      await write(upsert('document_operations', operation({ revision: 1, is_undone: true })));
      expect(await undo('ann', 0)).toEqual([0, 1, 2, 3, 4, 5]);
    });
  });
}
