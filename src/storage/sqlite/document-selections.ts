// The queries about documents, their operations and snapshots, in SQLite.
import { limited, select, type Selections } from './selection.ts';

export const documentSelections = {
  document: select('documents', 'WHERE doc_id = :docId'),
  documentHead: {
    // A subquery each, because `min` and `max` in one would read every operation of the document.
    sql: `SELECT coalesce(first, newest) AS oldest, newest FROM (
      SELECT (SELECT min(revision) FROM document_operations WHERE doc_id = :docId) AS first, max(
        coalesce((SELECT max(revision) FROM document_operations WHERE doc_id = :docId) + 1, 0),
        coalesce((SELECT max(revision) FROM document_snapshots WHERE doc_id = :docId), 0)) AS newest)`,
    columns: { oldest: 'integer', newest: 'integer' },
  },
  documentSnapshot: select('document_snapshots', 'WHERE doc_id = :docId ORDER BY revision DESC LIMIT 1'),
  documentTail: select(
    'document_operations',
    `WHERE doc_id = :docId AND revision >= coalesce(
      (SELECT max(revision) FROM document_snapshots WHERE doc_id = :docId), -1e999)
      ORDER BY revision`,
  ),
  documentOperationsAfter: select(
    'document_operations',
    `WHERE doc_id = :docId AND revision > :after ORDER BY revision ${limited}`,
  ),
  documentUndo: select(
    'document_operations',
    // Without one that can be undone the bound is NULL, which no revision reaches.
    `WHERE doc_id = :docId AND revision >= (
      SELECT revision FROM document_operations
        WHERE doc_id = :docId AND revision >= :since AND user_id = :userId AND undoes IS NULL AND is_undone = 0
        ORDER BY revision DESC LIMIT 1)
      ORDER BY revision`,
  ),
} satisfies Partial<Selections>;
