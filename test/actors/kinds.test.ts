// The contract of kinds, on all kinds there are. One without samples here fails.
import { kinds } from '../../src/actors/kinds.ts';
import { kindContract, type KindSamples } from './kind.contract.ts';
import { inventorySamples } from './inventory.samples.ts';
import { productSamples } from './product.samples.ts';
import { replaySamples } from './replay.samples.ts';
import { portfolioSamples } from './portfolio.samples.ts';
import { pricesSamples } from './prices.samples.ts';
import { documentSamples } from './document.samples.ts';
import { notificationsSamples } from './notifications.samples.ts';
import { notifierSamples } from './notifier.samples.ts';
import { orderSamples } from './order.samples.ts';
import { presenceSamples } from './presence.samples.ts';
import { queueSamples } from './queue.samples.ts';
import { roomSamples } from './room.samples.ts';
import { topicSamples } from './topic.samples.ts';
import { userSamples } from './user.samples.ts';

const samples: Readonly<Record<string, KindSamples>> = {
  room: roomSamples,
  product: productSamples,
  inventory: inventorySamples,
  replay: replaySamples,
  prices: pricesSamples,
  portfolio: portfolioSamples,
  document: documentSamples,
  presence: presenceSamples,
  order: orderSamples,
  notifications: notificationsSamples,
  notifier: notifierSamples,
  user: userSamples,
  topic: topicSamples,
  queue: queueSamples,
};

for (const kind of kinds) kindContract(kind, samples[kind.name]);
