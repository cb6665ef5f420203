// Sending and subscribing over one connection after the other: what every pattern is made of.
import type { IMessage } from '@stomp/stompjs';
import { Connection } from './connection.ts';
import { jsonOf } from './json.ts';
import { refusalOf, StagewireError } from './error.ts';
import { newKey } from './key.ts';
import { Listeners, tellSafely, type Stop } from './listeners.ts';
import { settingsOf, type ClientOptions, type Settings } from './options.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import { Rest } from './rest.ts';
import type { ClientState } from './state.ts';
import { liveMark, Subscription, type SubscriptionEvents } from './subscription.ts';

export interface SendOptions {
  /** By which the server knows a repeat; a new one unless given. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** It is not sent again over another connection: without one, or when that is lost, it rejects with EXPIRED. */
  readonly isOnce?: boolean;
}

export interface SubscribeOptions {
  /** Whether its messages have `seq` and `epoch`, so that nothing is missed over a loss. */
  readonly isResumable?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refused subscription is tried again after this, where it may work later. */
const againMs = 1_000;
/** Begins the receipts of messages. */
const keyMark = 'key ';
const errors = { id: 'errors', destination: '/user/queue/errors' } as const;
/** '' for what is none. */
const keyOf = (receipt: string): string => (receipt.startsWith(keyMark) ? receipt.slice(keyMark.length) : '');
const headBytesOf = ({ destination, headers }: Outgoing): number =>
  200 + 3 * (destination.length + JSON.stringify(headers).length);
const bytesOf = (body: string | Uint8Array): number =>
  typeof body === 'string' ? new TextEncoder().encode(body).length : body.length;

export class Messaging {
  readonly rest: Rest;
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #states = new Listeners<ClientState>();
  readonly #refusals = new Listeners<StagewireError>();
  /** What ends the waits that end with the client. */
  readonly #whenEnded = new Set<(error: StagewireError) => void>();
  /** Why there will be no connection: closed, or failed. */
  #ended: StagewireError | null = null;
  /** Subscriptions that have no place yet: what is sent waits for them, so that they hear it over any loss. */
  readonly #beginning = new Set<Subscription>();
  /** Subscriptions that are tried again over this connection. */
  readonly #retries = new Set<ReturnType<typeof setTimeout>>();
  #state: ClientState = { name: 'closed' };
  #count = 0;

