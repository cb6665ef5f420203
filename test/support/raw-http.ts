// HTTP as it is on the wire, response by response and chunk by chunk: what a client library would hide.
import { connect, type Socket } from 'node:net';
import { Watch } from './watch.ts';

export interface RequestHead {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One connection that carries one request after another. */
export class RawHttp {
  readonly #socket: Socket;
  readonly #host: string;
  #bytes = Buffer.alloc(0);
  #ended = false;
  readonly #watch = new Watch(() => `unread: ${JSON.stringify(this.#bytes.toString('latin1'))}`);

  constructor(url: string) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    this.#socket = connect(Number(port), hostname);
    this.#socket.on('data', (data: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      this.#watch.changed();
    });
    const end = (): void => {
      this.#ended = true;
      this.#watch.changed();
    };
    this.#socket.on('error', end);
    this.#socket.on('close', end);
  }

  /** Sends a request and waits for the head of its response. */
  async ask(method: string, path: string, { headers = {}, body }: RequestHead = {}): Promise<RawResponse> {
    this.send(method, path, { headers, ...(body === undefined ? {} : { body }) });
    const head = (await this.#take('\r\n\r\n')).toString('latin1').split('\r\n');
    const [, status = ''] = (head[0] ?? '').split(' ');
    const fields = head.slice(1).map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    return new RawResponse(Number(status), Object.fromEntries(fields), {
      line: () => this.#take('\r\n'),
      bytes: (count) => this.#takeBytes(count),
      ended: () => this.#watch.until(() => this.#ended, 'the connection ends'),
    });
  }

  /** Sends a request and waits for nothing. */
  send(method: string, path: string, { headers = {}, body }: RequestHead = {}): void {
    const length =
      method === 'POST' || body !== undefined ? { 'content-length': Buffer.byteLength(body ?? '') } : {};
    const fields = Object.entries({ host: this.#host, ...length, ...headers });
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
    if (body !== undefined) this.#socket.write(body);
  }

  /** Sends more of a body that was announced as longer. */
  sendMore(body: string | Uint8Array): void {
    this.#socket.write(body);
  }

  /** Takes no more of what comes. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #take(end: string): Promise<Buffer> {
    const found = (): number => this.#bytes.indexOf(end);
    await this.#watch.until(() => found() !== -1 || this.#ended, 'more of the response');
    if (found() === -1) throw new Error(`the connection has ended: ${this.#bytes.toString('latin1')}`);
    const taken = await this.#takeBytes(found() + end.length);
    return taken.subarray(0, -end.length);
  }

  async #takeBytes(count: number): Promise<Buffer> {
    await this.#watch.until(() => this.#bytes.length >= count || this.#ended, `${count} bytes`);
    if (this.#bytes.length < count) throw new Error('the connection has ended');
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }
}

interface Source {
  line(): Promise<Buffer>;
  bytes(count: number): Promise<Buffer>;
  ended(): Promise<void>;
}

export class RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #source: Source;
  #isBehindChunk = false;

  constructor(status: number, headers: Readonly<Record<string, string>>, source: Source) {
    this.status = status;
    this.headers = headers;
    this.#source = source;
  }

  /** The next chunk; empty after the last one. */
  async chunk(): Promise<string> {
    // The line end of a chunk may come with the next one.
    if (this.#isBehindChunk) await this.#source.line();
    const size = Number.parseInt((await this.#source.line()).toString(), 16);
    const bytes = await this.#source.bytes(size);
    this.#isBehindChunk = size > 0;
    if (size === 0) await this.#source.line();
    return bytes.toString();
  }

  /** The whole body. */
  async body(): Promise<string> {
    if (this.headers['transfer-encoding'] === 'chunked') {
      let body = '';
      for (let chunk = await this.chunk(); chunk !== ''; chunk = await this.chunk()) body += chunk;
      return body;
    }
    return (await this.#source.bytes(Number(this.headers['content-length'] ?? 0))).toString();
  }

  /** Resolves when the connection has ended. */
  ended(): Promise<void> {
    return this.#source.ended();
  }
}
