// Our own client as a front end uses it, in Node: with something to wait on.
import { WebSocket } from 'ws';
import { Stagewire, type ClientOptions, type ClientState, type Document } from '../../src/client/index.ts';
import type { TestServer } from './server.ts';
import { Watch } from './watch.ts';

type Options = Partial<ClientOptions> & { readonly roles?: readonly string[] };

export class OurClient extends Stagewire {
  /** Every state so far. */
  readonly states: ClientState[] = [];
  /** What `note` was given, by name, in order. */
  readonly #noted = new Map<string, unknown[]>();
  readonly #watch = new Watch(() => JSON.stringify([this.states, [...this.#noted]]));

  constructor(options: ClientOptions) {
    super({ socket: (url) => new WebSocket(url, ['v12.stomp']), backoffMs: 20, ...options });
    this.onState((state) => {
      this.states.push(state);
      this.#watch.changed();
    });
  }

  /** A listener that remembers under that name what it hears. */
  note(name: string): (value: unknown) => void {
    this.noted(name);
    return (value) => {
      this.noted(name).push(value);
      this.#watch.changed();
    };
  }

  /** What was heard under that name. */
  noted<Value>(name: string): Value[] {
    if (!this.#noted.has(name)) this.#noted.set(name, []);
    return this.#noted.get(name) as Value[];
  }

  until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what);
  }

  async heard<Value>(name: string, count: number): Promise<Value[]> {
    await this.until(() => this.noted(name).length >= count, `${count} of ${name}`);
    return this.noted<Value>(name);
  }

  is(name: ClientState['name']): Promise<void> {
    return this.until(() => this.state.name === name, name);
  }

  /** Opens a document and waits for its text. */
  async opened(docId: string): Promise<Document> {
    const document = this.documents.open(docId);
    document.onEvent(this.note(docId));
    await this.until(() => document.isOpen, `${docId} is open`);
    return document;
  }

  async shows(document: Document, text: string): Promise<void> {
    await this.until(() => document.text === text, `${document.docId} is "${text}"`);
  }
}

const clients = new Set<OurClient>();

/** Call in afterEach. */
export async function closeOurClients(): Promise<void> {
  await Promise.all([...clients].map((client) => client.close()));
  clients.clear();
}

/** A client that connects, and is connected unless `isAwaited` is false. */
export async function connectOurs(
  server: Pick<TestServer, 'wsUrl' | 'token'>,
  user: string,
  { roles = [], ...options }: Options = {},
  isAwaited = true,
): Promise<OurClient> {
  const token = options.token ?? ((): Promise<string> => server.token(user, roles));
  const client = new OurClient({ url: server.wsUrl, ...options, token });
  clients.add(client);
  client.connect();
  if (isAwaited) await client.is('connected');
  return client;
}
