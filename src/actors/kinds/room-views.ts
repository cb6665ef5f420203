// How rooms and their messages look from outside.
import type { ChatMessageRow, ChatRoomRow } from '../../storage/tables.ts';

/** A time of a body: ISO-8601, UTC, milliseconds. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function roomSummary(room: ChatRoomRow) {
  return {
    roomId: room.room_id,
    name: room.name,
    createdBy: room.created_by,
    isPrivate: room.is_private,
    createdAt: isoTime(room.created_at),
  };
}

export function messageView(message: ChatMessageRow) {
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
