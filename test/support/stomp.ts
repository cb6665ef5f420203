// A small STOMP client over `ws` that hides nothing: it sends what a test says and keeps every frame it gets.
import { once } from 'node:events';
import { WebSocket, type ClientOptions, type RawData } from 'ws';
import type { TestServer } from './server.ts';
import { Watch } from './watch.ts';

export interface ReceivedFrame {
  readonly command: string;
  /** Unescaped as the version says; of a repeated header the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bytes: Buffer;
  /** Whether it came as a binary WebSocket message. */
  readonly isBinary: boolean;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export interface ConnectOptions {
  /** Signs in as this user, with a token in the Authorization header of CONNECT. */
  readonly user?: string;
  readonly roles?: readonly string[];
  /** A token instead of one made for `user`; null for none. */
  readonly token?: string | null;
  /** Where the token goes: the CONNECT header, or the URL. */
  readonly tokenIn?: 'header' | 'url';
  /** `accept-version`; 1.2 unless given. */
  readonly version?: string;
  /** Offered subprotocols; none unless given. */
  readonly subprotocols?: readonly string[];
  /** `/ws` unless given. */
  readonly path?: string;
  /** `heart-beat` of CONNECT; `0,0` unless given. */
  readonly heartBeat?: string;
  /** Further headers of CONNECT. */
  readonly headers?: FrameHeaders;
  readonly origin?: string;
  /** Whether `/user/queue/errors` is subscribed after CONNECTED, so that refusals are seen; true unless given. */
  readonly errors?: boolean;
  /** How long answers and messages are waited for; 10 s unless given. */
  readonly patienceMs?: number;
}

export type FrameHeaders = Readonly<Record<string, string>>;

/** What a refusal on `/user/queue/errors` says; thrown by the promises of the frame that was refused. */
export class RefusedError extends Error {
  readonly refusal: Readonly<Record<string, unknown>>;

  constructor(refusal: Readonly<Record<string, unknown>>) {
    super(`refused: ${JSON.stringify(refusal)}`);
    this.refusal = refusal;
  }
}

/** Opens a WebSocket without a STOMP conversation. Rejects when the server refuses the upgrade. */
export async function openSocket(server: TestServer, options: ConnectOptions = {}): Promise<TestClient> {
  const { tokenIn, token, subprotocols = [], path = '/ws', origin } = options;
  const query = tokenIn === 'url' && token ? `?token=${encodeURIComponent(token)}` : '';
  const url = `${server.url.replace('http', 'ws')}${path}${query}`;
  const clientOptions: ClientOptions = { perMessageDeflate: false, ...(origin ? { origin } : {}) };
  const socket = new WebSocket(url, [...subprotocols], clientOptions);
  const client = new TestClient(socket, options.version ?? '1.2', options.patienceMs);
  await once(socket, 'open');
  return client;
}

/** Connects and signs in. Rejects when the server does not answer CONNECTED; see `openSocket` for less. */
export async function connectStomp(server: TestServer, options: ConnectOptions): Promise<TestClient> {
  const { user, roles, tokenIn = 'header', heartBeat = '0,0' } = options;
  let { token } = options;
  if (token === undefined && user !== undefined) token = await server.token(user, roles);
  const client = await openSocket(server, { ...options, token: token ?? null, tokenIn });
  client.sendFrame('CONNECT', {
    'accept-version': client.version,
    host: 'localhost',
    'heart-beat': heartBeat,
    ...(token && tokenIn === 'header' ? { Authorization: `Bearer ${token}` } : {}),
    ...options.headers,
  });
  await client.waitFor(({ command }) => command === 'CONNECTED', 'CONNECTED');
  if (options.errors !== false) await client.subscribe('/user/queue/errors', { id: 'errors' });
  return client;
}

export class TestClient {
  readonly socket: WebSocket;
  readonly version: string;
  /** Every frame that came, in order. */
  readonly frames: ReceivedFrame[] = [];
  /** Heart-beats that came. */
  beats = 0;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<Closed>;
  readonly #watch = new Watch(() => `frames: ${this.frames.slice(-20).map(describe).join('\n')}`);
  readonly #patienceMs: number | undefined;
  #receipts = 0;
  #ids = 0;

