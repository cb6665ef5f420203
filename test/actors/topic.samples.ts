// What plain topics take.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

const body = fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.string({ unit: 'binary' }));
const headers = fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), fc.string({ unit: 'binary' }));

export const topicSamples: KindSamples = {
  id: 'news/today',
  setup: fc.constant([]),
  commands: { send: fc.record({ user: fc.constantFrom('alice', 'bob'), body, headers }) },
  streams: { messages: { user: 'alice' } },
  // Without messages nobody can tell one epoch from the next.
  durable: ({ epoch, ...state }: { epoch: string; stored: boolean }) =>
    state.stored ? { epoch, ...state } : state,
};
