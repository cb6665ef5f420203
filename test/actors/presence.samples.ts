// What the presence of a user takes.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

export const presenceSamples: KindSamples = {
  id: 'alice',
  setup: fc.constant([]),
  stored: [{ op: 'upsert', table: 'last_seen', row: { user_id: 'alice', last_seen: 1_000 } }],
  commands: { query: fc.record({ user: fc.constantFrom('alice', 'bob') }) },
  streams: { presence: { user: 'bob' } },
};
