// One connection of the load: signs in, subscribes, then counts what it sends and gets.
import { makeDeferred } from '../lib/deferred.ts';
import type { ConnectionPlan } from '../lib/plan.ts';
import { WebSocketClient, type WebSocketListener } from '../lib/websocket-client.ts';
import type { Peer, Protocol } from '../protocols/protocol.ts';

/** Who hears what happens on the connections. */
export interface ConnectionListener {
  delivered(connection: Connection, stampUs: number, bytes: number): void;
  receipted(connection: Connection, stampUs: number): void;
  refused(reason: string): void;
  closed(connection: Connection, reason: string): void;
}

export interface ConnectionOptions {
  readonly plan: ConnectionPlan;
  readonly port: number;
  readonly token: string;
  readonly rooms: readonly string[];
  readonly protocol: Protocol;
  readonly listener: ConnectionListener;
}

export class Connection implements Peer, WebSocketListener {
  readonly plan: ConnectionPlan;
  readonly token: string;
  /** Resolves once every subscription is live; rejects when the connection ends before that. */
  readonly live: Promise<void>;
  /** Of this run: messages sent and their stamps' sum, deliveries and their stamps' sum, receipts. */
  sent = 0;
  sentSumUs = 0;
  deliveries = 0;
  deliveriesSumUs = 0;
  receipts = 0;

  readonly #rooms: readonly string[];
  readonly #protocol: Protocol;
  readonly #listener: ConnectionListener;
  readonly #client: WebSocketClient;
  readonly #isLive = makeDeferred();
  #unconfirmed = 0;
  #messageBytes = 0;

  constructor(options: ConnectionOptions) {
    this.plan = options.plan;
    this.token = options.token;
    this.live = this.#isLive.promise;
    this.#rooms = options.rooms;
    this.#protocol = options.protocol;
    this.#listener = options.listener;
    const { requestTarget, subprotocol } = options.protocol;
    this.#client = new WebSocketClient({ port: options.port, requestTarget, subprotocol }, this);
  }

  /** Forgets what the last run counted. */
  resetCounts(): void {
    this.sent = 0;
    this.sentSumUs = 0;
    this.deliveries = 0;
    this.deliveriesSumUs = 0;
    this.receipts = 0;
  }

  /** Sends one message to the room this connection sends to. */
  publish(stampUs: number, receipt: boolean): void {
    this.sent += 1;
    this.sentSumUs += stampUs;
    this.#protocol.send(this, { room: this.#rooms[this.plan.sendsTo ?? 0] ?? '', stampUs, receipt });
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#client.destroy();
  }

  write(message: string | Uint8Array): void {
    this.#client.send(message);
  }

  opened(): void {
    this.#protocol.open(this);
  }

  signedIn(): void {
    const rooms = this.plan.subscribesTo.map((index) => this.#rooms[index] ?? '');
    this.#unconfirmed = this.#protocol.subscribe(this, rooms, this.plan.sendsTo !== undefined);
    if (this.#unconfirmed === 0) {
      this.#isLive.resolve();
    }
  }

  confirmed(): void {
    this.#unconfirmed -= 1;
    if (this.#unconfirmed === 0) {
      this.#isLive.resolve();
    }
  }

  delivered(stampUs: number): void {
    this.deliveries += 1;
    this.deliveriesSumUs += stampUs;
    this.#listener.delivered(this, stampUs, this.#messageBytes);
  }

  receipted(stampUs: number): void {
    this.receipts += 1;
    this.#listener.receipted(this, stampUs);
  }

  refused(reason: string): void {
    this.#listener.refused(reason);
    this.#isLive.reject(new Error(`refused: ${reason}`));
  }

  message(bytes: Buffer, start: number, end: number): void {
    this.#messageBytes = end - start;
    this.#protocol.read(bytes, start, end, this);
  }

  closed(reason: string): void {
    this.#isLive.reject(new Error(reason));
    this.#listener.closed(this, reason);
  }
}
