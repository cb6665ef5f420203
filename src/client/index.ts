// What `stagewire/client` exports.
export type * from './bodies.ts';
export type { Cursor } from './cursors.ts';
export { Document, Documents, type DocumentEvent } from './documents.ts';
export { StagewireError, type RefusalCode } from './error.ts';
export { Inventory, type InventoryListeners } from './inventory.ts';
export type { Stop } from './listeners.ts';
export { Notifications, type NotificationListeners } from './notifications.ts';
export type { ClientOptions, Socket } from './options.ts';
export { Orders } from './orders.ts';
export { Presences } from './presences.ts';
export { Prices } from './prices.ts';
export { Room, Rooms, type RoomListeners } from './rooms.ts';
export type { SendOptions, SubscribeOptions } from './messaging.ts';
export { Stagewire } from './stagewire.ts';
export type { ClientState } from './state.ts';
export type { Message, SubscriptionEvents } from './subscription.ts';
export { Topics, type QueueListeners, type TopicListeners } from './topics.ts';
export type { Change, Changes } from '../text/changes.ts';
