// The queries about rooms, their messages and members, and what a member has missed.
import { schemas } from '../schema.ts';
import { columnsOf, select, type Selections } from './selection.ts';

export const roomSelections = {
  room: select('chat_rooms', 'WHERE room_id = :roomId'),
  roomMembers: select('chat_room_members', 'WHERE room_id = :roomId ORDER BY joined_at, user_id'),
  roomReadPositions: select('chat_read_positions', 'WHERE room_id = :roomId ORDER BY user_id'),
  roomHead: {
    sql: 'SELECT coalesce(max(seq), 0) AS seq FROM chat_messages WHERE room_id = :roomId',
    columns: { seq: 'integer' },
  },
  roomMessagesBefore: select(
    'chat_messages',
    `WHERE room_id = :roomId AND seq < :before ORDER BY seq DESC LIMIT :limit`,
  ),
  roomMessagesAfter: select(
    'chat_messages',
    `WHERE room_id = :roomId AND seq > :after ORDER BY seq LIMIT :limit`,
  ),
  roomMessageSeq: {
    sql: 'SELECT seq FROM chat_messages WHERE message_id = :messageId AND room_id = :roomId',
    columns: { seq: 'integer' },
  },
  roomsOfUser: {
    sql: `SELECT ${columnsOf('chat_rooms', 'room')}, member.role
      FROM chat_room_members AS member JOIN chat_rooms AS room ON room.room_id = member.room_id
      WHERE member.user_id = :userId ORDER BY room.created_at, room.room_id`,
    columns: { ...schemas.chat_rooms.columns, role: 'text' },
  },
  roomMessageOfMember: {
    sql: `SELECT
      EXISTS (SELECT 1 FROM chat_room_members WHERE room_id = :roomId AND user_id = :userId) AS isMember,
      (SELECT seq FROM chat_messages WHERE message_id = :messageId AND room_id = :roomId) AS seq
      FROM chat_rooms WHERE room_id = :roomId`,
    columns: { isMember: 'boolean', seq: 'integer' },
  },
  missedInRoom: select(
    'chat_messages',
    `WHERE room_id = :roomId AND seq > :after
      AND EXISTS (SELECT 1 FROM chat_room_members WHERE room_id = :roomId AND user_id = :userId)
      ORDER BY seq LIMIT :limit`,
  ),
  replayAcks: select('replay_acks', 'WHERE user_id = :userId ORDER BY room_id'),
} satisfies Partial<Selections>;
