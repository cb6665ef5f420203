// The client library that front ends use, @stomp/stompjs, with promises around it.
import { Client, type IFrame, type IMessage, type IStompSocket } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import type { TestServer } from './server.ts';
import { Watch } from './watch.ts';

type Config = Partial<
  Pick<
    Client,
    | 'connectHeaders'
    | 'heartbeatIncoming'
    | 'heartbeatOutgoing'
    | 'maxWebSocketChunkSize'
    | 'reconnectDelay'
    | 'splitLargeFrames'
  >
> & {
  /** Instead of a WebSocket. */
  readonly webSocketFactory?: () => IStompSocket;
};

export class LibraryClient {
  readonly client: Client;
  /** What `collect` was given, in order. */
  readonly messages: IMessage[] = [];
  readonly #watch = new Watch(() => JSON.stringify(this.messages.map(({ body }) => body)));
  readonly #receipts = new Set<string>();
  #receiptCount = 0;
  connects = 0;
  closes = 0;
  error: IFrame | null = null;

  constructor(server: TestServer, config: Config) {
    this.client = new Client({
      webSocketFactory: () => new WebSocket(server.wsUrl, ['v12.stomp', 'v11.stomp']),
      reconnectDelay: 0,
      ...config,
      onConnect: () => this.#changed(() => (this.connects += 1)),
      onWebSocketClose: () => this.#changed(() => (this.closes += 1)),
      onStompError: (frame) => this.#changed(() => (this.error = frame)),
    });
    this.client.activate();
  }

  until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what);
  }

  /** A receipt to put in the headers of a frame, and the promise that it came. */
  receipt(): { id: string; came: Promise<void> } {
    this.#receiptCount += 1;
    const id = `r${this.#receiptCount}`;
    this.client.watchForReceipt(id, () => this.#changed(() => this.#receipts.add(id)));
    return { id, came: this.until(() => this.#receipts.has(id), `receipt ${id}`) };
  }

  readonly collect = (message: IMessage): void => this.#changed(() => this.messages.push(message));

  /** Subscribes and waits until the subscription is live; what it brings is added to the list, decoded. */
  async subscribe<Body>(
    destination: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Body[]> {
    const bodies: Body[] = [];
    const live = this.receipt();
    const take = (message: IMessage): void => {
      this.collect(message);
      this.#changed(() => bodies.push(JSON.parse(message.body) as Body));
    };
    this.client.subscribe(destination, take, { ...headers, receipt: live.id });
    await live.came;
    return bodies;
  }

  /** Sends JSON and waits until it is durable. */
  async publish(destination: string, body: unknown): Promise<void> {
    const stored = this.receipt();
    this.client.publish({ destination, body: JSON.stringify(body), headers: { receipt: stored.id } });
    await stored.came;
  }

  #changed(change: () => unknown): void {
    change();
    this.#watch.changed();
  }
}

/** Connects and signs in. */
export async function connectLibrary(
  server: TestServer,
  user: string,
  { roles = [], ...config }: Config & { readonly roles?: readonly string[] } = {},
): Promise<LibraryClient> {
  const connectHeaders = { Authorization: `Bearer ${await server.token(user, roles)}` };
  const library = new LibraryClient(server, { connectHeaders, ...config });
  await library.until(() => library.connects === 1, 'connected');
  return library;
}