  constructor(socket: WebSocket, version: string, patienceMs?: number) {
    this.socket = socket;
    this.version = version;
    this.#patienceMs = patienceMs;
    // Whoever waits for the end or for a frame is told; nobody may be waiting.
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#watch.end(`the connection closed with ${code} ${reason.toString()}`);
      });
    });
  }

  /** Sends bytes or text as one WebSocket message, whatever they are. */
  sendRaw(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** Sends one frame and does not wait for anything. */
  sendFrame(command: string, headers: FrameHeaders = {}, body: string | Uint8Array = ''): void {
    this.sendRaw(encode(this.version, command, headers, body));
  }

  /** Sends one frame with a receipt header; resolves with RECEIPT, rejects with RefusedError or on ERROR. */
  async request(
    command: string,
    headers: FrameHeaders = {},
    body: string | Uint8Array = '',
  ): Promise<ReceivedFrame> {
    const receipt = headers['receipt'] ?? `receipt-${(this.#receipts += 1)}`;
    this.sendFrame(command, { ...headers, receipt }, body);
    const answer = await this.waitFor((frame) => answers(frame, receipt), `RECEIPT of ${command}`);
    if (answer.command === 'RECEIPT') return answer;
    if (answer.command === 'ERROR') throw new Error(`${command} got ${describe(answer)}`);
    throw new RefusedError(JSON.parse(answer.body) as Record<string, unknown>);
  }

  /** SEND; resolves when its effect is durable. A body that is neither text nor bytes is sent as JSON. */
  async send(destination: string, body: unknown = '', headers: FrameHeaders = {}): Promise<void> {
    const asIs = typeof body === 'string' || body instanceof Uint8Array;
    await this.request('SEND', { destination, ...headers }, asIs ? body : JSON.stringify(body));
  }

  /** SUBSCRIBE; resolves with the subscription's id when it is live. */
  async subscribe(destination: string, headers: FrameHeaders = {}): Promise<string> {
    const id = headers['id'] ?? `sub-${(this.#ids += 1)}`;
    await this.request('SUBSCRIBE', { destination, ...headers, id });
    return id;
  }

  async unsubscribe(id: string): Promise<void> {
    await this.request('UNSUBSCRIBE', { id });
  }

  /** DISCONNECT; resolves when the connection is closed. */
  async disconnect(): Promise<Closed> {
    await this.request('DISCONNECT');
    this.socket.close();
    return this.closed;
  }

  /** The first frame that fits, of those that came before this call or come later. Rejects after a while. */
  async waitFor(matches: (frame: ReceivedFrame) => boolean, what = 'a frame'): Promise<ReceivedFrame> {
    const [frame] = await this.waitForMany(1, matches, what);
    return frame as ReceivedFrame;
  }

  /** The first `count` frames that fit. */
  async waitForMany(
    count: number,
    matches: (frame: ReceivedFrame) => boolean,
    what = `${count} frames`,
  ): Promise<ReceivedFrame[]> {
    const found: ReceivedFrame[] = [];
    let looked = 0;
    const enough = (): boolean => {
      for (; looked < this.frames.length && found.length < count; looked += 1) {
        const frame = this.frames[looked];
        if (frame && matches(frame)) found.push(frame);
      }
      return found.length === count;
    };
    await this.#watch.until(enough, what, this.#patienceMs);
    return found;
  }

  /** The first `count` MESSAGEs of a destination. */
  messages(destination: string, count: number): Promise<ReceivedFrame[]> {
    return this.waitForMany(count, isMessageOf(destination), `${count} messages of ${destination}`);
  }

  /** The MESSAGEs of a destination that came up to now. */
  received(destination: string): ReceivedFrame[] {
    return this.frames.filter(isMessageOf(destination));
  }

  /** The next refusal with this code, of those that came or come. */
  async refusal(code: string): Promise<Readonly<Record<string, unknown>>> {
    const frame = await this.waitFor(
      (one) => isMessageOf('/user/queue/errors')(one) && parse(one)['code'] === code,
      `refusal ${code}`,
    );
    return parse(frame);
  }

  /** The ERROR frame and the close that follows it. */
  async failure(): Promise<{ error: ReceivedFrame; closed: Closed }> {
    const error = await this.waitFor(({ command }) => command === 'ERROR', 'ERROR');
    return { error, closed: await this.closed };
  }

  /** Resolves when at least so many heart-beats have come. */
  async waitForBeats(count: number): Promise<void> {
    await this.#watch.until(() => this.beats >= count, `${count} heart-beats`);
  }

  /** Stops reading the socket: what the server sends piles up. */
  pause(): void {
    this.socket.pause();
  }

  /** Reads on. */
  readOn(): void {
    this.socket.resume();
  }

  /** Cuts the connection without a close frame. */
  cut(): void {
    this.socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    const bytes = data as Buffer;
    if (bytes.length === 1 && bytes[0] === 10) this.beats += 1;
    else this.frames.push(decode(this.version, bytes, isBinary));
    this.#watch.changed();
  }
}

