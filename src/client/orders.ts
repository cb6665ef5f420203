// Orders, tracked by their owners.
import type { NewOrder, Order, OrderChange, OrderStatus, OrderWithHistory } from './bodies.ts';
import type { StagewireError } from './error.ts';
import type { Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';

export class Orders {
  readonly #client: Messaging;
  /** How many track each order: the last one to stop ends it. */
  readonly #tracking = new Map<string, number>();

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** The status at once, after every loss, and whenever it changes; only newer ones. */
  track(
    orderId: string,
    listener: (status: OrderStatus) => void,
    refused?: (error: StagewireError) => void,
  ): Stop {
    let newest = '';
    const count = (change: 1 | -1): number => {
      const left = (this.#tracking.get(orderId) ?? 0) + change;
      if (left > 0) this.#tracking.set(orderId, left);
      else this.#tracking.delete(orderId);
      return left;
    };
    count(1);
    const told = (body: string): void => {
      const status = JSON.parse(body) as OrderStatus;
      if (status.orderId !== orderId || status.lastUpdated < newest) return;
      newest = status.lastUpdated;
      listener(status);
    };
    const stopStatus = this.#client.subscribe('/user/queue/order.status', {
      message: ({ body }) => told(body),
    });
    // Tracking belongs to a connection: subscribing again after a loss is asking again.
    const stopTracking = this.#client.subscribe(`/app/order.track/${orderId}`, {
      message: ({ body }) => told(body),
      ...(refused ? { refused } : {}),
    });
    let isTracking = true;
    return () => {
      if (!isTracking) return;
      isTracking = false;
      stopTracking();
      stopStatus();
      if (count(-1) === 0) this.#client.tell(`/app/order.untrack/${orderId}`, {});
    };
  }

  get(orderId: string): Promise<OrderWithHistory> {
    return this.#client.rest.get(pathOf('api', 'orders', orderId));
  }

  /** For services. */
  create(order: NewOrder): Promise<Order> {
    return this.#client.rest.request('POST', '/api/orders', order);
  }

  /** For services. */
  change(orderId: string, change: OrderChange): Promise<Order> {
    return this.#client.rest.request('PATCH', pathOf('api', 'orders', orderId), change);
  }
}
