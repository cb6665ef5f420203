// The queries about messages that are not of a room: topics, notifications, inventory changes, queues.
import { select, type Selections } from './selection.ts';

export const streamSelections = {
  topicHead: {
    // Two subqueries, because one `min(seq), max(seq)` would read every message of the topic.
    sql: `SELECT epoch,
        coalesce((SELECT min(seq) FROM topic_messages WHERE topic = :topic), 1) AS oldest,
        coalesce((SELECT max(seq) FROM topic_messages WHERE topic = :topic), 0) AS newest
      FROM topics WHERE topic = :topic`,
    columns: { epoch: 'text', oldest: 'integer', newest: 'integer' },
  },
  topicMessagesAfter: select(
    'topic_messages',
    `WHERE topic = :topic AND seq > :after ORDER BY seq LIMIT :limit`,
  ),
  notificationsHead: {
    sql: `SELECT epoch,
        coalesce((SELECT min(seq) FROM notifications WHERE user_id = :userId), streams.seq + 1) AS oldest,
        streams.seq AS newest
      FROM streams WHERE stream = :stream`,
    columns: { epoch: 'text', oldest: 'integer', newest: 'integer' },
  },
  notificationsAfter: select(
    'notifications',
    `WHERE user_id = :userId AND seq > :after ORDER BY seq LIMIT :limit`,
  ),
  notification: select('notifications', 'WHERE notification_id = :notificationId AND user_id = :userId'),
  inventoryHead: {
    sql: `SELECT epoch,
        coalesce((SELECT min(seq) FROM inventory_changes WHERE stream = :stream), streams.seq + 1) AS oldest,
        streams.seq AS newest
      FROM streams WHERE stream = :stream`,
    columns: { epoch: 'text', oldest: 'integer', newest: 'integer' },
  },
  inventoryChangesAfter: select(
    'inventory_changes',
    `WHERE stream = :stream AND seq > :after ORDER BY seq LIMIT :limit`,
  ),
  queueMessagesAfter: select(
    'queue_messages',
    `WHERE queue = :queue AND position > :after ORDER BY position LIMIT :limit`,
  ),
  queueHead: {
    sql: `SELECT count(*) AS count, coalesce(sum(length(body)), 0) AS bytes, coalesce(max(position), 0) AS newest
      FROM queue_messages WHERE queue = :queue`,
    columns: { count: 'integer', bytes: 'integer', newest: 'integer' },
  },
} satisfies Partial<Selections>;
