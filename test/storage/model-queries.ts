// Every query over everything that the model test's rows can hold.
import type { Query } from '../../src/storage/storage.ts';
import { messageIds, names, rooms, things, topics, users } from './model-rows.ts';

export interface Bounds {
  readonly before: number;
  readonly after: number;
  readonly since: number;
  readonly afterRoom: string;
  readonly limit: number;
}

const all = { after: -1, limit: 100 };

export function everyQuery(bounds: Bounds): Query[] {
  return [
    ...rooms.flatMap((roomId) => queriesOfRoom(roomId, bounds)),
    ...users.flatMap((userId) => queriesOfUser(userId, bounds)),
    ...topics.flatMap((name) => queriesOfStream(name, bounds)),
    ...things.flatMap((id) => queriesOfThing(id, bounds)),
    { name: 'products', args: { after: '', limit: 100 } },
    { name: 'prices', args: {} },
  ];
}

function queriesOfRoom(roomId: string, { before, after, since, limit }: Bounds): Query[] {
  const queries: Query[] = [
    { name: 'room', args: { roomId } },
    { name: 'roomMembers', args: { roomId } },
    { name: 'roomReadPositions', args: { roomId } },
    { name: 'roomHead', args: { roomId } },
    { name: 'roomMessagesBefore', args: { roomId, before, limit } },
    { name: 'roomMessagesAfter', args: { roomId, after, limit } },
    { name: 'roomMessagesAfter', args: { roomId, ...all } },
    { name: 'roomMessageSeq', args: { roomId, messageId: 'm1' } },
    { name: 'idempotencyKeys', args: { actor: roomId, since, limit } },
    { name: 'idempotencyKeys', args: { actor: roomId, since: -Infinity, limit: 100 } },
  ];
  for (const userId of users) {
    queries.push({ name: 'roomMessageOfMember', args: { userId, roomId, messageId: 'm1' } });
    queries.push({ name: 'missedInRoom', args: { userId, roomId, after, limit } });
    for (const idempotencyKey of names) {
      const key = { actor: roomId, command: '', userId, idempotencyKey };
      queries.push({ name: 'idempotencyKey', args: { ...key, since } });
      queries.push({ name: 'commandAnswer', args: key });
    }
  }
  return queries;
}

function queriesOfUser(userId: string, { after, since, afterRoom, limit }: Bounds): Query[] {
  const missed = { userId, since, afterRoom, afterSeq: after, limit };
  return [
    { name: 'roomsOfUser', args: { userId } },
    { name: 'durablePosition', args: { userId, name: 'n1', destination: 't1' } },
    ...topics.map((stream): Query => ({ name: 'notificationsHead', args: { stream, userId } })),
    { name: 'notificationsAfter', args: { userId, after, limit } },
    { name: 'notificationsAfter', args: { userId, ...all } },
    { name: 'notifications', args: { userId, unread: 0, limit } },
    { name: 'notifications', args: { userId, unread: 1, limit } },
    { name: 'notifications', args: { userId, unread: 1, limit: 100 } },
    ...messageIds.map((notificationId): Query => ({
      name: 'notification',
      args: { userId, notificationId },
    })),
    { name: 'portfolio', args: { userId } },
    { name: 'lastSeen', args: { userId } },
    { name: 'replayAcks', args: { userId } },
    { name: 'missedSince', args: { ...missed, roomId: '' } },
    { name: 'missedSince', args: { ...missed, roomId: '', limit: 100 } },
    ...rooms.map((roomId): Query => ({ name: 'missedSince', args: { ...missed, roomId } })),
  ];
}

function queriesOfStream(stream: string, { after, limit }: Bounds): Query[] {
  return [
    { name: 'topicHead', args: { topic: stream } },
    { name: 'topicMessagesAfter', args: { topic: stream, after, limit } },
    { name: 'topicMessagesAfter', args: { topic: stream, ...all } },
    { name: 'inventoryHead', args: { stream } },
    { name: 'inventoryChangesAfter', args: { stream, after, limit } },
    { name: 'inventoryChangesAfter', args: { stream, ...all } },
    { name: 'queueHead', args: { queue: stream } },
    { name: 'queueMessagesAfter', args: { queue: stream, after, limit } },
    { name: 'queueMessagesAfter', args: { queue: stream, ...all } },
  ];
}

function queriesOfThing(id: string, { after, limit }: Bounds): Query[] {
  return [
    { name: 'order', args: { orderId: id } },
    { name: 'orderChanges', args: { orderId: id, limit } },
    { name: 'orderChanges', args: { orderId: id, limit: 100 } },
    { name: 'product', args: { productId: id } },
    { name: 'products', args: { after: id, limit } },
    { name: 'document', args: { docId: id } },
    { name: 'documentHead', args: { docId: id } },
    { name: 'documentSnapshot', args: { docId: id, before: Infinity } },
    { name: 'documentTail', args: { docId: id, before: Infinity } },
    { name: 'documentSnapshot', args: { docId: id, before: after } },
    { name: 'documentTail', args: { docId: id, before: after } },
    { name: 'documentOperationsAfter', args: { docId: id, after, limit } },
    { name: 'documentOperationsAfter', args: { docId: id, ...all } },
    ...users.flatMap((userId) =>
      [-1, after].map((since): Query => ({ name: 'documentUndo', args: { docId: id, userId, since } })),
    ),
  ];
}
