// What products take.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

const roles = ['service'];
const user = fc.constantFrom('shop', 'warehouse');
const quantity = fc.nat({ max: 20 });

export const productSamples: KindSamples = {
  id: 'sku-1',
  setup: fc.constant([['put', { user: 'shop', roles, json: { name: 'Chair', quantity: 5 } }]]),
  commands: {
    update: fc.record({
      user,
      roles: fc.constant(roles),
      json: fc.oneof(
        fc.record({ quantity, urgent: fc.boolean() }, { requiredKeys: ['quantity'] }),
        fc.record(
          { delta: fc.integer({ min: -9, max: 9 }), idempotencyKey: fc.constantFrom('a', 'b', 'c') },
          { requiredKeys: ['delta'] },
        ),
      ),
    }),
    get: fc.record({ user }),
    put: fc.record({
      user,
      roles: fc.constant(roles),
      json: fc.record({ name: fc.constantFrom('Chair', 'Table'), quantity }, { requiredKeys: ['quantity'] }),
    }),
  },
  streams: {},
};
