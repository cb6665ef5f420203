// A client of the binary protocol as somebody else would write one from SPEC.md: `ws`, an encoder of MessagePack that is
// not the server's, and the tables. It hides nothing: it sends what a test says and keeps every frame it gets.
import { once } from 'node:events';
import { Packr } from 'msgpackr';
import { WebSocket } from 'ws';
import type { TestServer } from './server.ts';
import { RefusedError, type Closed } from './stomp.ts';
import { Watch } from './watch.ts';

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  mapsAsObjects: false,
  int64AsType: 'number',
});

export const Say = {
  connect: 1,
  send: 2,
  subscribe: 3,
  unsubscribe: 4,
  ack: 5,
  nack: 6,
  begin: 7,
  commit: 8,
  abort: 9,
  disconnect: 10,
} as const;

const Hear = { connected: 16, message: 17, receipt: 18, error: 19 } as const;

export type Name = string | number;
export type HeaderMap = Readonly<Record<string, Name>> | ReadonlyMap<string, Name>;

export interface BinaryFrame {
  readonly command: number;
  /** All after the command. */
  readonly elements: readonly unknown[];
  readonly bytes: Buffer;
}

export interface BinaryMessage {
  readonly subscription: Name;
  readonly body: Buffer;
  readonly seq: number | null;
  readonly epoch: string | null;
  /** Null where the server has written the body. */
  readonly headers: Readonly<Record<string, string>> | null;
  readonly destination: string | null;
  readonly ack: string | null;
  readonly flags: number;
  readonly id: string | null;
  readonly bytes: Buffer;
}

export interface BinaryOptions {
  readonly user?: string;
  readonly roles?: readonly string[];
  /** Instead of one made for `user`; null for none. */
  readonly token?: string | null;
  readonly tokenIn?: 'frame' | 'url';
  readonly path?: string;
  readonly subprotocols?: readonly string[];
  /** What the client can send, and wants, in milliseconds. */
  readonly beats?: readonly [canSendMs: number, wantsMs: number];
  /** Whether `/user/queue/errors` is subscribed as `errors`; true unless given. */
  readonly errors?: boolean;
}

export const pack = (value: unknown): Buffer => Buffer.from(packr.pack(value));

/** Opens a WebSocket without a word. */
export async function openBinary(server: TestServer, options: BinaryOptions = {}): Promise<BinaryClient> {
  const { path = '/ws', subprotocols = ['stagewire.msgpack'], token, tokenIn } = options;
  const query = tokenIn === 'url' && token ? `?token=${encodeURIComponent(token)}` : '';
  const url = `${server.url.replace('http', 'ws')}${path}${query}`;
  const client = new BinaryClient(new WebSocket(url, [...subprotocols], { perMessageDeflate: false }));
  await once(client.socket, 'open');
  return client;
}

/** Connects and signs in. */
export async function connectBinary(server: TestServer, options: BinaryOptions): Promise<BinaryClient> {
  const { user, roles, tokenIn = 'frame', beats } = options;
  let { token } = options;
  if (token === undefined && user !== undefined) token = await server.token(user, roles);
  const client = await openBinary(server, { ...options, token: token ?? null, tokenIn });
  client.say(Say.connect, 1, tokenIn === 'frame' ? token : null, ...(beats ?? []));
  await client.waitFor(({ command }) => command === Hear.connected, 'CONNECTED');
  if (options.errors !== false) await client.subscribe('errors', '/user/queue/errors');
  return client;
}

