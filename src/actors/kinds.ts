// The list of kinds: one line each. Earlier kinds own a destination before later ones.
import type { AnyKind } from './actor.ts';
import { inventoryKind } from './kinds/inventory.ts';
import { productKind } from './kinds/product.ts';
import { replayKind } from './kinds/replay.ts';
import { documentKind } from './kinds/document.ts';
import { notificationsKind } from './kinds/notifications.ts';
import { notifierKind } from './kinds/notifier.ts';
import { orderKind } from './kinds/order.ts';
import { presenceKind } from './kinds/presence.ts';
import { portfolioKind } from './kinds/portfolio.ts';
import { pricesKind } from './kinds/prices.ts';
import { queueKind } from './kinds/queue.ts';
import { roomKind } from './kinds/room.ts';
import { topicKind } from './kinds/topic.ts';
import { userKind } from './kinds/user.ts';

export const kinds: readonly AnyKind[] = [
  roomKind,
  documentKind,
  presenceKind,
  orderKind,
  notificationsKind,
  notifierKind,
  productKind,
  inventoryKind,
  replayKind,
  pricesKind,
  portfolioKind,
  userKind,
  topicKind,
  queueKind,
];
