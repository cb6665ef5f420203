// What a user has missed in its rooms, on request: one actor per user, which also keeps what the user has
// acknowledged, so that nobody's acknowledgement hides a message from anybody else.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import { isIn, runEnd, withNumber, type Ranges } from '../../lib/ranges.ts';
import type { ChatMessageRow } from '../../storage/tables.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { json, jsonBody, optional } from '../body.ts';
import { messageView } from './room-views.ts';

const pageMessagesMax = 200;
/** Well below what a client may leave unread. */
const pageBytesMax = 256 * 1024;
/** When there are more, the oldest are forgotten: a message that is replayed twice is better than one that is lost. */
const rangesMax = 1_000;
/** The last millisecond of the year 9999. */
const timeMax = 253_402_300_799_999;

const id = z.string().min(1).max(36);
const decodeReplay = json(
  z
    .object({
      since: optional(z.union([z.number(), z.string().min(1).max(64)])),
      roomId: optional(id),
      lastMessageId: optional(id),
    })
    .refine((body) => (body.since === undefined) !== (body.lastMessageId === undefined), {
      message: 'Give either since or lastMessageId.',
    })
    .refine((body) => body.lastMessageId === undefined || body.roomId !== undefined, {
      message: 'lastMessageId needs the roomId.',
    }),
);
type Asked = ReturnType<typeof decodeReplay>;
const decodeAck = json(z.object({ messageId: id }));

interface Replay {
  /** Seqs of acknowledged messages by room. */
  readonly acknowledged: Map<string, Ranges>;
}

/** The last message that a page has dealt with, or a place between two messages. */
interface Place {
  readonly time: number;
  readonly roomId: string;
  readonly seq: number;
  /** How many rows to read for the page that begins there. */
  readonly limit: number;
}

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** Milliseconds; a time that names no zone is UTC, as the database's are. */
function timeOf(since: number | string): number {
  const zone = isoTime.exec(String(since));
  const time = zone ? Date.parse(zone[1] ? String(since) : `${since}Z`) : asNumber(since);
  if (time >= 0 && time <= timeMax) return Math.floor(time);
  throw new Refusal('BAD_REQUEST', 'since must be milliseconds since 1970 or an ISO-8601 time.');
}

function asNumber(since: number | string): number {
  return typeof since === 'number' || /^\s*\d+(?:\.\d+)?\s*$/.test(since) ? Number(since) : Number.NaN;
}

function cursorOf({ time, seq, roomId, limit }: Place): string {
  return `${limit}:${time}:${seq}:${roomId}`;
}

/** Null in the first turn. A cursor that nobody was given only names another place. */
function placeOf(ctx: Context): Place | null {
  const cursor = ctx.params['cursor'];
  if (cursor === undefined) return null;
  const [, ...parts] = /^(\d{1,3}):(\d{1,15}):(\d{1,15}):(.{0,72})$/s.exec(cursor) ?? [];
  const [limit = 0, time = 0, seq = 0] = parts.slice(0, 3).map(Number);
  if (limit >= 1 && limit <= pageMessagesMax && time <= timeMax) {
    return { limit, time, seq, roomId: parts[3] ?? '' };
  }
  throw new Refusal('BAD_REQUEST', 'The cursor can not be read.');
}

/** Where a replay begins that a time was given for: that millisecond is left out. */
function startOf({ since = 0 }: Asked): Place {
  return { time: Math.min(timeOf(since) + 1, timeMax), roomId: '', seq: 0, limit: pageMessagesMax };
}

interface Access {
  readonly isMember: boolean;
  readonly seq: number | null;
}

function refuse(code: 'NOT_FOUND' | 'FORBIDDEN', message: string, roomId: string): never {
  throw new Refusal(code, message, { roomId });
}

function assertMember(access: Access | undefined, roomId: string): Access {
  if (!access) refuse('NOT_FOUND', `There is no room ${roomId}.`, roomId);
  if (!access.isMember) refuse('FORBIDDEN', `You are not a member of room ${roomId}.`, roomId);
  return access;
}

/** The seq of the message, which must be one of a room that the user is a member of. */
function seqOf(access: Access | undefined, roomId: string, messageId: string): number {
  const { seq } = assertMember(access, roomId);
  return seq ?? refuse('NOT_FOUND', `Room ${roomId} has no message ${messageId}.`, roomId);
}

