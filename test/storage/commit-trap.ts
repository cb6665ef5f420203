// Stands between a store and its server, and at the next COMMIT keeps the two apart, as a network does that loses one
// connection: the store's end of it may be closed, the server does not hear of that either.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const word = Buffer.from('COMMIT');

/** Whether the server gets the COMMIT at once, or when the trap is opened. */
export type Held = 'answer' | 'commit';

export class CommitTrap {
  readonly port: number;
  /** What stores have asked for up to now, a request at a time. */
  requests = 0;
  /** Those that were COMMIT. */
  commits = 0;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  #next: { readonly held: Held; readonly sprung: () => void } | null = null;
  #open: (() => void) | null = null;

  private constructor(listener: Server, serverPort: number) {
    this.#listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    listener.on('connection', (client) => this.#join(client, connect(serverPort, '127.0.0.1')));
  }

  static async start(serverPort: number): Promise<CommitTrap> {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new CommitTrap(listener, serverPort);
  }

  /** Resolves when the next COMMIT has been sent by the store and is held, or its answer is. */
  hold(held: Held): Promise<void> {
    return new Promise((sprung) => (this.#next = { held, sprung }));
  }

  /** The server gets what was held back, and hears that the store has gone. */
  open(): void {
    this.#open?.();
  }

  close(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, server: Socket): void {
    let isApart = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        if (!isApart) (socket === client ? server : client).destroy();
      });
    }
    server.on('data', (bytes) => isApart || client.write(bytes));
    client.on('data', (bytes) => {
      const { held, sprung } = this.#next ?? {};
      // Behind the length, the number and the kind of a request.
      const isCommit = bytes.subarray(5).equals(word);
      this.requests += 1;
      if (isCommit) this.commits += 1;
      if (held === undefined || !isCommit) return void server.write(bytes);
      this.#next = null;
      isApart = true;
      if (held === 'answer') server.write(bytes);
      this.#open = () => {
        if (held === 'commit') server.write(bytes);
        server.end();
      };
      sprung?.();
    });
  }
}
