// The named queries over the tables in memory. Rows given out are copies.
import { firstIndex } from './memory-table.ts';
import type { MemoryTables } from './memory-tables.ts';
import { nearestTime, storableText } from './storable.ts';
import type { Queries, Query, QueryName, Rows } from './storage.ts';

type Run<Name extends QueryName> = (tables: MemoryTables, args: Queries[Name]['args']) => Rows<Name>;

const copied = <Row extends object>(rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row }));

const oneOrNone = <Row extends object>(row: Row | undefined): Row[] => (row ? [{ ...row }] : []);

const atMost = (limit: number): number => Math.max(limit, 0);

const queries: { readonly [Name in QueryName]: Run<Name> } = {
  room: ({ rows }, { roomId }) => oneOrNone(rows.chat_rooms.get({ room_id: roomId })),

  roomMembers: ({ membersOfRoom }, { roomId }) => copied(membersOfRoom.of(roomId)),

  roomReadPositions: ({ positionsOfRoom }, { roomId }) => copied(positionsOfRoom.of(roomId)),

  roomHead: ({ messagesOfRoom }, { roomId }) => [{ seq: messagesOfRoom.of(roomId).at(-1)?.seq ?? 0 }],

  roomMessagesBefore({ messagesOfRoom }, { roomId, before, limit }) {
    const messages = messagesOfRoom.of(roomId);
    const end = firstIndex(messages, ({ seq }) => seq >= before);
    return copied(messages.slice(Math.max(end - atMost(limit), 0), end)).toReversed();
  },

  roomMessagesAfter({ messagesOfRoom }, { roomId, after, limit }) {
    const messages = messagesOfRoom.of(roomId);
    const start = firstIndex(messages, ({ seq }) => seq > after);
    return copied(messages.slice(start, start + atMost(limit)));
  },

  roomMessageSeq({ rows }, { roomId, messageId }) {
    const message = rows.chat_messages.get({ message_id: messageId });
    return message?.room_id === storableText(roomId) ? [{ seq: message.seq }] : [];
  },

  roomsOfUser({ rows, membershipsOfUser }, { userId }) {
    return membershipsOfUser
      .of(userId)
      .flatMap((member) => {
        const room = rows.chat_rooms.get(member);
        return room ? [{ ...room, role: member.role }] : [];
      })
      .toSorted((one, other) => one.created_at - other.created_at);
  },

  topicHead({ rows, messagesOfTopic }, { topic }) {
    const row = rows.topics.get({ topic });
    const messages = messagesOfTopic.of(topic);
    if (!row) return [];
    return [{ epoch: row.epoch, oldest: messages.at(0)?.seq ?? 1, newest: messages.at(-1)?.seq ?? 0 }];
  },

  topicMessagesAfter({ messagesOfTopic }, { topic, after, limit }) {
    const messages = messagesOfTopic.of(topic);
    const start = firstIndex(messages, ({ seq }) => seq > after);
    return messages
      .slice(start, start + atMost(limit))
      .map((message) => ({ ...message, body: Buffer.from(message.body) }));
  },

  durablePosition: ({ rows }, { userId, name, destination }) =>
    oneOrNone(rows.durable_positions.get({ user_id: userId, name, destination })),

  idempotencyKeys({ keysOfActor }, { actor, since, limit }) {
    const keys = keysOfActor.of(actor);
    const end = firstIndex(keys, ({ created_at }) => created_at < nearestTime(since));
    return copied(keys.slice(0, Math.min(end, atMost(limit))));
  },

  idempotencyKey({ rows }, { actor, command, userId, idempotencyKey, since }) {
    const key = { actor, command, user_id: userId, idempotency_key: idempotencyKey };
    const found = rows.idempotency_keys.get(key);
    return found && found.created_at >= nearestTime(since) ? [{ ...found }] : [];
  },
};

/** @throws TypeError when there is no such query. */
export function queryMemory<Name extends QueryName>(tables: MemoryTables, query: Query<Name>): Rows<Name> {
  return queries[query.name](tables, query.args);
}
