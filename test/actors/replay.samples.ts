// What replays take, with rooms that others have made.
import fc from 'fast-check';
import { messageRow, roomRows } from '../support/chat-rows.ts';
import type { KindSamples } from './kind.contract.ts';

const madeAt = Date.UTC(2026, 0, 2);
const roomIds = ['r1', 'r2', 'others'];

const rooms = roomIds.flatMap((roomId) => [
  ...roomRows(roomId, [roomId === 'others' ? 'bob' : 'alice'], madeAt),
  ...[1, 2, 3].map((seq) => messageRow(roomId, seq, madeAt + seq)),
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
        { cursor: fc.constantFrom(`9:${madeAt}:1:r1`, '1:0:2:', `200:${madeAt + 2}:0:`) },
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