export class BinaryClient {
  readonly socket: WebSocket;
  readonly frames: BinaryFrame[] = [];
  beats = 0;
  readonly closed: Promise<Closed>;
  readonly #watch = new Watch(() => this.frames.slice(-20).map(shown).join('\n'));
  #receipts = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#watch.end(`the connection closed with ${code} ${reason.toString()}`);
      });
    });
  }

  /** Sends one frame and waits for nothing. */
  say(...elements: readonly unknown[]): void {
    this.socket.send(pack(elements.map((element) => (element === undefined ? null : element))));
  }

  /** Sends a frame that ends with a receipt; resolves with RECEIPT, rejects when it is refused or on ERROR. */
  async ask(elements: readonly unknown[], headers?: HeaderMap): Promise<void> {
    const receipt = (this.#receipts += 1);
    this.say(...elements, receipt, ...(headers === undefined ? [] : [headers]));
    const answer = await this.waitFor((frame) => answers(frame, receipt), `RECEIPT ${receipt}`);
    if (answer.command === Hear.error) throw new Error(`got ${shown(answer)}`);
    if (answer.command === Hear.message) throw new RefusedError(json(messageOf(answer)));
  }

  subscribe(id: Name, destination: string, headers?: HeaderMap): Promise<void> {
    return this.ask([Say.subscribe, id, destination], headers);
  }

  /** Resolves when it is durable. */
  send(destination: string, body: string | Uint8Array | object, headers?: HeaderMap): Promise<void> {
    const asIs = typeof body === 'string' || body instanceof Uint8Array;
    return this.ask([Say.send, destination, asIs ? body : JSON.stringify(body)], headers);
  }

  async waitFor(matches: (frame: BinaryFrame) => boolean, what: string): Promise<BinaryFrame> {
    let looked = 0;
    let found: BinaryFrame | undefined;
    await this.#watch.until(() => {
      for (; found === undefined && looked < this.frames.length; looked += 1) {
        const frame = this.frames[looked] as BinaryFrame;
        if (matches(frame)) found = frame;
      }
      return found !== undefined;
    }, what);
    return found as BinaryFrame;
  }

  /** Resolves with all MESSAGEs of a subscription when there are at least so many. */
  async messages(subscription: Name, count: number): Promise<BinaryMessage[]> {
    await this.#watch.until(
      () => this.received(subscription).length >= count,
      `${count} messages of ${subscription}`,
    );
    return this.received(subscription);
  }

  received(subscription: Name): BinaryMessage[] {
    return this.frames
      .filter(({ command, elements }) => command === Hear.message && elements[0] === subscription)
      .map(messageOf);
  }

  /** The next refusal with this code, of those that came or come. */
  async refusal(code: string): Promise<Readonly<Record<string, unknown>>> {
    const fits = (frame: BinaryFrame): boolean => isRefusal(frame) && json(messageOf(frame))['code'] === code;
    return json(messageOf(await this.waitFor(fits, `refusal ${code}`)));
  }

  /** ERROR and the close that follows it. */
  async failure(): Promise<{ code: unknown; message: unknown; detail: unknown; closed: Closed }> {
    const { elements } = await this.waitFor(({ command }) => command === Hear.error, 'ERROR');
    const [code, message, detail] = elements;
    return { code, message, detail, closed: await this.closed };
  }

  async waitForBeats(count: number): Promise<void> {
    await this.#watch.until(() => this.beats >= count, `${count} heart-beats`);
  }

  #receive(bytes: Buffer, isBinary: boolean): void {
    if (!isBinary) throw new Error('a frame came as text');
    if (bytes.length === 1 && bytes[0] === 0x90) this.beats += 1;
    else {
      const [command, ...elements] = packr.unpack(bytes) as [number, ...unknown[]];
      this.frames.push({ command, elements, bytes });
    }
    this.#watch.changed();
  }
}

export function messageOf({ elements, bytes }: BinaryFrame): BinaryMessage {
  const [subscription, body, seq, epoch, headers, destination, ack, flags, id] = elements;
  return {
    subscription: subscription as Name,
    body: body as Buffer,
    seq: (seq as number | null | undefined) ?? null,
    epoch: (epoch as string | null | undefined) ?? null,
    headers: headers ? Object.fromEntries(headers as Map<string, string>) : null,
    destination: (destination as string | null | undefined) ?? null,
    ack: (ack as string | null | undefined) ?? null,
    flags: (flags as number | null | undefined) ?? 0,
    id: (id as string | null | undefined) ?? null,
    bytes,
  };
}

/** The JSON of a body. */
export const json = ({ body }: BinaryMessage): Readonly<Record<string, unknown>> =>
  JSON.parse(body.toString()) as Record<string, unknown>;

const isRefusal = ({ command, elements }: BinaryFrame): boolean =>
  command === Hear.message && elements[0] === 'errors';

function answers(frame: BinaryFrame, receipt: number): boolean {
  const { command, elements } = frame;
  if (command === Hear.receipt) return elements[0] === receipt;
  return (
    command === Hear.error || (isRefusal(frame) && json(messageOf(frame))['receipt'] === String(receipt))
  );
}

const shown = ({ command, elements }: BinaryFrame): string =>
  JSON.stringify([command, ...elements], (_key, value: unknown) =>
    value instanceof Map ? Object.fromEntries(value) : value,
  ).slice(0, 300);