const accessQuery = (userId: string, roomId: string, messageId: string) =>
  ({ name: 'roomMessageOfMember', args: { userId, roomId, messageId } }) as const;

function pageQuery(state: Replay, { roomId, lastMessageId }: Asked, place: Place, userId: string) {
  const { time, seq, limit } = place;
  if (roomId === undefined || lastMessageId === undefined) {
    const args = { userId, roomId: roomId ?? '', since: time, afterRoom: place.roomId, afterSeq: seq, limit };
    return { name: 'missedSince', args } as const;
  }
  const after = runEnd(state.acknowledged.get(roomId) ?? [], seq + 1);
  return { name: 'missedInRoom', args: { userId, roomId, after, limit } } as const;
}

/** Sends a page of messages, and says where the next one begins. */
function sendPage(state: Replay, rows: readonly ChatMessageRow[], limit: number, ctx: Context): void {
  // Nobody would get it, then or after the pages to come.
  if (!ctx.hasSubscribers('messages')) return;
  let bytes = 0;
  let taken = 0;
  for (const row of rows) {
    taken += 1;
    if (isIn(state.acknowledged.get(row.room_id) ?? [], row.seq)) continue;
    const body = jsonBody(messageView(row));
    ctx.publish('messages', body);
    bytes += body.bytes.length;
    if (bytes >= pageBytesMax) break;
  }
  const last = rows[taken - 1];
  if (!last || (taken === rows.length && rows.length < limit)) return;
  // Rows beyond a full page were read in vain, and those of one user are mostly of one size.
  const next = bytes >= pageBytesMax ? taken : Math.min(2 * limit, pageMessagesMax);
  ctx.more(cursorOf({ time: last.created_at, seq: last.seq, roomId: last.room_id, limit: next }));
}

export const replayKind = defineActor({
  name: 'replay',

  load: (userId) => ({ acks: { name: 'replayAcks', args: { userId } } }),

  start: (_id, rows): Replay => ({
    acknowledged: new Map(rows.acks.map((row) => [row.room_id, JSON.parse(row.ranges) as Ranges])),
  }),

  streams: { messages: { destination: '/user/{id}/queue/replay' } },

  commands: {
    replay: command({
      routes: ['SEND /app/replay'],
      id: 'user',
      decode: decodeReplay,
      query(state: Replay, body, ctx) {
        const place = placeOf(ctx);
        const start = startOf(body);
        if (!place && body.roomId !== undefined) {
          return accessQuery(ctx.user, body.roomId, body.lastMessageId ?? '');
        }
        return pageQuery(state, body, place ?? start, ctx.user);
      },
      receive(state, body, ctx, rows) {
        const place = placeOf(ctx);
        const { roomId, lastMessageId } = body;
        if (place || roomId === undefined) {
          sendPage(state, rows as readonly ChatMessageRow[], (place ?? startOf(body)).limit, ctx);
          return;
        }
        const access = rows[0] as Access | undefined;
        assertMember(access, roomId);
        const start = startOf(body);
        const after = lastMessageId === undefined ? null : seqOf(access, roomId, lastMessageId);
        ctx.more(cursorOf(after === null ? start : { ...start, seq: after }));
      },
    }),

    acknowledge: command({
      routes: ['SEND /app/ack/{roomId}'],
      id: 'user',
      decode: decodeAck,
      query: (_state: Replay, body, ctx) => accessQuery(ctx.user, ctx.params['roomId'] ?? '', body.messageId),
      receive(state, body, ctx, rows) {
        const roomId = ctx.params['roomId'] ?? '';
        const seq = seqOf(rows[0], roomId, body.messageId);
        ctx.share(['acked', roomId, body.messageId]);
        const before = state.acknowledged.get(roomId) ?? [];
        const after = withNumber(before, seq);
        if (after === before) return;
        const ranges = after.slice(-rangesMax);
        state.acknowledged.set(roomId, ranges);
        ctx.write({
          op: 'upsert',
          table: 'replay_acks',
          row: { user_id: ctx.id, room_id: roomId, ranges: JSON.stringify(ranges), updated_at: ctx.now },
        });
      },
    }),
  },
});
