// Stands between a client and a server and does to their connections what a bad network does. Bytes are passed on as
// they are; what they mean is for the test to know.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';

/** Looks for something in what a client sends, such as the word COMMIT. */
export type Matches = (bytes: Buffer) => boolean;

/**
 * - `before`: what matched is not delivered.
 * - `after`: it is, and the server answers, but the client never hears of it.
 */
export type When = 'before' | 'after';

interface Trap {
  readonly when: When;
  readonly matches: Matches;
  readonly sprung: () => void;
}

const proxies = new Set<FaultProxy>();

afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
});

/** Starts a proxy for the server on that port of 127.0.0.1; it listens on a free one, and ends with the test file. */
export async function startFaultProxy(serverPort: number): Promise<FaultProxy> {
  const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const proxy = new FaultProxy(listener, serverPort);
  proxies.add(proxy);
  return proxy;
}

export class FaultProxy {
  /** Where clients connect. */
  readonly port: number;
  /** Connections that were made up to now. */
  made = 0;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #isRefusing = false;
  #isStalled = false;
  #delayMs = 0;
  #trap: Trap | null = null;

  constructor(listener: Server, serverPort: number) {
    this.#listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    listener.on('connection', (client) => {
      if (this.#isRefusing) {
        client.resetAndDestroy();
        return;
      }
      this.made += 1;
      const pair = new Pair(client, connect(serverPort, '127.0.0.1'), {
        closed: () => this.#pairs.delete(pair),
        sent: (bytes) => this.#sent(bytes),
        delayMs: () => this.#delayMs,
      });
      this.#pairs.add(pair);
      pair.flow(!this.#isStalled);
    });
  }

  /** Connections that stand. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Resets the oldest connection. */
  cutOne(): void {
    const [pair] = this.#pairs;
    pair?.cut();
  }

  cutAll(): void {
    for (const pair of this.#pairs) pair.cut();
  }

  /** Resets every new connection from now on, until `admit`. */
  refuse(): void {
    this.#isRefusing = true;
  }

  admit(): void {
    this.#isRefusing = false;
  }

  /**
   * Connections stand, and nothing gets through in either direction until `flow`.
   *
   * @param which `standing` spares new connections.
   */
  stall(which: 'all' | 'standing' = 'all'): void {
    this.#isStalled = which === 'all';
    for (const pair of this.#pairs) pair.flow(false);
  }

  /** What came meanwhile is delivered, also that a side has closed. */
  flow(): void {
    this.#isStalled = false;
    for (const pair of this.#pairs) pair.flow(true);
  }

  /** Everything takes so much longer in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Cuts the connection of the next client that sends what matches. Resolves when that has happened. */
  cutAt(when: When, matches: Matches): Promise<void> {
    return new Promise((resolve) => (this.#trap = { when, matches, sprung: resolve }));
  }

  async close(): Promise<void> {
    proxies.delete(this);
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    this.cutAll();
    await closed;
  }

  #sent(bytes: Buffer): When | null {
    const trap = this.#trap;
    if (!trap?.matches(bytes)) return null;
    this.#trap = null;
    trap.sprung();
    return trap.when;
  }
}

interface PairEvents {
  closed(): void;
  /** The client sends this: whether it springs a trap. */
  sent(bytes: Buffer): When | null;
  delayMs(): number;
}

/** A client's connection and the one to the server that goes with it. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #events: PairEvents;
  #flows = true;
  #isTrapped = false;
  #isCut = false;

  constructor(client: Socket, server: Socket, events: PairEvents) {
    this.#client = client;
    this.#server = server;
    this.#events = events;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
    }
    client.on('data', (bytes: Buffer) => this.#fromClient(bytes));
    server.on('data', (bytes: Buffer) => this.#fromServer(bytes));
    client.on('close', () => this.#ended(server));
    server.on('close', () => this.#ended(client));
  }

  flow(flows: boolean): void {
    this.#flows = flows;
    for (const socket of [this.#client, this.#server]) {
      if (flows) socket.resume();
      else socket.pause();
    }
  }

  /** As when a cable is pulled and put back: both sides get a reset. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#events.closed();
  }

  #fromClient(bytes: Buffer): void {
    const when = this.#events.sent(bytes);
    if (when === 'before') return this.cut();
    if (when === 'after') this.#isTrapped = true;
    this.#pass(bytes, this.#client, this.#server);
  }

  #fromServer(bytes: Buffer): void {
    // The server has done it.
    if (this.#isTrapped) return this.cut();
    this.#pass(bytes, this.#server, this.#client);
  }

  /** What is on its way to the other one still gets there. */
  #ended(other: Socket): void {
    this.#events.closed();
    this.#later(() => other.destroySoon());
  }

  #pass(bytes: Buffer, from: Socket, to: Socket): void {
    this.#later(() => {
      if (to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => this.#flows && from.resume());
    });
  }

  #later(task: () => void): void {
    const delayMs = this.#events.delayMs();
    if (delayMs === 0) task();
    else systemClock.after(delayMs, task);
  }
}
