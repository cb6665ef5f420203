// A server that does what a test says, for what a real one does not do when it is asked to. It admits everybody, and
// gives every frame the receipt that it asks for.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { Watch } from './watch.ts';

export interface ScriptedFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client's connection. */
export class Visit {
  /** Everything but CONNECT. */
  readonly frames: ScriptedFrame[] = [];
  /** Heart-beats that came. */
  beats = 0;
  /** From now on it takes nothing in and says nothing, but stands. */
  readonly hush: () => void;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, hush: () => void) {
    this.#socket = socket;
    this.hush = hush;
  }

  send(command: string, headers: Readonly<Record<string, string>>, body = ''): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    this.#socket.send(`${command}\n${lines.join('')}\n${body}\0`);
  }

  beat(): void {
    this.#socket.send('\n');
  }

  /** As on `/user/queue/errors`. */
  refuse(receipt: string, refusal: Readonly<Record<string, unknown>>): void {
    const headers = { subscription: 'errors', 'message-id': '1', destination: '/user/queue/errors' };
    this.send('MESSAGE', headers, JSON.stringify({ message: 'refused', receipt, ...refusal }));
  }

  /** @param code null resets the connection. */
  close(code: number | null = null): void {
    if (code === null) this.#socket.terminate();
    else this.#socket.close(code);
  }

  subscribes(destination: string): number {
    return this.frames.filter(
      (one) => one.command === 'SUBSCRIBE' && one.headers['destination'] === destination,
    ).length;
  }
}

export class ScriptedServer {
  readonly visits: Visit[] = [];
  /** Of CONNECTED. */
  heartBeat = '0,0';
  /** Whether CONNECT is answered. */
  admits = true;
  /** @returns whether that was all; else its receipt is given. */
  onFrame: (frame: ScriptedFrame, visit: Visit) => boolean = () => false;
  readonly #server: WebSocketServer;
  readonly #watch = new Watch(() => JSON.stringify(this.visits.map(({ frames }) => frames)));

  constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      const visit = new Visit(socket, () => request.socket.pause());
      this.visits.push(visit);
      socket.on('message', (bytes: Buffer) => this.#came(visit, bytes.toString()));
      this.#watch.changed();
    });
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  token(): Promise<string> {
    return Promise.resolve('a.token.that-is-not-looked-at');
  }

  /** The connection made last. */
  get visit(): Visit {
    return this.visits.at(-1) as Visit;
  }

  until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what);
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #came(visit: Visit, text: string): void {
    if (text === '\n') visit.beats += 1;
    else this.#frameCame(visit, parse(text));
    this.#watch.changed();
  }

  #frameCame(visit: Visit, frame: ScriptedFrame): void {
    if (frame.command === 'CONNECT') {
      const headers = {
        version: '1.2',
        'heart-beat': this.heartBeat,
        'user-name': 'somebody',
        session: 'one',
      };
      if (this.admits) visit.send('CONNECTED', headers);
      return;
    }
    visit.frames.push(frame);
    const { receipt } = frame.headers;
    if (!this.onFrame(frame, visit) && receipt !== undefined)
      visit.send('RECEIPT', { 'receipt-id': receipt });
  }
}

function parse(text: string): ScriptedFrame {
  const [head = '', body = ''] = text.split(/\n\n(.*)\0/s);
  const [command = '', ...lines] = head.split('\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]);
  return { command, headers: Object.fromEntries(headers) as Record<string, string>, body };
}

const servers = new Set<ScriptedServer>();

afterAll(() => {
  for (const server of servers) server.close();
});

/** Listens on a free port, and ends with the test file. */
export async function startScripted(): Promise<ScriptedServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const scripted = new ScriptedServer(server);
  servers.add(scripted);
  return scripted;
}
