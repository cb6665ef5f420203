// What rooms take.
import fc from 'fast-check';
import type { CommandSample, KindSamples } from './kind.contract.ts';

const user = fc.constantFrom('alice', 'bob', 'carol', 'dave');
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
/** Messages get their ids from the shard, which counts. */
const messageId = fc.integer({ min: 1, max: 8 }).map((number) => `id-${number}`);

function sample(
  json: fc.Arbitrary<unknown>,
  params: fc.Arbitrary<Record<string, string>> = fc.constant({}),
): fc.Arbitrary<CommandSample> {
  return fc.record({ user, json, params });
}

const nothing = fc.constant(undefined);

export const roomSamples: KindSamples = {
  id: 'r',
  setup: fc.boolean().map((isPrivate) => [
    ['create', { user: 'alice', json: { name: 'Room', isPrivate } }],
    ['addMember', { user: 'alice', json: { userId: 'bob', role: 'ADMIN' } }],
    // Nobody removes this one.
    ['addMember', { user: 'alice', json: { userId: 'eve' } }],
    ['send', { user: 'alice', json: { content: 'hello' } }],
  ]),
  commands: {
    create: sample(fc.record({ name: text.map((name) => `r${name}`), isPrivate: fc.boolean() })),
    send: sample(
      fc.record(
        { content: text, messageType: fc.constantFrom('TEXT', 'IMAGE'), clientMessageId: text },
        { requiredKeys: ['content'] },
      ),
    ),
    read: sample(fc.record({ lastReadMessageId: messageId })),
    typing: sample(fc.record({ typing: fc.boolean() })),
    get: sample(nothing),
    history: sample(
      nothing,
      fc.record({ before: fc.constantFrom('1', '5'), limit: fc.constantFrom('1', '50') }),
    ),
    members: sample(nothing),
    addMember: sample(
      fc.record(
        { userId: fc.oneof(user, text), role: fc.constantFrom('MEMBER', 'ADMIN') },
        { requiredKeys: ['userId'] },
      ),
    ),
    removeMember: sample(nothing, fc.record({ userId: user })),
  },
  streams: {
    messages: { user: 'eve' },
    events: { user: 'eve' },
    receipts: { user: 'eve' },
  },
  // Others read it meanwhile.
  lasting: ([, , body]) => ({ ...(JSON.parse(Buffer.from(body).toString()) as object), status: '' }),
};
