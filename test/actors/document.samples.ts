// What documents take.
import fc from 'fast-check';
import type { DocumentState } from '../../src/actors/kinds/document-state.ts';
import type { CommandSample, KindSamples } from './kind.contract.ts';

const user = fc.constantFrom('alice', 'bob');
const small = fc.nat({ max: 6 });
const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'é'), minLength: 1, maxLength: 4 });

const insert = fc.record({
  type: fc.constant('INSERT'),
  position: fc.constant(0),
  text,
  revision: small,
});
const remove = fc.record({
  type: fc.constant('DELETE'),
  position: small,
  length: fc.integer({ min: 1, max: 3 }),
  revision: small,
});

const nothing = fc.record({ user, json: fc.constant(undefined) });

function sample(json: fc.Arbitrary<unknown>): fc.Arbitrary<CommandSample> {
  return fc.record({ user, session: fc.constantFrom('s1', 's2'), json });
}

export const documentSamples: KindSamples = {
  id: 'd',
  setup: fc.constant([
    [
      'operation',
      { user: 'alice', json: { type: 'INSERT', position: 0, text: 'hello, all of you', revision: 0 } },
    ],
    ['operation', { user: 'bob', json: { type: 'DELETE', position: 5, length: 1, revision: 1 } }],
  ]),
  commands: {
    operation: sample(fc.oneof(insert, remove)),
    undo: sample(fc.constant({})),
    cursor: sample(fc.record({ position: small, anchor: small }, { requiredKeys: ['position'] })),
    open: nothing,
    get: nothing,
    operations: fc.record({ user, json: fc.constant(undefined), params: fc.constant({ since: '1' }) }),
  },
  streams: { operations: { user: 'eve' }, cursors: { user: 'eve' } },
  plain: ({ epoch, isStored, revision, content, oldest, snapshot, cursors }: DocumentState) => ({
    ...{ epoch, isStored, revision, content, oldest, snapshot },
    cursors: [...cursors.entries()],
  }),
  durable: (state: object) => ({ ...state, cursors: [] }),
};
