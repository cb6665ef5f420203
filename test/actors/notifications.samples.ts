// What a user's notifications take; others have written them.
import fc from 'fast-check';
import type { NotificationRow } from '../../src/storage/tables.ts';
import type { KindSamples } from './kind.contract.ts';

const row = (seq: number): NotificationRow => ({
  notification_id: `n-${seq}`,
  user_id: 'alice',
  type: 'NEWS',
  message: `number ${seq}`,
  reference_id: seq === 1 ? 'r-1' : null,
  is_read: false,
  created_at: seq,
  read_at: null,
  seq: 0,
});
const user = fc.constant('alice');

export const notificationsSamples: KindSamples = {
  id: 'alice',
  setup: fc.constant([]),
  stored: [1, 2, 3].map((seq) => ({
    op: 'append',
    table: 'notifications',
    stream: '/user/alice/queue/notifications',
    epoch: 'epoch-of-alice',
    row: row(seq),
  })),
  commands: {
    list: fc.record({
      user,
      params: fc.record(
        { unread: fc.constantFrom('true', 'false'), limit: fc.constantFrom('1', '2', '1000') },
        { requiredKeys: [] },
      ),
    }),
    read: fc.record({
      user,
      params: fc.record({ notificationId: fc.constantFrom('n-1', 'n-2', 'n-3', 'n-4') }),
    }),
  },
  streams: { notifications: { user: 'alice' }, read: { user: 'alice' } },
};