  /** Connects when `connect` is called. @throws RangeError for options that can't work. */
  constructor(options: ClientOptions) {
    this.#settings = settingsOf(options);
    this.#connection = new Connection(this.#settings, {
      up: () => this.#up(),
      down: (isBroken) => this.#down(isBroken),
      state: (state) => {
        this.#state = state;
        if (state.name === 'failed') {
          this.#end(
            new StagewireError(state.reason === 'attempts' ? 'UNAVAILABLE' : 'UNAUTHORIZED', state.message),
          );
        }
        this.#states.tell(state);
      },
      receipt: (id) => this.#answered(id),
    });
    this.#outbox = new Outbox(this.#settings, (key, { destination, headers, body }) =>
      this.#connection.publish(
        destination,
        { ...headers, receipt: keyMark + key, 'idempotency-key': key },
        body,
      ),
    );
    this.rest = new Rest(this.#settings.url, () => this.#connection.token());
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The server's name of the present connection; others see cursors under it. */
  get session(): string {
    return this.#connection.session;
  }

  /** Messages that the server has not answered yet. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Is told of every state from now on. */
  onState(listener: (state: ClientState) => void): Stop {
    return this.#states.add(listener);
  }

  /**
   * Refusals that nobody else is told: of subscriptions whose listeners have no `refused` (`detail.destination` says
   * which), of what another library sent over this connection, and why a room that is followed has no history yet.
   */
  onRefusal(listener: (error: StagewireError) => void): Stop {
    return this.#refusals.add(listener);
  }

  /** For patterns: what no listener of theirs takes. */
  tellRefusal(error: StagewireError): void {
    this.#refusals.tell(error);
  }

  /** For patterns: calls it once, later; not if that is stopped, or the client closed or failed, before. */
  later(afterMs: number, act: () => void): Stop {
    if (this.#ended) return () => undefined;
    const stop = (): void => {
      clearTimeout(timer);
      this.#whenEnded.delete(stop);
    };
    const timer = setTimeout(() => {
      stop();
      act();
    }, afterMs);
    this.#whenEnded.add(stop);
    return stop;
  }

  /** Connects, and again after every loss; also after `close`, and when it has failed. */
  connect(): void {
    this.#ended = null;
    this.#outbox.end(null);
    this.#connection.open();
  }

  /** Leaves in good order. What was not answered rejects with CLOSED, and so does what is sent and asked afterwards. */
  async close(): Promise<void> {
    this.#end(new StagewireError('CLOSED', 'The client was closed.'));
    await this.#connection.close();
  }

  /**
   * Sends now, or as soon as there is a connection; again over the next when it was not answered, which has no second
   * effect. A body that is no text or bytes goes as JSON.
   *
   * @returns when the server has it durably.
   * @throws StagewireError as a rejection: the refusal; BAD_REQUEST for what JSON can't say; FULL, TOO_LARGE, EXPIRED; CLOSED
   *   when the client is closed, also before. When it fails, UNAUTHORIZED or UNAVAILABLE for what was not sent yet (and
   *   from then on at once), EXPIRED for what was: that may be done.
   */
  send(
    destination: string,
    body: unknown,
    { key = newKey(), headers = {}, isOnce = false }: SendOptions = {},
  ): Promise<void> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const content = isRaw ? body : jsonOf(body);
    if (content instanceof StagewireError) return Promise.reject(content);
    const message: Outgoing = {
      destination,
      headers: isRaw ? headers : { 'content-type': 'application/json', ...headers },
      body: content,
    };
    // A frame over the limit would end the connection, and the next, and the next.
    if (headBytesOf(message) + bytesOf(message.body) > this.#settings.frameBytesMax) {
      return Promise.reject(new StagewireError('TOO_LARGE', 'This is larger than a frame may be.'));
    }
    return this.#outbox.add(key, message, isOnce);
  }

  /**
   * Sends what is worth nothing later: without a connection, or over the rate, it is dropped, and nobody hears what became
   * of it.
   *
   * @throws StagewireError BAD_REQUEST for what JSON can't say.
   */
  tell(destination: string, body: unknown): void {
    const content = jsonOf(body);
    if (content instanceof StagewireError) throw content;
    this.#connection.publish(destination, { 'content-type': 'application/json' }, content);
  }

  /** Subscribes now and after every loss, each time after what was seen last. */
  subscribe(destination: string, events: SubscriptionEvents, options: SubscribeOptions = {}): Stop {
    const { isResumable = false, headers = {} } = options;
    this.#count += 1;
    const subscription = new Subscription(`s${this.#count}`, destination, { isResumable, headers }, events);
    this.#subscriptions.set(subscription.id, subscription);
    this.#start(subscription);
    return () => this.#stop(subscription);
  }

  /**
   * The one answer to a SUBSCRIBE of `/app/…`.
   *
   * @throws StagewireError as a rejection: the refusal, EXPIRED or CLOSED; UNAUTHORIZED or UNAVAILABLE when the client fails
   *   or has failed.
   */
  ask<Answer>(destination: string): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(expiry);
        this.#whenEnded.delete(end);
        stop();
        act();
      };
      const end = (error: StagewireError): void => settle(() => reject(error));
      this.#whenEnded.add(end);
      const stop = this.subscribe(destination, {
        message: ({ body }) => settle(() => resolve(JSON.parse(body) as Answer)),
        refused: (error) => settle(() => reject(error)),
      });
      const late = new StagewireError('EXPIRED', 'There was no answer in time.');
      const expiry = setTimeout(() => settle(() => reject(late)), this.#settings.sendWithinMs);
    });
  }

  #end(error: StagewireError): void {
    this.#ended = error;
    this.#outbox.end(error);
    for (const end of this.#whenEnded) end(error);
  }

  #up(): void {
    this.#connection.subscribe(errors.destination, { id: errors.id }, ({ body }) => this.#refused(body));
    for (const subscription of this.#subscriptions.values()) this.#start(subscription);
    this.#outbox.open();
  }

  /** What was tried again, and what is under way, belongs to the connection that is lost. */
  #down(isBroken: boolean): void {
    for (const retry of this.#retries) clearTimeout(retry);
    this.#retries.clear();
    this.#beginning.clear();
    this.#outbox.interrupt(isBroken);
    this.#outbox.hold(false);
  }

  #start(subscription: Subscription): void {
    const { id, destination, headers } = subscription;
    if (!this.#connection.isUp) return;
    this.#connection.subscribe(destination, headers, (message: IMessage) => {
      // What is still on its way when it was ended.
      if (this.#subscriptions.get(id) === subscription) tellSafely(() => subscription.received(message));
    });
    if (subscription.isNew) this.#beginning.add(subscription);
    this.#outbox.hold(this.#beginning.size > 0);
    tellSafely(() => subscription.started());
  }

  #begun(subscription: Subscription): void {
    this.#beginning.delete(subscription);
    this.#outbox.hold(this.#beginning.size > 0);
  }

  #stop(subscription: Subscription): void {
    const { id } = subscription;
    if (this.#subscriptions.delete(id)) this.#connection.unsubscribe(id);
    this.#begun(subscription);
  }

  #answered(receipt: string): void {
    const subscription = this.#subscriptionOf(receipt);
    if (!subscription) return void this.#outbox.answered(keyOf(receipt));
    this.#begun(subscription);
    tellSafely(() => subscription.live());
  }

  #subscriptionOf(receipt: string): Subscription | undefined {
    return receipt.startsWith(liveMark) ? this.#subscriptions.get(receipt.slice(liveMark.length)) : undefined;
  }

  #refused(body: string): void {
    const { receipt, destination, ...rest } = JSON.parse(body) as { receipt?: string; destination?: string };
    const error = refusalOf({ ...rest, ...(destination === undefined ? {} : { destination }) });
    if (receipt !== undefined && this.#outbox.refused(keyOf(receipt), error)) return;
    const subscription = this.#subscriptionOf(receipt ?? '');
    if (subscription) return this.#subscriptionRefused(subscription, error);
    // What one may no longer see ends without having been asked for.
    const ended = [...this.#subscriptions.values()].filter((one) => one.destination === destination);
    const isRevoked = receipt === undefined && error.code === 'FORBIDDEN' && ended.length > 0;
    // What asks for no receipt was told: nobody hears what became of it.
    if (receipt === undefined && error.code === 'RATE_LIMITED') return;
    if (!isRevoked) return this.#refusals.tell(error);
    for (const one of ended) this.#subscriptionRefused(one, error);
  }

  #subscriptionRefused(subscription: Subscription, error: StagewireError): void {
    this.#begun(subscription);
    if (error.code !== 'UNAVAILABLE' && error.code !== 'RATE_LIMITED') {
      this.#subscriptions.delete(subscription.id);
      if (!subscription.refused(error)) this.#refusals.tell(error);
      return;
    }
    const again = (): void => {
      this.#retries.delete(retry);
      if (this.#subscriptions.get(subscription.id) === subscription) this.#start(subscription);
    };
    const retry = setTimeout(again, Number(error.detail['retryAfterMs'] ?? againMs));
    this.#retries.add(retry);
  }
}
