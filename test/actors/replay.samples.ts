// What replays take, with rooms that others have made.
import fc from 'fast-check';
import type { Write } from '../../src/storage/storage.ts';
import type { KindSamples } from './kind.contract.ts';

const madeAt = Date.UTC(2026, 0, 2);
const roomIds = ['r1', 'r2', 'others'];

const rooms = roomIds.flatMap((roomId): Write[] => [
  {
    op: 'insert',
    table: 'chat_rooms',
    row: {
      room_id: roomId,
      name: 'Room',
      created_by: 'bob',
      is_private: false,
      created_at: madeAt,
      updated_at: null,
      epoch: 'e',
    },
  },
  {
    op: 'insert',
    table: 'chat_room_members',
    row: {
      room_id: roomId,
      user_id: roomId === 'others' ? 'bob' : 'alice',
      role: 'MEMBER',
      joined_at: madeAt,
    },
  },
  ...[1, 2, 3].map((seq): Write => ({
    op: 'insert',
    table: 'chat_messages',
    row: {
      message_id: `${roomId}-${seq}`,
      room_id: roomId,
      sender_id: 'bob',
      content: `message ${seq}`,
      message_type: 'TEXT',
      status: 'SENT',
      created_at: madeAt + seq,
      updated_at: null,
      seq,
    },
  })),
]);

const roomId = fc.constantFrom(...roomIds, 'nowhere');
const messageId = fc.constantFrom('r1-1', 'r1-2', 'r1-3', 'r2-1', 'others-1', 'none');
const since = fc.oneof(
  fc.constantFrom(0, madeAt, `${madeAt + 1}`, '2026-01-02T00:00:00.002Z', '2026-01-02T00:00:00'),
  fc.nat({ max: madeAt + 10 }),
);

export const replaySamples: KindSamples = {
  id: 'alice',
  stored: rooms,
  setup: fc.constant([]),
  commands: {
    replay: fc.record({
      user: fc.constant('alice'),
      json: fc.oneof(
        fc.record({ since, roomId }, { requiredKeys: ['since'] }),
        fc.record({ roomId, lastMessageId: messageId }),
      ),
      params: fc.record(
        { cursor: fc.constantFrom(`${madeAt}:1:r1`, '0:2:', `${madeAt + 2}:0:`) },
        { requiredKeys: [] },
      ),
    }),
    acknowledge: fc.record({
      user: fc.constant('alice'),
      params: fc.record({ roomId }),
      json: fc.record({ messageId }),
    }),
  },
  streams: { messages: { user: 'alice' } },
};
