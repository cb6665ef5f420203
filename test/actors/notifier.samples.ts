// What those who send notifications may say.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

export const notifierSamples: KindSamples = {
  id: 'shop',
  setup: fc.constant([]),
  commands: {
    send: fc.record({
      user: fc.constant('shop'),
      roles: fc.constant(['service']),
      json: fc.record(
        {
          userIds: fc.array(fc.constantFrom('alice', 'bob', 'a/b'), { minLength: 1, maxLength: 5 }),
          type: fc.constantFrom('NEWS', 'ORDER'),
          message: fc.string({ unit: 'binary', minLength: 1 }),
          referenceId: fc.option(fc.string({ maxLength: 36 })),
        },
        { requiredKeys: ['userIds', 'type', 'message'] },
      ),
    }),
  },
  streams: {},
};
