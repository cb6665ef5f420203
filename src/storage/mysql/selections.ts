// The named queries as MySQL statements: those that every database takes, and those that MySQL and MariaDB need told in
// their own way. What was missed is asked in two steps: see missed.ts.
import { schemas } from '../schema.ts';
import { columnsOf, select, type Selection, type Selections } from '../sql/selection.ts';
import { sharedSelections } from '../sql/selections.ts';
import type { QueryName } from '../storage.ts';
import type { TableName } from '../tables.ts';

/**
 * Whole rows of one table, found by one index. The reference's tables have others that begin with the same column, and
 * with those in view the servers read from the end of a room what they should begin to read in its middle.
 */
function selectBy(table: TableName, index: string, rest: string): Pick<Selection, 'sql' | 'columns'> {
  return select(table, `FORCE INDEX (${index}) ${rest}`);
}

export const mysqlSelections: Selections<Exclude<QueryName, 'missedSince'>> = {
  ...sharedSelections,
  roomMessagesBefore: selectBy(
    'chat_messages',
    'uk_room_seq',
    'WHERE room_id = :roomId AND seq < :before ORDER BY seq DESC LIMIT :limit',
  ),
  roomMessagesAfter: selectBy(
    'chat_messages',
    'uk_room_seq',
    'WHERE room_id = :roomId AND seq > :after ORDER BY seq LIMIT :limit',
  ),
  missedInRoom: selectBy(
    'chat_messages',
    'uk_room_seq',
    `WHERE room_id = :roomId AND seq > :after
      AND EXISTS (SELECT 1 FROM chat_room_members WHERE room_id = :roomId AND user_id = :userId)
      ORDER BY seq LIMIT :limit`,
  ),
  notificationsAfter: selectBy(
    'notifications',
    'uk_user_seq',
    'WHERE user_id = :userId AND seq > :after ORDER BY seq LIMIT :limit',
  ),
  documentHead: {
    // A subquery each, because `min` and `max` in one would read every operation of the document.
    sql: `SELECT coalesce(first, newest) AS oldest, newest FROM (
      SELECT (SELECT min(revision) FROM document_operations WHERE doc_id = :docId) AS first, greatest(
        coalesce((SELECT max(revision) FROM document_operations WHERE doc_id = :docId) + 1, 0),
        coalesce((SELECT max(revision) FROM document_snapshots WHERE doc_id = :docId), 0)) AS newest) AS head`,
    columns: { oldest: 'integer', newest: 'integer' },
  },
  documentUndo: select(
    'document_operations',
    // Without one that can be undone the bound is NULL, which no revision reaches.
    `WHERE doc_id = :docId AND revision >= (
      SELECT revision FROM document_operations
        WHERE doc_id = :docId AND revision >= :since AND user_id = :userId AND undoes IS NULL AND is_undone = 0
        ORDER BY revision DESC LIMIT 1)
      ORDER BY revision`,
  ),
  notifications: {
    // One half gives nothing. As one condition, `unread` would have every notification read to find those few.
    sql: `(SELECT ${columnsOf('notifications')} FROM notifications FORCE INDEX (uk_user_seq)
          WHERE :unread = 0 AND user_id = :userId ORDER BY seq DESC LIMIT :limit)
      UNION ALL (SELECT ${columnsOf('notifications')} FROM notifications FORCE INDEX (idx_user_unread_seq)
          WHERE :unread = 1 AND user_id = :userId AND is_read = 0 ORDER BY seq DESC LIMIT :limit)
      ORDER BY seq DESC`,
    columns: schemas.notifications.columns,
  },
};
