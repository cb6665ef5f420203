// What a user has missed in all rooms. As one statement the servers would read each room from its beginning: they can't
// begin to read a room at a place that they have just found for it. So the places are asked for first.
import type { ServerRow } from './connection.ts';
import { schemas } from '../schema.ts';
import { columnsOf, lowest } from '../sql/selection.ts';
import type { Value } from '../sql/value.ts';
import { storableText } from '../storable.ts';

export const missedColumns = schemas.chat_messages.columns;

export interface MissedArguments {
  readonly userId: string;
  readonly roomId: string;
  /** As the servers take it. */
  readonly since: string;
  readonly afterRoom: string;
  readonly afterSeq: number;
  readonly limit: number;
}

/** Runs a prepared statement. */
type Execute = (sql: string, values: readonly Value[]) => Promise<ServerRow[]>;

/** Where to go on in one room. */
type Place = readonly [roomId: string, afterSeq: number];

// Walks a room's messages back from the newest and ends at the first that is older: what is read is what is missed and
// one more. Those for which that is the newest have nothing that was missed. With a limit, the inner SELECT is made once
// and kept; else its columns would be made again for the condition.
const placesSql = (where: string): string => `SELECT room_id, place FROM (
    SELECT member.room_id,
      coalesce((SELECT older.seq FROM chat_messages AS older FORCE INDEX (uk_room_seq)
        WHERE older.room_id = member.room_id AND older.created_at < ? ORDER BY older.seq DESC LIMIT 1), ${lowest}) AS place,
      (SELECT own.seq FROM chat_messages AS own FORCE INDEX (uk_room_seq)
        WHERE own.room_id = member.room_id ORDER BY own.seq DESC LIMIT 1) AS newest
    FROM chat_room_members AS member WHERE member.user_id = ? ${where} LIMIT 18446744073709551615) AS places
  WHERE newest > place`;

const ofAllRooms = placesSql('');
const ofOneRoom = placesSql('AND member.room_id = ?');

// The rows of a database that was taken over have times of the microsecond, and the contract knows milliseconds: of two
// rows of one millisecond the order is that of their rooms and seqs, as it is for who goes on after one of them.
const millisecond = 'LEFT(created_at, 23)';

// Rooms per statement. A call that needs fewer fills it up with the last of them.
const roomsPerStatement = [1, 8, 64];

const messagesSql = new Map(
  roomsPerStatement.map((rooms) => [
    rooms,
    `SELECT ${columnsOf('chat_messages', 'message')} FROM chat_messages AS message FORCE INDEX (uk_room_seq)
      WHERE (${Array.from({ length: rooms }, () => '(room_id = ? AND seq > ?)').join(' OR ')})
        AND (${millisecond} > ? OR (${millisecond} = ? AND (room_id > ? OR (room_id = ? AND seq > ?))))
      ORDER BY ${millisecond}, room_id, seq LIMIT ?`,
  ]),
);

/** Rows of the servers, in the order of the contract; up to `limit` for each 64 rooms that have any. */
export async function missedSince(execute: Execute, args: MissedArguments): Promise<ServerRow[][]> {
  const { userId, roomId, since, afterRoom, afterSeq, limit } = args;
  if (limit < 1) return [];
  const own = roomId === '' ? [] : [storableText(roomId)];
  const found = await execute(roomId === '' ? ofAllRooms : ofOneRoom, [since, userId, ...own]);
  const places = found.map((row): Place => [String(row['room_id']), Number(row['place'])]);
  const sinceShown = since.replace('T', ' ');
  const pages: ServerRow[][] = [];
  for (let start = 0; start < places.length;) {
    const left = places.length - start;
    const rooms = roomsPerStatement.find((count) => count >= left) ?? 64;
    const some = places.slice(start, start + rooms);
    const last = some.at(-1) ?? ['', 0];
    const filled = Array.from({ length: rooms }, (_, index) => some[index] ?? last);
    const after = [sinceShown, sinceShown, afterRoom, afterRoom, afterSeq, limit];
    pages.push(await execute(messagesSql.get(rooms) ?? '', [...filled.flat(), ...after]));
    start += rooms;
  }
  return pages;
}
