// Notifications of the user.
import type { NewNotification, Notification, NotificationRead } from './bodies.ts';
import type { Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';
import { presentOf, type PlaceListeners } from './subscription.ts';

/** At `live` ask for the `list`, and drop what has a `notificationId` that was there already. */
export interface NotificationListeners extends PlaceListeners {
  readonly notification: (notification: Notification) => void;
  /** It was read, here or on another device. */
  readonly read?: (read: NotificationRead) => void;
}

export class Notifications {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** Every notification from `live` on, once and in order; those before are in the `list`. */
  onNotification(listeners: NotificationListeners): Stop {
    const { notification, read } = listeners;
    const stop = this.#client.subscribe(
      '/user/queue/notifications',
      {
        message: ({ body }) => notification(JSON.parse(body) as Notification),
        present: presentOf(listeners),
      },
      { isResumable: true },
    );
    if (!read) return stop;
    const stopRead = this.#client.subscribe('/user/queue/notification.read', {
      message: ({ body }) => read(JSON.parse(body) as NotificationRead),
    });
    return () => {
      stop();
      stopRead();
    };
  }

  /** Newest first; at most 1,000. */
  list({ unread = false, limit = 50 }: { readonly unread?: boolean; readonly limit?: number } = {}): Promise<
    readonly Notification[]
  > {
    return this.#client.rest.get(`/api/notifications?limit=${limit}${unread ? '&unread=true' : ''}`);
  }

  /** Resolves when it is stored; all devices of the user hear of it by `read`. */
  markRead(notificationId: string): Promise<void> {
    return this.#client.send(`/app/notification.read/${notificationId}`, {});
  }

  /** For services: to each of up to 10,000 users, at once or when they come. Resolves when all are stored. */
  async notify(userIds: readonly string[], notification: NewNotification): Promise<void> {
    await this.#client.rest.request('POST', pathOf('api', 'notifications'), { userIds, ...notification });
  }
}
