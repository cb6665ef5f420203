// What the inventory takes, with some products that others have made.
import fc from 'fast-check';
import type { KindSamples } from './kind.contract.ts';
import { appended, product } from '../support/stock.ts';

const nothing = fc.constant(undefined);
const user = fc.constantFrom('alice', 'bob');

export const inventorySamples: KindSamples = {
  id: '',
  stored: [
    product('a', 3, 1),
    appended('/topic/inventory', 'a', 3, 1),
    product('b', 7, 2),
    appended('/topic/inventory', 'b', 7, 2),
    appended('/topic/inventory/urgent', 'b', 7, 2),
  ],
  setup: fc.constant([]),
  commands: {
    list: fc.record({
      user,
      json: nothing,
      params: fc.record(
        { after: fc.constantFrom('', 'a', 'z'), limit: fc.constantFrom('1', '10000') },
        { requiredKeys: [] },
      ),
    }),
    trim: fc.record({ user }),
  },
  streams: { changes: { user: 'alice' }, urgent: { user: 'alice' } },
};
