// Many rooms with a few members each, all of whom write: the everyday load of a chat.
import type { ConnectionPlan } from '../lib/plan.ts';
import {
  chatOptions,
  deliveryColumns,
  latencyColumns,
  sanityColumns,
  type ChatKey,
  type Scenario,
} from './scenario.ts';

/** Connections of `rooms` rooms with `members` members each; neighbours in the list are in different rooms. */
export function membersOf(rooms: number, members: number): readonly ConnectionPlan[] {
  return Array.from({ length: rooms * members }, (_, index): ConnectionPlan => {
    const room = index % rooms;
    return { user: `user-${index}`, subscribesTo: [room], sendsTo: room };
  });
}

export const rooms: Scenario<ChatKey | 'rooms' | 'members' | 'rate'> = {
  name: 'rooms',
  summary: 'many small rooms, every member writes at a fixed total rate',
  options: {
    ...chatOptions(),
    rooms: { meaning: 'rooms', unit: 'count', default: 100, min: 1, max: 5_000 },
    members: { meaning: 'members of each room', unit: 'count', default: 10, min: 1, max: 5_000 },
    rate: {
      meaning: 'messages sent in all rooms together',
      unit: '1/s',
      default: 4_000,
      min: 1,
      max: 200_000,
    },
  },
  cost: { figure: 'cpuPerDeliveryUs', title: 'CPU × uws' },
  columns: [...deliveryColumns, ...latencyColumns, ...sanityColumns],
  measure: async (stage, numbers) => {
    const names = await stage.rooms(numbers.rooms);
    const connections = membersOf(numbers.rooms, numbers.members);
    const receipts = stage.target.receipts === 'always';
    return stage.withChat({ kind: 'traffic', rooms: names, connections, receipts }, (load) =>
      stage.run(load, { kind: 'open', ratePerSecond: numbers.rate }, numbers),
    );
  },
};
