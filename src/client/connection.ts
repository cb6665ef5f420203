// One connection after the other: connects, tells when it is there, and connects again when it is lost.
import { Client, TickerStrategy, type IFrame, type IMessage } from '@stomp/stompjs';
import { delayBefore } from './backoff.ts';
import type { Settings } from './options.ts';
import type { ClientState } from './state.ts';
import { expiryOf } from './token.ts';

export interface ConnectionEvents {
  /** Subscribes and sends from here on, until `down`. */
  up(): void;
  /** @param isBroken the server ended it because of a frame it could not take. */
  down(isBroken: boolean): void;
  state(state: ClientState): void;
  receipt(id: string): void;
}

/** A token is renewed this long before it ends, or half of what is left of a short one. */
const renewBeforeMs = 60_000;
/** Refusals in a row after which a token is not tried again. */
const refusedMax = 2;

/** The platform's part: a window has these, Node has not. */
const platform = globalThis as {
  readonly navigator?: { readonly onLine?: boolean };
  readonly Worker?: unknown;
  readonly document?: unknown;
  addEventListener?(type: 'online' | 'offline', listener: () => void): void;
  removeEventListener?(type: 'online' | 'offline', listener: () => void): void;
};

export class Connection {
  readonly #settings: Settings;
  readonly #events: ConnectionEvents;
  #client: Client | null = null;
  #isWanted = false;
  #isUp = false;
  #session = '';
  #attempt = 0;
  #refused = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: Settings, events: ConnectionEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The server's name of the present connection. */
  get session(): string {
    return this.#session;
  }

