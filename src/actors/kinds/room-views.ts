// How rooms, their members and their messages look from outside, and what may be asked of them.
import { z } from 'zod';
import { isoTime, optional } from '../body.ts';
import type { ChatMessageRow, ChatRoomRow } from '../../storage/tables.ts';
import { userName } from './user-views.ts';

export const memberRoles = ['MEMBER', 'ADMIN'] as const;

export const createRoomBody = z.object({
  name: z.string().trim().min(1).max(255),
  isPrivate: optional(z.boolean(), false),
});
export const addMemberBody = z.object({
  userId: userName,
  role: optional(z.enum(memberRoles), 'MEMBER'),
});
export const sendMessageBody = z.object({
  content: z.string().min(1),
  messageType: optional(z.string().min(1).max(20), 'TEXT'),
  clientMessageId: optional(z.string().min(1).max(255)),
});
export const readUpToBody = z.object({ lastReadMessageId: z.string().min(1).max(36) });
export const typingBody = z.object({ typing: z.boolean() });

export const roomAnswer = z
  .object({
    roomId: z.string(),
    name: z.string(),
    createdBy: z.string(),
    isPrivate: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Room' });

/** A room among those of a user. */
export const ownRoomAnswer = roomAnswer.extend({ role: z.string() }).meta({ id: 'OwnRoom' });

/** A room as one looks at it: how many members it has, and the seq of its newest message. */
export const roomDetailAnswer = roomAnswer
  .extend({ members: z.int(), seq: z.int() })
  .meta({ id: 'RoomDetail' });

export const memberAnswer = z
  .object({ roomId: z.string(), userId: z.string(), role: z.string(), joinedAt: z.iso.datetime() })
  .meta({ id: 'RoomMember' });

export const messageAnswer = z
  .object({
    messageId: z.string(),
    roomId: z.string(),
    senderId: z.string(),
    content: z.string(),
    messageType: z.string(),
    status: z.string(),
    createdAt: z.iso.datetime(),
    seq: z.int(),
  })
  .meta({ id: 'ChatMessage' });

/** Who comes and goes, and who types. */
export const roomEvent = z.object({
  type: z.enum(['USER_JOINED', 'USER_LEFT', 'TYPING']),
  roomId: z.string(),
  userId: z.string(),
  timestamp: z.iso.datetime(),
  /** Of TYPING. */
  typing: z.boolean().optional(),
});

export const readReceipt = z.object({
  readerId: z.string(),
  roomId: z.string(),
  lastReadMessageId: z.string(),
  readAt: z.iso.datetime(),
});

export function roomSummary(room: ChatRoomRow): z.input<typeof roomAnswer> {
  return {
    roomId: room.room_id,
    name: room.name,
    createdBy: room.created_by,
    isPrivate: room.is_private,
    createdAt: isoTime(room.created_at),
  };
}

export function messageView(message: ChatMessageRow): z.input<typeof messageAnswer> {
  return {
    messageId: message.message_id,
    roomId: message.room_id,
    senderId: message.sender_id,
    content: message.content,
    messageType: message.message_type,
    status: message.status,
    createdAt: isoTime(message.created_at),
    seq: message.seq,
  };
}
