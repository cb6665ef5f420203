// The queries about messages that are not of a room, in memory: topics, notifications, inventory changes, queues.
import { oneOrNone, page, pageBefore, type MemoryQueries } from './answers.ts';
import type { MemoryRows } from './rows.ts';
import { storableText } from '../storable.ts';

function headOfStream({ tables }: MemoryRows, stream: string, oldest: { seq: number } | undefined) {
  const row = tables.streams.get({ stream });
  return row ? [{ epoch: row.epoch, oldest: oldest?.seq ?? row.seq + 1, newest: row.seq }] : [];
}

export const streamQueries = {
  topicHead({ tables, messagesOfTopic }, { topic }) {
    const row = tables.topics.get({ topic });
    const messages = messagesOfTopic.of(topic);
    if (!row) return [];
    return [{ epoch: row.epoch, oldest: messages.at(0)?.seq ?? 1, newest: messages.at(-1)?.seq ?? 0 }];
  },

  topicMessagesAfter: ({ messagesOfTopic }, { topic, after, limit }) =>
    page(messagesOfTopic.of(topic), limit, ({ seq }) => seq > after),

  notificationsHead: (rows, { stream, userId }) =>
    headOfStream(rows, stream, rows.notificationsOfUser.of(userId).at(0)),

  notificationsAfter: ({ notificationsOfUser }, { userId, after, limit }) =>
    page(notificationsOfUser.of(userId), limit, ({ seq }) => seq > after),

  notifications({ notificationsOfUser }, { userId, unread, limit }) {
    const rows = notificationsOfUser.of(userId);
    const asked = unread === 1 ? rows.filter((row) => !row.is_read) : rows;
    return pageBefore(asked, limit, () => false);
  },

  notification({ tables }, { userId, notificationId }) {
    const row = tables.notifications.get({ notification_id: notificationId });
    return row?.user_id === storableText(userId) ? oneOrNone(row) : [];
  },

  inventoryHead: (rows, { stream }) => headOfStream(rows, stream, rows.changesOfStream.of(stream).at(0)),

  inventoryChangesAfter: ({ changesOfStream }, { stream, after, limit }) =>
    page(changesOfStream.of(stream), limit, ({ seq }) => seq > after),

  queueMessagesAfter: ({ messagesOfQueue }, { queue, after, limit }) =>
    page(messagesOfQueue.of(queue), limit, ({ position }) => position > after),

  queueHead({ messagesOfQueue }, { queue }) {
    const messages = messagesOfQueue.of(queue);
    const bytes = messages.reduce((sum, { body }) => sum + body.byteLength, 0);
    return [{ count: messages.length, bytes, newest: messages.at(-1)?.position ?? 0 }];
  },
} satisfies Partial<MemoryQueries>;
