// The queries about rooms, their messages and members, and what a member has missed, in SQLite.
import { schemas } from '../schema.ts';
import { columnsOf, limited, select, type Selections } from './selection.ts';

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
    `WHERE room_id = :roomId AND seq < :before ORDER BY seq DESC ${limited}`,
  ),
  roomMessagesAfter: select(
    'chat_messages',
    `WHERE room_id = :roomId AND seq > :after ORDER BY seq ${limited}`,
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
      ORDER BY seq ${limited}`,
  ),
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
      ORDER BY message.created_at, message.room_id, message.seq ${limited}`,
    columns: schemas.chat_messages.columns,
    times: ['since'],
  },
  replayAcks: select('replay_acks', 'WHERE user_id = :userId ORDER BY room_id'),
} satisfies Partial<Selections>;
