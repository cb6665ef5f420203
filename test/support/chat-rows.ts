// Rows of chat rooms, as a store takes them.
import type { Write } from '../../src/storage/storage.ts';

/** A public room with its members. */
export function roomRows(roomId: string, members: readonly string[], at: number): Write[] {
  const room = {
    room_id: roomId,
    name: 'Room',
    created_by: 'bob',
    is_private: false,
    created_at: at,
    updated_at: null,
    epoch: 'e',
  };
  return [
    { op: 'insert', table: 'chat_rooms', row: room },
    ...members.map((member): Write => ({
      op: 'insert',
      table: 'chat_room_members',
      row: { room_id: roomId, user_id: member, role: 'MEMBER', joined_at: at },
    })),
  ];
}

/** One message by bob; its id is `roomId-seq`. */
export function messageRow(roomId: string, seq: number, at: number, content = `message ${seq}`): Write {
  const row = {
    message_id: `${roomId}-${seq}`,
    room_id: roomId,
    sender_id: 'bob',
    content,
    message_type: 'TEXT',
    status: 'SENT',
    created_at: at,
    updated_at: null,
    seq,
  };
  return { op: 'insert', table: 'chat_messages', row };
}
