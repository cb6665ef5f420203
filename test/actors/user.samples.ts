// What a user's own queues take.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

const user = fc.constantFrom('alice', 'bob');
const params = fc.record({ queue: fc.constantFrom('jobs', 'a/b', 'errors', 'portfolio') });

export const userSamples: KindSamples = {
  id: 'alice',
  setup: fc.constant([]),
  commands: {
    send: fc.record({
      user,
      params,
      body: fc.uint8Array({ maxLength: 50 }),
      headers: fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
    }),
    rooms: fc.record({ user: fc.constant('alice') }),
  },
  streams: { queue: { user: 'alice', params: { queue: 'jobs' } } },
};
