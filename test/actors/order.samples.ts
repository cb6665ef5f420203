// What orders take.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';

const status = fc.constantFrom('PLACED', 'SHIPPED', '配達中');
const estimatedDelivery = fc.constantFrom('2030-01-31T10:00:00Z', '2030-01-31T10:00:00.123+05:30', null);
const currentLocation = fc.constantFrom('Oslo', '', null);
const service = { user: fc.constant('shop'), roles: fc.constant(['service']) };
const owner = fc.record({ user: fc.constant('alice') });

export const orderSamples: KindSamples = {
  id: 'o-1',
  setup: fc.constant([
    ['create', { user: 'shop', roles: ['service'], json: { userId: 'alice', status: 'PLACED' } }],
  ]),
  commands: {
    create: fc.record({
      ...service,
      json: fc.record(
        { userId: fc.constant('alice'), status, estimatedDelivery, currentLocation },
        { requiredKeys: ['userId', 'status'] },
      ),
    }),
    change: fc.record({
      ...service,
      json: fc.record({ status, estimatedDelivery, currentLocation }, { requiredKeys: [] }),
    }),
    get: fc.oneof(owner, fc.record(service)),
    track: owner,
    untrack: owner,
  },
  streams: {},
};
