// One room and many subscribers: what one message to everybody costs.
import type { ConnectionPlan, Pace } from '../lib/plan.ts';
import {
  chatOptions,
  deliveryColumns,
  latencyColumns,
  sanityColumns,
  type ChatKey,
  type Scenario,
} from './scenario.ts';

export const fanout: Scenario<ChatKey | 'subscribers' | 'rate' | 'window'> = {
  name: 'fanout',
  summary: 'one room, many subscribers, one publisher',
  options: {
    ...chatOptions(),
    subscribers: { meaning: 'subscribers of the room', unit: 'count', default: 1_000, min: 1, max: 20_000 },
    rate: {
      meaning: 'messages sent, whatever the server does',
      unit: '1/s',
      default: 50,
      min: 0.1,
      max: 100_000,
    },
    window: {
      meaning: 'instead of a rate: messages under way until all subscribers have them',
      unit: 'count, 0 = use the rate',
      default: 0,
      min: 0,
      max: 10_000,
    },
  },
  cost: { figure: 'cpuPerDeliveryUs', title: 'CPU × uws' },
  columns: [...deliveryColumns, ...latencyColumns, ...sanityColumns],
  measure: async (stage, numbers) => {
    const subscribers = Array.from({ length: numbers.subscribers }, (_, index): ConnectionPlan => {
      return { user: `user-${index}`, subscribesTo: [0] };
    });
    const publisher: ConnectionPlan = { user: 'publisher', subscribesTo: [], sendsTo: 0 };
    const pace: Pace =
      numbers.window > 0
        ? { kind: 'closed', window: numbers.window, until: 'delivered' }
        : { kind: 'open', ratePerSecond: numbers.rate };
    const rooms = await stage.rooms(1);
    const connections = [publisher, ...subscribers];
    const receipts = stage.target.receipts === 'always';
    return stage.withChat({ kind: 'traffic', rooms, connections, receipts }, (load) =>
      stage.run(load, pace, numbers),
    );
  },
};
