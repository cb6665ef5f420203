// The queries about rooms, their messages and members, and what a member has missed, in memory.
import { copied, oneOrNone, page, pageBefore, type MemoryQueries } from './answers.ts';
import type { MemoryRows } from './rows.ts';

import { compareText, nearestTime, storableText } from '../storable.ts';
import type { Queries } from '../storage.ts';
import type { ChatMessageRow } from '../tables.ts';

function seqInRoom({ tables }: MemoryRows, roomId: string, messageId: string): { seq: number }[] {
  const message = tables.chat_messages.get({ message_id: messageId });
  return message?.room_id === storableText(roomId) ? [{ seq: message.seq }] : [];
}

const isMember = ({ tables }: MemoryRows, userId: string, roomId: string): boolean =>
  tables.chat_room_members.get({ room_id: roomId, user_id: userId }) !== undefined;

type Place = Pick<ChatMessageRow, 'created_at' | 'room_id' | 'seq'>;

const comparePlaces = (one: Place, other: Place): number =>
  one.created_at - other.created_at || compareText(one.room_id, other.room_id) || one.seq - other.seq;

function missedSince(rows: MemoryRows, args: Queries['missedSince']['args']): ChatMessageRow[] {
  const place = {
    created_at: nearestTime(args.since),
    room_id: storableText(args.afterRoom),
    seq: args.afterSeq,
  };
  const only = storableText(args.roomId);
  const missed = rows.membershipsOfUser
    .of(args.userId)
    .filter((member) => only === '' || member.room_id === only)
    .flatMap((member) => {
      const messages = rows.messagesOfRoom.of(member.room_id);
      return messages.slice(messages.findLastIndex((message) => message.created_at < place.created_at) + 1);
    });
  return page(missed.toSorted(comparePlaces), args.limit, (message) => comparePlaces(message, place) > 0);
}

export const roomQueries = {
  room: ({ tables }, { roomId }) => oneOrNone(tables.chat_rooms.get({ room_id: roomId })),

  roomMembers: ({ membersOfRoom }, { roomId }) => copied(membersOfRoom.of(roomId)),

  roomReadPositions: ({ positionsOfRoom }, { roomId }) => copied(positionsOfRoom.of(roomId)),

  roomHead: ({ messagesOfRoom }, { roomId }) => [{ seq: messagesOfRoom.of(roomId).at(-1)?.seq ?? 0 }],

  roomMessagesBefore: ({ messagesOfRoom }, { roomId, before, limit }) =>
    pageBefore(messagesOfRoom.of(roomId), limit, ({ seq }) => seq >= before),

  roomMessagesAfter: ({ messagesOfRoom }, { roomId, after, limit }) =>
    page(messagesOfRoom.of(roomId), limit, ({ seq }) => seq > after),

  roomMessageSeq: (rows, { roomId, messageId }) => seqInRoom(rows, roomId, messageId),

  roomsOfUser: ({ tables, membershipsOfUser }, { userId }) =>
    membershipsOfUser
      .of(userId)
      .flatMap((member) => {
        const room = tables.chat_rooms.get(member);
        return room ? [{ ...room, role: member.role }] : [];
      })
      .toSorted((one, other) => one.created_at - other.created_at),

  roomMessageOfMember(rows, { userId, roomId, messageId }) {
    if (!rows.tables.chat_rooms.get({ room_id: roomId })) return [];
    const [message] = seqInRoom(rows, roomId, messageId);
    return [{ isMember: isMember(rows, userId, roomId), seq: message?.seq ?? null }];
  },

  missedInRoom: (rows, { userId, roomId, after, limit }) =>
    isMember(rows, userId, roomId)
      ? page(rows.messagesOfRoom.of(roomId), limit, ({ seq }) => seq > after)
      : [],

  missedSince,

  replayAcks: ({ acksOfUser }, { userId }) => copied(acksOfUser.of(userId)),
} satisfies Partial<MemoryQueries>;
