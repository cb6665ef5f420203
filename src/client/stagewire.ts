// The client: all patterns over one connection.
import { Documents } from './documents.ts';
import { Inventory } from './inventory.ts';
import { Messaging } from './messaging.ts';
import { Notifications } from './notifications.ts';
import { Orders } from './orders.ts';
import { Presences } from './presences.ts';
import { Prices } from './prices.ts';
import { Rooms } from './rooms.ts';
import { Topics } from './topics.ts';

export class Stagewire extends Messaging {
  readonly rooms = new Rooms(this);
  readonly documents = new Documents(this);
  readonly prices = new Prices(this);
  readonly presences = new Presences(this);
  readonly orders = new Orders(this);
  readonly notifications = new Notifications(this);
  readonly inventory = new Inventory(this);
  readonly topics = new Topics(this);

  /** Leaves in good order: edits of documents are still sent, over a connection. What was not answered rejects with CLOSED. */
  override close(): Promise<void> {
    const isReady = this.state.name !== 'connected' || this.documents.areSettled;
    return isReady ? super.close() : this.documents.sent().then(() => super.close());
  }
}
