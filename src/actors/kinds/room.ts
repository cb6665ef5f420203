// Chat rooms: members and roles, messages with one order, how far each user has read, typing.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import type { ChatMessageRow, ChatRoomRow } from '../../storage/tables.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { isoTime, json, jsonBody, nothing } from '../body.ts';
import {
  addMemberBody,
  createRoomBody,
  memberAnswer,
  messageAnswer,
  messageView,
  readUpToBody,
  roomAnswer,
  roomDetailAnswer,
  roomSummary,
  sendMessageBody,
  typingBody,
  type memberRoles,
  type readReceipt,
  type roomEvent,
} from './room-views.ts';

const contentBytesMax = 8 * 1024;
const membersMax = 100_000;
const historyPageMax = 1_000;

const decodeSendMessage = json(sendMessageBody);
const decodeReadUpTo = json(readUpToBody);
const decodeTyping = json(typingBody);
const decodeCreateRoom = json(createRoomBody);
const decodeAddMember = json(addMemberBody);

type Role = (typeof memberRoles)[number];

interface Member {
  role: string;
  joinedAt: number;
}

interface Room {
  /** Null while there is no such room. */
  room: ChatRoomRow | null;
  members: Map<string, Member>;
  newest: number;
  /** How far each user has read: a seq. */
  readUpTo: Map<string, number>;
}

function existing(state: Room, ctx: Context): ChatRoomRow {
  if (!state.room) throw new Refusal('NOT_FOUND', `There is no room ${ctx.id}.`);
  return state.room;
}

/** The room, for someone who may look into it. */
function visible(state: Room, ctx: Context): ChatRoomRow {
  const room = existing(state, ctx);
  if (room.is_private && !state.members.has(ctx.user)) {
    throw new Refusal('FORBIDDEN', `Room ${ctx.id} is private and you are not a member.`);
  }
  return room;
}

function admin(state: Room, ctx: Context): void {
  existing(state, ctx);
  if (state.members.get(ctx.user)?.role !== 'ADMIN') {
    throw new Refusal('FORBIDDEN', `Only admins of room ${ctx.id} may do this.`);
  }
}

type Event = z.input<typeof roomEvent>;

function publishEvent(ctx: Context, event: Omit<Event, 'roomId' | 'timestamp'>): void {
  const whole: Event = { ...event, roomId: ctx.id, timestamp: isoTime(ctx.now) };
  ctx.publish('events', jsonBody(whole));
}

function join(state: Room, user: string, role: Role, ctx: Context): void {
  if (state.members.size >= membersMax) {
    throw new Refusal('CONFLICT', `Room ${ctx.id} is full: ${membersMax} members.`);
  }
  state.members.set(user, { role, joinedAt: ctx.now });
  ctx.write({
    op: 'insert',
    table: 'chat_room_members',
    row: { room_id: ctx.id, user_id: user, role, joined_at: ctx.now },
  });
  publishEvent(ctx, { type: 'USER_JOINED', userId: user });
}

function memberView(id: string, [user, member]: readonly [string, Member]): z.input<typeof memberAnswer> {
  return { roomId: id, userId: user, role: member.role, joinedAt: isoTime(member.joinedAt) };
}

/**
 * The seq above which messages by others than `reader` may still be unread. A message is READ once anyone but its
 * sender has read it, so all up to the second-furthest other reader is READ whoever sent it, and all up to the
 * reader's own position was marked by the reader's earlier calls.
 */
function firstUnmarked(readUpTo: ReadonlyMap<string, number>, reader: string): number {
  let furthest = 0;
  let second = 0;
  for (const seq of readUpTo.values()) {
    if (seq > furthest) {
      second = furthest;
      furthest = seq;
    } else if (seq > second) second = seq;
  }
  return Math.max(second, readUpTo.get(reader) ?? 0);
}

