// One connection after the other: connects, tells when it is there, and connects again when it is lost.
import { Client, type IFrame, type IMessage } from '@stomp/stompjs';
import { delayBefore } from './backoff.ts';
import { lossOfClose, messageOf, type Loss } from './loss.ts';
import type { Settings } from './options.ts';
import type { ClientState } from './state.ts';
import { renewalAfterMs } from './token.ts';

export interface ConnectionEvents {
  /** Subscribes and sends from here on, until `down`. */
  up(): void;
  /** @param isBroken the server ended it because of a frame it could not take. */
  down(isBroken: boolean): void;
  state(state: ClientState): void;
  receipt(id: string): void;
}

type CloseLike = Parameters<typeof lossOfClose>[0];

const silence: Loss = { reason: 'silent', message: 'Heart-beats stopped: nothing is heard any more.' };

/** Refusals in a row after which a token is not tried again. */
const refusedMax = 2;

/** The platform's part: a window has these, Node has not. */
const platform = globalThis as {
  readonly navigator?: { readonly onLine?: boolean };
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
  /** Of the wait before an attempt, and of the attempt then. */
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
    platform.addEventListener?.('online', this.#online);
    platform.addEventListener?.('offline', this.#offline);
    this.#isWanted = true;
    this.#refused = 0;
    this.#attempt = 0;
    if (!this.#client) this.#connect();
  }

  /** Sends DISCONNECT where it can. Nothing is told afterwards but the state. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#isWanted = false;
    platform.removeEventListener?.('online', this.#online);
    platform.removeEventListener?.('offline', this.#offline);
    this.#ended(false);
    this.#events.state({ name: 'closed' });
    // A server that can't be reached any more says no goodbye.
    const unheard = setTimeout(
      () => void client?.deactivate({ force: true }),
      this.#settings.connectWithinMs,
    );
    await client?.deactivate();
    clearTimeout(unheard);
  }

  /** What is sent while there is no connection is lost: callers wait for `up`. */
  publish(destination: string, headers: Record<string, string>, body: string | Uint8Array): void {
    if (!this.#isUp) return;
    const content = typeof body === 'string' ? { body } : { binaryBody: body };
    this.#client?.publish({ destination, headers, ...content });
  }

  /**
   * @param headers hold the `id`.
   * @param onMessage hears nothing of this connection once it is lost.
   */
  subscribe(
    destination: string,
    headers: Record<string, string>,
    onMessage: (message: IMessage) => void,
  ): void {
    const client = this.#client;
    if (!this.#isUp || !client) return;
    client.subscribe(destination, (message) => client === this.#client && onMessage(message), headers);
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
    const { connectWithinMs, heartBeatMs } = this.#settings;
    let socketError = '';
    const client: Client = new Client({
      // Each connection has a client of its own: what a lost one still says is told apart.
      reconnectDelay: 0,
      heartbeatIncoming: heartBeatMs,
      heartbeatOutgoing: heartBeatMs,
      beforeConnect: () => this.#prepare(client),
      onConnect: (frame) => this.#up(client, frame),
      onStompError: (frame) => this.#refusedBy(client, frame),
      onWebSocketError: (event: { readonly message?: string } | undefined) =>
        void (socketError = event?.message ?? ''),
      onWebSocketClose: (event: CloseLike | undefined) =>
        this.#down(client, false, lossOfClose(event, this.#isUp, socketError)),
      // To close it in good order would take as long as the network says nothing.
      onHeartbeatLost: () => this.#down(client, false, silence),
      // Timers of a page in the background are slowed down, what comes from the network is not.
      onHeartbeatReceived: () => client === this.#client && client.webSocket?.send('\n'),
      onUnhandledReceipt: ({ headers }) => this.#events.receipt(headers['receipt-id'] ?? ''),
    });
    this.#client = client;
    // Over all of it: the token, the socket, and the server's answer.
    const late: Loss = {
      reason: 'timeout',
      message: `There was no connection within ${connectWithinMs} ms.`,
    };
    this.#retry = setTimeout(() => this.#down(client, false, late), connectWithinMs);
    this.#events.state({ name: 'connecting', attempt: this.#attempt });
    client.activate();
  }

  /** What fails is as good as a server that can't be reached: it is tried again. */
  async #prepare(client: Client): Promise<void> {
    const { url, socket } = this.#settings;
    let reason: Loss['reason'] = 'token';
    try {
      client.connectHeaders = { Authorization: `Bearer ${await this.token()}` };
      if (client !== this.#client) return;
      reason = 'socket';
      const made = socket(url);
      client.webSocketFactory = () => made;
    } catch (thrown) {
      this.#down(client, false, { reason, message: messageOf(thrown) });
    }
  }

  #up(client: Client, { headers }: IFrame): void {
    if (client !== this.#client) return;
    clearTimeout(this.#retry);
    this.#isUp = true;
    this.#session = headers['session'] ?? '';
    this.#attempt = 0;
    this.#refused = 0;
    this.#renewLater(client.connectHeaders['Authorization']?.slice('Bearer '.length) ?? '');
    this.#events.up();
    this.#events.state({ name: 'connected', user: headers['user-name'] ?? '' });
  }

  /** An ERROR frame: the connection ends with it. */
  #refusedBy(client: Client, { headers, body }: IFrame): void {
    if (client !== this.#client) return;
    const { message = '' } = headers;
    const said = body === '' ? message : body;
    if (message === 'UNAUTHORIZED') {
      this.#refused += 1;
      // A new token may do better than one that was kept too long.
      const isFinal = this.#refused >= refusedMax || typeof this.#settings.token === 'string';
      if (isFinal) return this.#fail('unauthorized', said);
      return this.#down(client, false, { reason: 'token', message: said });
    }
    // What Spring, and this server, says of heart-beats that did not come.
    const isSilence = message === 'Session closed.';
    this.#down(client, this.#isUp && !isSilence, isSilence ? silence : { reason: 'refused', message: said });
  }

  #fail(reason: 'unauthorized' | 'attempts', message: string): void {
    this.#ended(false);
    this.#isWanted = false;
    this.#events.state({ name: 'failed', reason, message });
  }

  #down(client: Client, isBroken: boolean, { reason, message }: Loss): void {
    if (client !== this.#client) return;
    this.#ended(isBroken);
    if (!this.#isWanted) return;
    const { maxAttempts, backoffMs, backoffMaxMs } = this.#settings;
    if (this.#attempt >= maxAttempts) return this.#fail('attempts', message);
    const delayMs = delayBefore(this.#attempt + 1, { baseMs: backoffMs, capMs: backoffMaxMs }, Math.random());
    this.#retry = setTimeout(() => this.#connect(), delayMs);
    const retryAtMs = Date.now() + delayMs;
    this.#events.state({ name: 'waiting', attempt: this.#attempt + 1, retryAtMs, reason, message });
  }

  #ended(isBroken: boolean): void {
    const client = this.#client;
    this.#client = null;
    clearTimeout(this.#retry);
    clearTimeout(this.#renewal);
    if (this.#isUp) {
      this.#isUp = false;
      this.#events.down(isBroken);
    }
    if (this.#isWanted) void client?.deactivate({ force: true });
  }

  #renewLater(token: string): void {
    const afterMs = typeof this.#settings.token === 'string' ? null : renewalAfterMs(token, Date.now());
    clearTimeout(this.#renewal);
    if (afterMs !== null) this.#renewal = setTimeout(() => void this.#renew(token), afterMs);
  }

  async #renew(old: string): Promise<void> {
    const client = this.#client;
    const token = await this.token().catch(() => old);
    if (client !== this.#client || !this.#isUp) return;
    if (token !== old)
      this.publish('/app/auth.refresh', { 'content-type': 'application/json' }, JSON.stringify({ token }));
    // The same one again is none; at its end the server closes, and the next connection asks once more.
    this.#renewLater(token);
  }

  readonly #online = (): void => {
    if (!this.#isWanted || this.#client) return;
    this.#attempt = 0;
    this.#connect();
  };

  /** The browser knows at once what heart-beats would tell after half a minute. */
  readonly #offline = (): void => {
    if (!this.#isWanted) return;
    this.#ended(false);
    this.#events.state({ name: 'offline' });
  };
}
