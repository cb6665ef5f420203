// The queries about documents, their operations and snapshots, in memory.
import { copied, oneOrNone, page, type MemoryQueries } from './answers.ts';
import { firstIndex } from './table.ts';
import { storableText } from '../storable.ts';
import type { DocumentSnapshotRow } from '../tables.ts';
import type { MemoryRows } from './rows.ts';

export const documentQueries = {
  document: ({ tables }, { docId }) => oneOrNone(tables.documents.get({ doc_id: docId })),

  documentHead({ operationsOfDocument, snapshotsOfDocument }, { docId }) {
    const operations = operationsOfDocument.of(docId);
    const last = operations.at(-1);
    const snapshot = snapshotsOfDocument.of(docId).at(-1);
    const newest = Math.max(last ? last.revision + 1 : 0, snapshot?.revision ?? 0);
    return [{ oldest: operations.at(0)?.revision ?? newest, newest }];
  },

  documentSnapshot: (rows, { docId, before }) => oneOrNone(snapshotBefore(rows, docId, before)),

  documentTail(rows, { docId, before }) {
    const from = (snapshotBefore(rows, docId, before)?.revision ?? -Infinity) - 1;
    return page(rows.operationsOfDocument.of(docId), Infinity, ({ revision }) => revision >= from);
  },

  documentOperationsAfter: ({ operationsOfDocument }, { docId, after, limit }) =>
    page(operationsOfDocument.of(docId), limit, ({ revision }) => revision > after),

  documentUndo({ operationsOfDocument }, { docId, userId, since }) {
    const operations = operationsOfDocument.of(docId);
    const within = operations.slice(firstIndex(operations, ({ revision }) => revision >= since));
    const user = storableText(userId);
    const start = within.findLastIndex(
      (row) => row.user_id === user && row.undoes === null && !row.is_undone,
    );
    return start < 0 ? [] : copied(within.slice(start));
  },
} satisfies Partial<MemoryQueries>;

function snapshotBefore(
  { snapshotsOfDocument }: MemoryRows,
  docId: string,
  before: number,
): DocumentSnapshotRow | undefined {
  const snapshots = snapshotsOfDocument.of(docId);
  return snapshots[firstIndex(snapshots, ({ revision }) => revision >= before) - 1];
}
