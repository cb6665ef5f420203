// A front end as those of Spring are written: SockJS, stompjs, the token on the URL, all of it made again after every
// loss. Nothing in it knows of this server, but its URL. Its class refers to nothing around it: a page gets its text.
import type { Client } from 'stompjs';

/** What a page has, by the names it has them. */
export interface PageGlobals {
  readonly SockJS: new (url: string) => object;
  readonly Stomp: { over(socket: object): Client };
  readonly localStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void };
}

export interface ShownMessage {
  readonly messageId: string;
  readonly content: string;
  readonly createdAt: string;
  readonly seq: number;
}

/** Delays in milliseconds; a page would have a second and a minute. */
interface Patience {
  readonly baseDelayMs: number;
  readonly delayMsMax: number;
  readonly attemptsMax: number;
}

/** Shows what is said in rooms, whatever happens to the connection. */
export class SpringPage {
  /** How often it was connected. */
  connects = 0;
  /** How often in a row it has tried again since. */
  attempts = 0;
  hasGivenUp = false;
  /** How many messages came, those among them that were shown before. */
  arrived = 0;
  onChange = (): void => undefined;
  readonly #globals: PageGlobals;
  readonly #url: string;
  readonly #token: string;
  readonly #patience: Patience;
  readonly #destinations = new Set<string>();
  readonly #shown = new Map<string, ShownMessage>();
  #client: Client | null = null;
  #hasLeft = false;

  constructor(globals: PageGlobals, url: string, token: string, patience: Patience) {
    this.#globals = globals;
    this.#url = url;
    this.#token = token;
    this.#patience = patience;
  }

  /** What the user reads. */
  get contents(): string[] {
    const messages = [...this.#shown.values()].toSorted((one, other) => one.seq - other.seq);
    return messages.map(({ content }) => content);
  }

  connect(): void {
    if (this.#hasLeft) return;
    const client = this.#globals.Stomp.over(new this.#globals.SockJS(`${this.#url}?token=${this.#token}`));
    this.#client = client;
    client.debug = null;
    client.connect(
      {},
      () => this.#connected(client),
      () => this.#lost(),
    );
  }

  show(destination: string): void {
    this.#destinations.add(destination);
    if (this.#client?.connected) this.#subscribe(this.#client, destination);
  }

  /** @returns whether there was a connection to send it on. */
  send(destination: string, body: unknown): boolean {
    if (!this.#client?.connected) return false;
    this.#client.send(destination, {}, JSON.stringify(body));
    return true;
  }

  /** For good: as when the page is closed. */
  leave(): void {
    this.#hasLeft = true;
    if (this.#client?.connected) this.#client.disconnect();
  }

  #connected(client: Client): void {
    this.connects += 1;
    this.attempts = 0;
    for (const destination of this.#destinations) this.#subscribe(client, destination);
    const since = this.#globals.localStorage.getItem('lastMessageTimestamp');
    if (since !== null) client.send('/app/replay', {}, JSON.stringify({ since }));
    this.onChange();
  }

  #subscribe(client: Client, destination: string): void {
    client.subscribe(destination, ({ body }) => {
      const message = JSON.parse(body) as ShownMessage;
      this.arrived += 1;
      this.#shown.set(message.messageId, message);
      this.#globals.localStorage.setItem('lastMessageTimestamp', String(Date.parse(message.createdAt)));
      this.onChange();
    });
  }

  #lost(): void {
    const { baseDelayMs, delayMsMax, attemptsMax } = this.#patience;
    this.hasGivenUp = this.attempts >= attemptsMax;
    if (!this.hasGivenUp) {
      const delayMs = baseDelayMs * (2 ** this.attempts + Math.random());
      this.attempts += 1;
      setTimeout(() => this.connect(), Math.min(delayMs, delayMsMax));
    }
    this.onChange();
  }
}
