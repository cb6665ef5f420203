// Notifications of the user.
import type { NewNotification, Notification, NotificationRead } from './bodies.ts';
import type { Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';

export interface NotificationListeners {
  readonly notification: (notification: Notification) => void;
  /** It was read, here or on another device. */
  readonly read?: (read: NotificationRead) => void;
  /** Some were missed that are no longer kept in the stream: `list` has them. */
  readonly missed?: () => void;
}

export class Notifications {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** Every notification from now on, once and in order. */
  onNotification({ notification, read, missed }: NotificationListeners): Stop {
    const stop = this.#client.subscribe(
      '/user/queue/notifications',
      {
        message: ({ body }) => notification(JSON.parse(body) as Notification),
        present: (_frame, isStart) => void (isStart || missed?.()),
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

  list({ unread = false, limit = 50 }: { readonly unread?: boolean; readonly limit?: number } = {}): Promise<
    readonly Notification[]
  > {
    return this.#client.rest.get(`/api/notifications?limit=${limit}${unread ? '&unread=true' : ''}`);
  }

  markRead(notificationId: string): Promise<void> {
    return this.#client.send(`/app/notification.read/${notificationId}`, {});
  }

  /** For services. */
  async notify(userIds: readonly string[], notification: NewNotification): Promise<void> {
    await this.#client.rest.request('POST', pathOf('api', 'notifications'), { userIds, ...notification });
  }
}
