// A load of everything that is kept: chat and plain topics, documents, the inventory, notifications, queues.
import { queuesLoad } from './fault-queues.ts';
import { documentsLoad } from './kill-documents.ts';
import { inventoryLoad } from './kill-inventory.ts';
import { notificationsLoad } from './kill-notifications.ts';
import type { Load } from './kill-rounds.ts';
import { streamsLoad } from './kill-streams.ts';
import { idOn } from './layouts.ts';
import type { TestServer } from './server.ts';

const shards = 2;

/** All together, with actors on each of two shards. */
export async function everyLoad(server: TestServer): Promise<Load> {
  const loads = [
    await streamsLoad(server),
    await documentsLoad(server, [idOn('document', 0, shards), idOn('document', 1, shards)]),
    await inventoryLoad(server, ['counted', idOn('product', 0, shards), idOn('product', 1, shards)]),
    notificationsLoad(),
    queuesLoad([0, 1].map((shard) => `/queue/${idOn('queue', shard, shards)}`)),
  ];
  return {
    participants: loads.flatMap(({ participants }) => participants),
    check(database) {
      for (const load of loads) load.check(database);
    },
  };
}
