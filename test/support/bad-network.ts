// A bad network between clients and a server. Each connection is a line of two flows, and each flow can be harmed at a
// byte of choice: within a handshake, within a frame, between a frame and its answer.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll } from 'vitest';
import { Flow } from './flow.ts';
import { Watch } from './watch.ts';

export type Direction = 'toServer' | 'toClient';

/** Above the longest that a connection may seem well that is not. */
const patienceMs = 30_000;

const networks = new Set<BadNetwork>();

afterAll(async () => {
  for (const network of networks) await network.close();
});

/** Leads to the server on that port of 127.0.0.1; listens on a free one, and ends with the test file. */
export async function startBadNetwork(serverPort: number): Promise<BadNetwork> {
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const network = new BadNetwork(listener, serverPort);
  networks.add(network);
  return network;
}

export class BadNetwork {
  /** Where clients connect. */
  readonly port: number;
  /** Lines that were made up to now. */
  made = 0;
  readonly #listener: Server;
  readonly #lines = new Set<Line>();
  readonly #watch = new Watch(
    () => `${this.#lines.size} of ${this.made} lines stand, ${this.#pieces} pieces passed`,
  );
  /** Pieces that went either way on any line. */
  #pieces = 0;
  #refused = 0;

  constructor(listener: Server, serverPort: number) {
    this.#listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    listener.on('connection', (client) => {
      if (this.#refused > 0) {
        this.#refused -= 1;
        client.resetAndDestroy();
        return;
      }
      this.made += 1;
      const server = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true });
      const line: Line = new Line(client, server, () => {
        this.#pieces += 1;
        if (line.isClosed) this.#lines.delete(line);
        this.changed();
      });
      this.#lines.add(line);
      this.changed();
    });
  }

  /** Those that stand, the oldest first. */
  get lines(): readonly Line[] {
    return [...this.#lines];
  }

  /** Resets so many of the next lines when they are made. */
  refuse(count: number): void {
    this.#refused += count;
  }

  /** Resolves when it holds; looked at whenever something passes, or a line is made or closed. */
  until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what, patienceMs);
  }

  /** A moment that lies so many pieces ahead, wherever they pass. */
  moment(piecesAhead: number): () => boolean {
    const pieces = this.#pieces + piecesAhead;
    return () => this.#pieces >= pieces;
  }

  /** From now on everything passes at once; what was held comes. */
  heal(): void {
    this.#refused = 0;
    for (const line of this.#lines) line.heal();
  }

  async close(): Promise<void> {
    networks.delete(this);
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    for (const line of this.#lines) line.reset();
    await closed;
  }

  /** Conditions that are waited for are looked at again. */
  changed(): void {
    this.#watch.changed();
  }
}

/** A client's connection and the one to the server that goes with it. */
export class Line {
  readonly toServer: Flow;
  readonly toClient: Flow;
  isClosed = false;
  /** A side has gone; the other may not know. */
  isLeft = false;
  readonly #client: Socket;
  readonly #sockets: readonly Socket[];
  #isStranded = false;
  readonly #changed: () => void;

  constructor(client: Socket, server: Socket, changed: () => void) {
    this.#client = client;
    this.#sockets = [client, server];
    this.#changed = changed;
    for (const socket of this.#sockets) {
      socket.setNoDelay(true);
      socket.on('error', () => this.reset());
    }
    this.toServer = new Flow(client, server, changed);
    this.toClient = new Flow(server, client, changed);
    client.on('close', () => this.#half(this.toServer));
    server.on('close', () => this.#half(this.toClient));
    // There is nobody who would end the other half.
    server.on('end', () => this.#isStranded && this.end());
    client.resume();
  }

  /** As when a cable is pulled and put back: both sides get a reset, what is on its way is lost. */
  reset(): void {
    if (this.isClosed) return;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#closed();
  }

  /** Both sides get an end, as from a proxy that goes away. */
  end(): void {
    if (this.isClosed) return;
    for (const socket of this.#sockets) socket.destroySoon();
    this.#closed();
  }

  /** The client gets a reset, and the server learns nothing of it. */
  strand(): void {
    if (this.isLeft) return;
    this.#isStranded = true;
    this.isLeft = true;
    this.#client.resetAndDestroy();
    this.#changed();
  }

  heal(): void {
    for (const flow of [this.toServer, this.toClient]) flow.heal();
  }

  /** One side is gone: what it has sent still gets to the other, unless that is lost. */
  #half(from: Flow): void {
    if (this.isClosed || (this.#isStranded && from === this.toServer)) return;
    this.isLeft = true;
    this.#changed();
    from.finish(() => this.end());
  }

  #closed(): void {
    this.isClosed = true;
    this.isLeft = true;
    this.#changed();
  }
}
