// The bodies that the server sends, of the schemas and views that make them. Types alone: nothing of the server runs here.
import type { z } from 'zod';
import type { operationView } from '../actors/kinds/document-views.ts';
import type { changeView, productAnswer } from '../actors/kinds/inventory-views.ts';
import type { notificationAnswer } from '../actors/kinds/notification-views.ts';
import type { orderStatus } from '../actors/kinds/order-views.ts';
import type { PriceView } from '../actors/kinds/price-views.ts';
import type {
  memberAnswer,
  messageAnswer,
  ownRoomAnswer,
  roomAnswer,
  roomDetailAnswer,
} from '../actors/kinds/room-views.ts';

export type RoomInfo = z.output<typeof roomAnswer>;
export type OwnRoom = z.output<typeof ownRoomAnswer>;
export type RoomDetail = z.output<typeof roomDetailAnswer>;
export type RoomMember = z.output<typeof memberAnswer>;
export type ChatMessage = z.output<typeof messageAnswer>;
export type Operation = ReturnType<typeof operationView>;
export type Price = PriceView;
export type OrderStatus = ReturnType<typeof orderStatus>;
export type Notification = z.output<typeof notificationAnswer>;
export type Product = z.output<typeof productAnswer>;
export type InventoryChange = ReturnType<typeof changeView>;

export interface RoomEvent {
  readonly type: 'USER_JOINED' | 'USER_LEFT' | 'TYPING';
  readonly roomId: string;
  readonly userId: string;
  readonly timestamp: string;
  /** Of TYPING. */
  readonly typing?: boolean;
}

export interface ReadReceipt {
  readonly readerId: string;
  readonly roomId: string;
  readonly lastReadMessageId: string;
  readonly readAt: string;
}

export interface DocumentContent {
  readonly docId: string;
  readonly content: string;
  readonly revision: number;
}

/** Where somebody is in a document; `position` is null when the cursor is gone. */
export interface CursorBody {
  readonly docId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly position: number | null;
  readonly anchor: number | null;
  readonly revision: number;
  readonly timestamp: string;
}

export interface Presence {
  readonly userId: string;
  readonly online: boolean;
  readonly sessions: number;
  readonly lastSeen: string | null;
}

export type PresenceChange = Omit<Presence, 'lastSeen'> & { readonly timestamp: string };

export interface Holding {
  readonly symbol: string;
  /** A decimal text. */
  readonly quantity: string;
}

export interface Portfolio {
  readonly positions: readonly {
    readonly symbol: string;
    readonly quantity: string;
    /** Null while the symbol has none. */
    readonly price: string | null;
    readonly value: string | null;
  }[];
  readonly totalValue: string;
  readonly timestamp: string;
}

export interface NotificationRead {
  readonly notificationId: string;
  readonly readAt: string;
}