export function isMessageOf(destination: string): (frame: ReceivedFrame) => boolean {
  return ({ command, headers }) => command === 'MESSAGE' && headers['destination'] === destination;
}

/** The JSON of a frame's body. */
export function parse(frame: ReceivedFrame): Readonly<Record<string, unknown>> {
  return JSON.parse(frame.body) as Record<string, unknown>;
}

function answers(frame: ReceivedFrame, receipt: string): boolean {
  if (frame.command === 'RECEIPT') return frame.headers['receipt-id'] === receipt;
  if (frame.command === 'ERROR') return true;
  return isMessageOf('/user/queue/errors')(frame) && parse(frame)['receipt'] === receipt;
}

const describe = ({ command, headers, body }: ReceivedFrame): string =>
  `${command} ${JSON.stringify(headers)} ${body.slice(0, 200)}`;

const escapes: readonly (readonly [character: string, escaped: string])[] = [
  ['\\', '\\\\'],
  ['\r', '\\r'],
  ['\n', '\\n'],
  [':', '\\c'],
];

function escapesOf(version: string, command: string): typeof escapes {
  if (version === '1.0' || command === 'CONNECT' || command === 'STOMP' || command === 'CONNECTED') return [];
  return version === '1.1' ? escapes.filter(([character]) => character !== '\r') : escapes;
}

/** A frame as bytes; `content-length` is added unless it is given. */
export function encode(
  version: string,
  command: string,
  headers: FrameHeaders,
  body: string | Uint8Array = '',
): Uint8Array | string {
  const write = (text: string): string =>
    escapesOf(version, command).reduce((out, [from, to]) => out.replaceAll(from, to), text);
  const length = body.length > 0 ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  const lines = Object.entries({ ...length, ...headers }).map(
    ([name, value]) => `${write(name)}:${write(value)}\n`,
  );
  const head = `${command}\n${lines.join('')}\n`;
  return typeof body === 'string'
    ? `${head}${body}\0`
    : Buffer.concat([Buffer.from(head), body, Buffer.from([0])]);
}

/** @throws Error when the message is not exactly one whole frame. */
function decode(version: string, bytes: Buffer, isBinary: boolean): ReceivedFrame {
  const end = bytes.indexOf('\n\n');
  if (end === -1 || bytes.at(-1) !== 0) throw new Error(`no frame: ${JSON.stringify(bytes.toString())}`);
  const [command = '', ...lines] = bytes.subarray(0, end).toString().split('\n');
  const known = new Map(escapesOf(version, command).map(([character, escaped]) => [escaped, character]));
  const read = (text: string): string => text.replaceAll(/\\./gs, (pair) => known.get(pair) ?? pair);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[read(line.slice(0, colon))] ??= read(line.slice(colon + 1));
  }
  const body = bytes.subarray(end + 2, -1);
  const announced = headers['content-length'];
  if (announced !== undefined && Number(announced) !== body.length) {
    throw new Error(`content-length ${announced} of a body of ${body.length} bytes`);
  }
  return { command, headers, body: body.toString(), bytes: body, isBinary };
}