const wholeNumber = (max: number) => z.coerce.number().int().min(1).max(max);
const historyParameters = z.object({
  before: wholeNumber(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Messages with a smaller seq; the newest ones unless given.'),
  limit: wholeNumber(historyPageMax).optional().describe('At most so many; 50 unless given.'),
});

export const roomKind = defineActor({
  name: 'room',

  load: (id) => ({
    room: { name: 'room', args: { roomId: id } },
    members: { name: 'roomMembers', args: { roomId: id } },
    positions: { name: 'roomReadPositions', args: { roomId: id } },
    head: { name: 'roomHead', args: { roomId: id } },
  }),

  start: (_id, rows): Room => ({
    room: rows.room[0] ?? null,
    members: new Map(rows.members.map((row) => [row.user_id, { role: row.role, joinedAt: row.joined_at }])),
    newest: rows.head[0]?.seq ?? 0,
    readUpTo: new Map(rows.positions.map((row) => [row.user_id, row.seq])),
  }),

  refusalDetail: (id) => ({ roomId: id }),

  streams: {
    messages: {
      destination: '/topic/room.{id}',
      admit: visible,
      log: {
        head: (state) => ({ epoch: state.room?.epoch ?? '', oldest: 1, newest: state.newest }),
        after: (id, after, limit) => ({
          name: 'roomMessagesAfter',
          args: { roomId: id, after, limit },
        }),
        message: (row: ChatMessageRow) => [row.seq, null, jsonBody(messageView(row)).bytes, true],
      },
    },
    events: { destination: '/topic/room.{id}.events', admit: visible },
    receipts: { destination: '/topic/room.{id}.receipts', admit: visible },
  },

  commands: {
    send: command({
      routes: ['SEND /app/chat.send/{id}'],
      decode: decodeSendMessage,
      idempotencyKey: (body) => body.clientMessageId,
      receive(state: Room, body, ctx) {
        visible(state, ctx);
        if (Buffer.byteLength(body.content) > contentBytesMax) {
          throw new Refusal('TOO_LARGE', `A message holds at most ${contentBytesMax} bytes of content.`);
        }
        if (!state.members.has(ctx.user)) join(state, ctx.user, 'MEMBER', ctx);
        state.newest += 1;
        const row: ChatMessageRow = {
          message_id: ctx.newId(),
          room_id: ctx.id,
          sender_id: ctx.user,
          content: body.content,
          message_type: body.messageType,
          status: 'SENT',
          created_at: ctx.now,
          updated_at: null,
          seq: state.newest,
        };
        ctx.write({ op: 'insert', table: 'chat_messages', row });
        ctx.publish('messages', jsonBody(messageView(row)), { seq: row.seq });
        ctx.share(['unacked', ctx.id, row.message_id, row.created_at]);
      },
    }),

    read: command({
      routes: ['SEND /app/chat.read/{id}'],
      decode: decodeReadUpTo,
      query: (_state: Room, body, ctx) => ({
        name: 'roomMessageSeq',
        args: { roomId: ctx.id, messageId: body.lastReadMessageId },
      }),
      receive(state, body, ctx, rows) {
        visible(state, ctx);
        const upto = rows[0]?.seq;
        if (upto === undefined) {
          throw new Refusal('NOT_FOUND', `Room ${ctx.id} has no message ${body.lastReadMessageId}.`);
        }
        if (upto <= (state.readUpTo.get(ctx.user) ?? 0)) return;
        const after = firstUnmarked(state.readUpTo, ctx.user);
        state.readUpTo.set(ctx.user, upto);
        ctx.write({
          op: 'upsert',
          table: 'chat_read_positions',
          row: { room_id: ctx.id, user_id: ctx.user, seq: upto, read_at: ctx.now },
        });
        if (upto > after) {
          ctx.write({ op: 'mark_read', roomId: ctx.id, readerId: ctx.user, after, upto, at: ctx.now });
        }
        const receipt: z.input<typeof readReceipt> = {
          readerId: ctx.user,
          roomId: ctx.id,
          lastReadMessageId: body.lastReadMessageId,
          readAt: isoTime(ctx.now),
        };
        ctx.publish('receipts', jsonBody(receipt));
      },
    }),

    typing: command({
      routes: ['SEND /app/chat.typing/{id}'],
      decode: decodeTyping,
      receive(state: Room, body, ctx) {
        visible(state, ctx);
        publishEvent(ctx, { type: 'TYPING', userId: ctx.user, typing: body.typing });
      },
    }),

    create: command({
      routes: ['POST /api/rooms'],
      id: 'new',
      status: 201,
      about: 'Makes a room, with you as its first member and admin.',
      answer: roomAnswer,
      decode: decodeCreateRoom,
      receive(state: Room, body, ctx) {
        const room: ChatRoomRow = {
          room_id: ctx.id,
          name: body.name,
          created_by: ctx.user,
          is_private: body.isPrivate,
          created_at: ctx.now,
          updated_at: null,
          epoch: ctx.newEpoch(),
        };
        state.room = room;
        ctx.write({ op: 'insert', table: 'chat_rooms', row: room });
        join(state, ctx.user, 'ADMIN', ctx);
        ctx.reply(roomSummary(room));
      },
    }),

    get: command({
      routes: ['GET /api/rooms/{id}'],
      about: 'A room; a private one for its members only.',
      answer: roomDetailAnswer,
      decode: nothing,
      receive(state: Room, _body, ctx) {
        ctx.reply({ ...roomSummary(visible(state, ctx)), members: state.members.size, seq: state.newest });
      },
    }),

    history: command({
      routes: ['GET /api/rooms/{id}/messages'],
      about: 'The messages of a room, the newest first.',
      answer: z.array(messageAnswer),
      parameters: historyParameters,
      decode: nothing,
      query(state: Room, _body, ctx) {
        visible(state, ctx);
        const { before = Number.MAX_SAFE_INTEGER, limit = 50 } = historyParameters.parse(ctx.params);
        return { name: 'roomMessagesBefore', args: { roomId: ctx.id, before, limit } };
      },
      receive(_state, _body, ctx, rows) {
        ctx.reply(rows.map(messageView));
      },
    }),

    members: command({
      routes: ['GET /api/rooms/{id}/members'],
      about: 'The members of a room.',
      answer: z.array(memberAnswer),
      decode: nothing,
      receive(state: Room, _body, ctx) {
        visible(state, ctx);
        ctx.reply([...state.members].map((entry) => memberView(ctx.id, entry)));
      },
    }),

    addMember: command({
      routes: ['POST /api/rooms/{id}/members'],
      status: 201,
      about: 'Takes a user into a room; for its admins.',
      answer: memberAnswer,
      decode: decodeAddMember,
      receive(state: Room, body, ctx) {
        admin(state, ctx);
        if (state.members.has(body.userId)) {
          throw new Refusal('CONFLICT', `${body.userId} is a member of room ${ctx.id} already.`);
        }
        join(state, body.userId, body.role, ctx);
        ctx.reply(memberView(ctx.id, [body.userId, { role: body.role, joinedAt: ctx.now }]));
      },
    }),

    removeMember: command({
      routes: ['DELETE /api/rooms/{id}/members/{userId}'],
      status: 204,
      about: 'Takes a member out of a room; for its admins and for the member.',
      decode: nothing,
      receive(state: Room, _body, ctx) {
        const leaver = ctx.params['userId'] ?? '';
        if (leaver === ctx.user) existing(state, ctx);
        else admin(state, ctx);
        if (!state.members.has(leaver)) {
          throw new Refusal('NOT_FOUND', `${leaver} is not a member of room ${ctx.id}.`);
        }
        state.members.delete(leaver);
        ctx.write({
          op: 'delete',
          table: 'chat_room_members',
          key: { room_id: ctx.id, user_id: leaver },
        });
        publishEvent(ctx, { type: 'USER_LEFT', userId: leaver });
        if (state.room?.is_private === true) {
          for (const stream of ['messages', 'events', 'receipts']) ctx.revoke(stream, leaver);
        }
      },
    }),
  },
});
