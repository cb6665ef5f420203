// The queries about documents, their operations and snapshots.
import { lowest, select, type Selections } from './selection.ts';

export const documentSelections = {
  document: select('documents', 'WHERE doc_id = :docId'),
  documentSnapshot: select(
    'document_snapshots',
    'WHERE doc_id = :docId AND revision < :before ORDER BY revision DESC LIMIT 1',
  ),
  documentTail: select(
    'document_operations',
    `WHERE doc_id = :docId AND revision >= coalesce(
      (SELECT max(revision) FROM document_snapshots WHERE doc_id = :docId AND revision < :before) - 1, ${lowest})
      ORDER BY revision`,
  ),
  documentOperationsAfter: select(
    'document_operations',
    `WHERE doc_id = :docId AND revision > :after ORDER BY revision LIMIT :limit`,
  ),
} satisfies Partial<Selections>;
