// The named queries as MySQL statements: most are those of SQLite, word for word.
import { schemas } from '../schema.ts';
import { columnsOf, type Selections } from '../sqlite/selection.ts';
import { selections as ofSqlite } from '../sqlite/selections.ts';

const sameInBoth = Object.fromEntries(
  Object.entries(ofSqlite).map(([name, selection]) => [
    name,
    {
      ...selection,
      sql: selection.sql
        .replaceAll('LIMIT max(:limit, 0)', 'LIMIT :limit')
        .replaceAll('-1e999', '-9223372036854775807'),
    },
  ]),
) as unknown as Selections;

export const selections: Selections = {
  ...sameInBoth,
  notifications: {
    sql: `SELECT * FROM (SELECT ${columnsOf('notifications')} FROM notifications
          WHERE :unread = 0 AND user_id = :userId ORDER BY seq DESC LIMIT :limit) AS whole
      UNION ALL SELECT * FROM (SELECT ${columnsOf('notifications')} FROM notifications
          WHERE :unread = 1 AND user_id = :userId AND is_read = 0 ORDER BY seq DESC LIMIT :limit) AS unread`,
    columns: schemas.notifications.columns,
  },
  documentHead: {
    sql: `SELECT coalesce(first, newest) AS oldest, newest FROM (
      SELECT (SELECT min(revision) FROM document_operations WHERE doc_id = :docId) AS first, greatest(
        coalesce((SELECT max(revision) FROM document_operations WHERE doc_id = :docId) + 1, 0),
        coalesce((SELECT max(revision) FROM document_snapshots WHERE doc_id = :docId), 0)) AS newest) AS ends`,
    columns: { oldest: 'integer', newest: 'integer' },
  },
  missedSince: {
    ...sameInBoth.missedSince,
    sql: sameInBoth.missedSince.sql.replace('CROSS JOIN', 'STRAIGHT_JOIN'),
  },
};
