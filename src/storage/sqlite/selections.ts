// The named queries as SQLite statements: those that every database takes, and those that SQLite plans in its own way.
import { schemas } from '../schema.ts';
import { columnsOf, select, type Selections } from '../sql/selection.ts';
import { sharedSelections } from '../sql/selections.ts';

export const sqliteSelections: Selections = {
  ...sharedSelections,
  documentHead: {
    // A subquery each, because `min` and `max` in one would read every operation of the document.
    sql: `SELECT coalesce(first, newest) AS oldest, newest FROM (
      SELECT (SELECT min(revision) FROM document_operations WHERE doc_id = :docId) AS first, max(
        coalesce((SELECT max(revision) FROM document_operations WHERE doc_id = :docId) + 1, 0),
        coalesce((SELECT max(revision) FROM document_snapshots WHERE doc_id = :docId), 0)) AS newest)`,
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
    sql: `SELECT * FROM (SELECT ${columnsOf('notifications')} FROM notifications
          WHERE :unread = 0 AND user_id = :userId ORDER BY seq DESC LIMIT :limit)
      UNION ALL SELECT * FROM (SELECT ${columnsOf('notifications')} FROM notifications
          WHERE :unread = 1 AND user_id = :userId AND is_read = 0 ORDER BY seq DESC LIMIT :limit)`,
    columns: schemas.notifications.columns,
  },
  missedSince: {
    // The inner SELECT walks a room's messages back from the newest and ends at the first that is older, so what is
    // read is what is missed and one more. CROSS keeps the rooms outside: turned round, it would walk per message.
    sql: `SELECT ${columnsOf('chat_messages', 'message')}
      FROM chat_room_members AS member CROSS JOIN chat_messages AS message
      ON message.room_id = member.room_id AND message.seq > coalesce(
        (SELECT older.seq FROM chat_messages AS older
          WHERE older.room_id = member.room_id AND older.created_at < :since ORDER BY older.seq DESC LIMIT 1),
        -1e999)
      WHERE member.user_id = :userId AND (:roomId = '' OR member.room_id = :roomId)
        AND (message.created_at, message.room_id, message.seq) > (:since, :afterRoom, :afterSeq)
      ORDER BY message.created_at, message.room_id, message.seq LIMIT :limit`,
    columns: schemas.chat_messages.columns,
    times: ['since'],
  },
};
