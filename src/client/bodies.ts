// The bodies of messages and answers, and what may be sent, of the schemas by which the server checks and makes them. Types
// alone: nothing of the server runs here.
import type { z } from 'zod';
import type { cursorView, documentAnswer, operationAnswer } from '../actors/kinds/document-views.ts';
import type { inventoryChange, productAnswer } from '../actors/kinds/inventory-views.ts';
import type { notificationAnswer, notificationRead, notifyBody } from '../actors/kinds/notification-views.ts';
import type {
  changeOrderBody,
  createOrderBody,
  orderAnswer,
  orderStatusView,
  orderWithHistoryAnswer,
} from '../actors/kinds/order-views.ts';
import type { holdingsBody, portfolioAnswer, portfolioView } from '../actors/kinds/portfolio-views.ts';
import type { presenceAnswer, presenceChange } from '../actors/kinds/presence-views.ts';
import type { priceSchema, tickSchema } from '../actors/kinds/price-views.ts';
import type {
  memberAnswer,
  memberRoles,
  messageAnswer,
  ownRoomAnswer,
  readReceipt,
  roomAnswer,
  roomDetailAnswer,
  roomEvent,
} from '../actors/kinds/room-views.ts';

type In<Schema extends z.ZodType> = Readonly<z.input<Schema>>;
type Out<Schema extends z.ZodType> = Readonly<z.output<Schema>>;

export type RoomInfo = Out<typeof roomAnswer>;
export type OwnRoom = Out<typeof ownRoomAnswer>;
export type RoomDetail = Out<typeof roomDetailAnswer>;
export type MemberRole = (typeof memberRoles)[number];
export type RoomMember = Out<typeof memberAnswer>;
export type ChatMessage = Out<typeof messageAnswer>;
export type RoomEvent = Out<typeof roomEvent>;
export type ReadReceipt = Out<typeof readReceipt>;

export type DocumentContent = Out<typeof documentAnswer>;
export type Operation = Out<typeof operationAnswer>;
/** Where somebody is in a document; `position` is null when the cursor is gone. */
export type CursorBody = Out<typeof cursorView>;

export type Presence = Out<typeof presenceAnswer>;
export type PresenceChange = Out<typeof presenceChange>;

export type Tick = In<typeof tickSchema>;
export type Price = Out<typeof priceSchema>;
export type Holding = In<typeof holdingsBody>['holdings'][number];
export type Portfolio = Out<typeof portfolioView>;
export type PortfolioWithHoldings = Out<typeof portfolioAnswer>;

export type NewOrder = In<typeof createOrderBody>;
export type OrderChange = In<typeof changeOrderBody>;
export type OrderStatus = Out<typeof orderStatusView>;
export type Order = Out<typeof orderAnswer>;
export type OrderWithHistory = Out<typeof orderWithHistoryAnswer>;

export type NewNotification = Omit<In<typeof notifyBody>, 'userIds'>;
export type Notification = Out<typeof notificationAnswer>;
export type NotificationRead = Out<typeof notificationRead>;

export type Product = Out<typeof productAnswer>;
export type InventoryChange = Out<typeof inventoryChange>;
