// What queues take.
import fc from 'fast-check';
import type { QueueState } from '../../src/actors/kinds/queue-state.ts';
import type { KindSamples } from './kind.contract.ts';

const body = fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.string({ unit: 'binary' }));
const headers = fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), fc.string({ unit: 'binary' }));

export const queueSamples: KindSamples = {
  id: 'jobs/today',
  setup: fc.constant([]),
  commands: { send: fc.record({ user: fc.constantFrom('alice', 'bob'), body, headers }) },
  streams: { messages: { user: 'alice' } },
  // Who consumes is the runtime's to know.
  durable: ({ messages: { count, bytes } }: { messages: QueueState }) => ({ count, bytes }),
};