  open(): void {
    if (!this.#isWanted) {
      platform.addEventListener?.('online', this.#online);
      platform.addEventListener?.('offline', this.#offline);
    }
    this.#isWanted = true;
    this.#refused = 0;
    this.#attempt = 0;
    if (!this.#client) this.#connect();
  }

  /** Sends DISCONNECT where it can. Nothing is told afterwards but the state. */
  async close(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#retry);
    clearTimeout(this.#renewal);
    platform.removeEventListener?.('online', this.#online);
    platform.removeEventListener?.('offline', this.#offline);
    const client = this.#client;
    this.#ended(false);
    this.#events.state({ name: 'closed' });
    await client?.deactivate();
  }

  /** What is sent while there is no connection is lost: callers wait for `up`. */
  publish(destination: string, headers: Record<string, string>, body: string | Uint8Array): void {
    if (!this.#isUp) return;
    const content = typeof body === 'string' ? { body } : { binaryBody: body };
    this.#client?.publish({ destination, headers, ...content });
  }

  /** @param headers hold the `id`. */
  subscribe(
    destination: string,
    headers: Record<string, string>,
    onMessage: (message: IMessage) => void,
  ): void {
    if (this.#isUp) this.#client?.subscribe(destination, onMessage, headers);
  }

  unsubscribe(id: string): void {
    if (this.#isUp) this.#client?.unsubscribe(id);
  }

  async token(): Promise<string> {
    const { token } = this.#settings;
    return typeof token === 'string' ? token : token();
  }

  #connect(): void {
    clearTimeout(this.#retry);
    if (platform.navigator?.onLine === false) return this.#events.state({ name: 'offline' });
    this.#attempt += 1;
    this.#events.state({ name: 'connecting', attempt: this.#attempt });
    const { url, socket, connectWithinMs, heartBeatMs } = this.#settings;
    const client: Client = new Client({
      ...(socket ? { webSocketFactory: () => socket(url) } : { brokerURL: url.replace(/^http/, 'ws') }),
      // Each connection has a client of its own: what a lost one still says is told apart.
      reconnectDelay: 0,
      connectionTimeout: connectWithinMs,
      heartbeatIncoming: heartBeatMs,
      heartbeatOutgoing: heartBeatMs,
      // The timers of a page in the background are slowed down, those of a worker are not.
      heartbeatStrategy:
        platform.Worker && platform.document ? TickerStrategy.Worker : TickerStrategy.Interval,
      beforeConnect: async () => {
        client.connectHeaders = { Authorization: `Bearer ${await this.token()}` };
      },
      onConnect: (frame) => this.#up(client, frame),
      onStompError: (frame) => this.#refusedBy(client, frame),
      onWebSocketClose: () => this.#down(client, false),
      onUnhandledReceipt: ({ headers }) => this.#events.receipt(headers['receipt-id'] ?? ''),
    });
    this.#client = client;
    client.activate();
  }

  #up(client: Client, { headers }: IFrame): void {
    if (client !== this.#client) return;
    this.#isUp = true;
    this.#session = headers['session'] ?? '';
    this.#attempt = 0;
    this.#refused = 0;
    this.#renewLater(client.connectHeaders['Authorization']?.slice('Bearer '.length) ?? '');
    this.#events.up();
    this.#events.state({ name: 'connected', user: headers['user-name'] ?? '' });
  }

  /** An ERROR frame: the connection ends with it. */
  #refusedBy(client: Client, { headers }: IFrame): void {
    if (client !== this.#client) return;
    const message = headers['message'] ?? '';
    if (message === 'UNAUTHORIZED') {
      this.#refused += 1;
      // A new token may do better than one that was kept too long.
      const isFinal = this.#refused >= refusedMax || typeof this.#settings.token === 'string';
      if (isFinal) return this.#fail('unauthorized', message);
    }
    this.#down(client, this.#isUp);
  }

  #fail(reason: 'unauthorized' | 'attempts', message: string): void {
    this.#ended(false);
    this.#isWanted = false;
    this.#events.state({ name: 'failed', reason, message });
  }

  #down(client: Client, isBroken: boolean): void {
    if (client !== this.#client) return;
    this.#ended(isBroken);
    if (!this.#isWanted) return;
    const { maxAttempts, backoffMs, backoffMaxMs } = this.#settings;
    if (this.#attempt >= maxAttempts) return this.#fail('attempts', 'The server can not be reached.');
    const delayMs = delayBefore(this.#attempt + 1, { baseMs: backoffMs, capMs: backoffMaxMs }, Math.random());
    this.#events.state({ name: 'waiting', attempt: this.#attempt + 1, retryAtMs: Date.now() + delayMs });
    this.#retry = setTimeout(() => this.#connect(), delayMs);
  }

  #ended(isBroken: boolean): void {
    const client = this.#client;
    this.#client = null;
    clearTimeout(this.#renewal);
    if (this.#isUp) {
      this.#isUp = false;
      this.#events.down(isBroken);
    }
    if (this.#isWanted) void client?.deactivate({ force: true });
  }

  #renewLater(token: string): void {
    const expiresAtMs = expiryOf(token);
    if (expiresAtMs === null || typeof this.#settings.token === 'string') return;
    const leftMs = expiresAtMs - Date.now();
    const delayMs = Math.max(leftMs - renewBeforeMs, leftMs / 2, 0);
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(), Math.min(delayMs, 2 ** 31 - 1));
  }

  async #renew(): Promise<void> {
    const client = this.#client;
    // When there is none, the server closes at the old one's end, and the next connection asks again.
    const token = await this.token().catch(() => null);
    if (token === null || client !== this.#client || !this.#isUp) return;
    this.publish('/app/auth.refresh', { 'content-type': 'application/json' }, JSON.stringify({ token }));
    this.#renewLater(token);
  }

  readonly #online = (): void => {
    if (!this.#isWanted || this.#client) return;
    this.#attempt = 0;
    this.#connect();
  };

  /** The browser knows at once what heart-beats would tell after half a minute. */
  readonly #offline = (): void => {
    clearTimeout(this.#retry);
    this.#ended(false);
    this.#events.state({ name: 'offline' });
  };
}
