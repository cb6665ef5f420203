// The only file that knows uWebSockets.js: sockets and HTTP on one side, the edge on the other.
// Traps: whatever throws inside a callback, and any end of the thread while the app lives, aborts the process. So
// every callback is guarded, and `close` must have run before the thread may end.
import { STATUS_CODES } from 'node:http';
import type { Logger } from 'pino';
import uWS from 'uWebSockets.js';
import { Refusal } from '../errors.ts';
import { CloseCode, type Connection, type Groups } from './connection.ts';
import type { Edge } from './edge.ts';
import { originAllowed } from './origin.ts';
import {
  answer,
  probe,
  refusalResponse,
  restBodyBytesMax,
  type RestRequest,
  type RestResponse,
} from './rest.ts';
import type { Session } from './session.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Browser origins that are welcome besides the server's own. */
  readonly origins: readonly string[];
  readonly log: Logger;
}

interface SocketData {
  readonly token: string | null;
  session: Session | null;
  connection: SocketConnection | null;
}

/** Where STOMP over WebSocket is served; `/websocket` is the raw transport of SockJS clients. */
const stompPaths = ['/ws', '/ws/websocket', '/inventory-ws', '/inventory-ws/websocket'];
const subprotocols = ['v12.stomp', 'v11.stomp', 'v10.stomp'];
/** A larger message ends the connection before it is read; frames in it have their own, smaller limit. */
const messageBytesMax = 2 * 1024 * 1024;
/**
 * Far above what the edge lets a client leave unread: past this limit the transport would drop messages of ordered
 * streams without a word, and the close frame with them.
 */
const transportBufferBytesMax = 64 * 1024 * 1024;
const idleSeconds = 120;
const failed = 'the server failed';

class SocketConnection implements Connection {
  readonly address: string;
  readonly #groups: Groups;
  readonly #own: string;
  #socket: uWS.WebSocket<SocketData> | null;

  /** @param own name of a group that this connection is alone in. */
  constructor(socket: uWS.WebSocket<SocketData>, groups: Groups, own: string) {
    this.#socket = socket;
    this.#groups = groups;
    this.#own = own;
    socket.subscribe(own);
    this.address = Buffer.from(socket.getRemoteAddressAsText()).toString();
  }

  get bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send(frame: Uint8Array, isText: boolean): void {
    this.#socket?.send(frame, !isText);
  }

  sendGathered(frame: Uint8Array): void {
    // Only what is published is written together, so the socket has a group to itself.
    if (this.#socket) this.#groups.publish(this.#own, frame, true);
  }

  join(group: string): void {
    this.#socket?.subscribe(group);
  }

  leave(group: string): void {
    this.#socket?.unsubscribe(group);
  }

  close(code: number, reason: string): void {
    // `end` calls the close handler before it returns.
    this.#socket?.end(code, reason);
  }

  gone(): void {
    this.#socket = null;
  }
}

/** A uWebSockets.js app with its edge; made once per edge thread. */
export class Server implements Groups {
  readonly #app = uWS.App();
  #options: ServerOptions | null = null;
  #edge: Edge | null = null;
  #listening: uWS.us_listen_socket | null = null;
  #opened = 0;

  publish(group: string, frame: Uint8Array, isText: boolean): void {
    this.#app.publish(group, frame, !isText);
  }

  /**
   * Takes connections for the edge.
   *
   * @throws Error when the port can't be had.
   */
  listen(edge: Edge, options: ServerOptions): Promise<void> {
    this.#edge = edge;
    this.#options = options;
    for (const path of stompPaths) this.#app.ws<SocketData>(path, this.#webSocket(edge));
    this.#app.any('/*', (response, request) => {
      this.#guard(
        () => this.#http(response, request),
        () => response.close(),
      );
    });
    return new Promise((resolve, reject) => {
      this.#app.listen(options.host, options.port, (socket) => {
        if (socket) {
          this.#listening = socket;
          resolve();
        } else reject(new Error(`can't listen on ${options.host}:${options.port}: the port is in use`));
      });
    });
  }

  /** New connections are refused; those that are there stay. */
  stopListening(): void {
    if (this.#listening) uWS.us_listen_socket_close(this.#listening);
    this.#listening = null;
  }

  /** Ends every connection at once. After it the thread may end. */
  close(): void {
    this.#listening = null;
    this.#app.close();
  }

  #webSocket(edge: Edge): uWS.WebSocketBehavior<SocketData> {
    return {
      maxPayloadLength: messageBytesMax,
      maxBackpressure: transportBufferBytesMax,
      idleTimeout: idleSeconds,
      sendPingsAutomatically: true,
      compression: uWS.DISABLED,
      upgrade: (response, request, context) => {
        // A request that is neither answered nor cut aborts the process.
        this.#guard(
          () => this.#upgrade(response, request, context),
          () => response.close(),
        );
      },
      open: (socket) => {
        const data = socket.getUserData();
        this.#opened += 1;
        data.connection = new SocketConnection(socket, this, `@${this.#opened.toString(36)}`);
        this.#guard(
          () => {
            data.session = edge.open(data.connection as SocketConnection, data.token);
          },
          () => socket.end(CloseCode.fault, failed),
        );
      },
      message: (socket, message, isBinary) => {
        const { session } = socket.getUserData();
        this.#guard(
          () => session?.receive(new Uint8Array(message), !isBinary),
          () => session?.end(CloseCode.fault, failed),
        );
      },
      drain: (socket) => {
        const { session } = socket.getUserData();
        this.#guard(
          () => session && edge.drained(session),
          () => session?.end(CloseCode.fault, failed),
        );
      },
      close: (socket) => {
        const { session, connection } = socket.getUserData();
        connection?.gone();
        this.#guard(() => session && edge.closed(session));
      },
    };
  }

  #upgrade(response: uWS.HttpResponse, request: uWS.HttpRequest, context: uWS.us_socket_context_t): void {
    const origin = request.getHeader('origin') || undefined;
    if (!originAllowed(origin, request.getHeader('host'), this.#options?.origins ?? [])) {
      response.writeStatus('403 Forbidden').end('This origin may not connect.');
      return;
    }
    if (this.#edge?.draining) {
      response.writeStatus('503 Service Unavailable').end();
      return;
    }
    const offered = request.getHeader('sec-websocket-protocol').split(',');
    const chosen = offered.map((name) => name.trim()).find((name) => subprotocols.includes(name));
    const data: SocketData = {
      token: request.getQuery('token') ?? null,
      session: null,
      connection: null,
    };
    response.upgrade(
      data,
      request.getHeader('sec-websocket-key'),
      chosen ?? '',
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #http(response: uWS.HttpResponse, request: uWS.HttpRequest): void {
    const edge = this.#edge as Edge;
    const method = request.getCaseSensitiveMethod();
    const asked: RestRequest = {
      method: method === 'HEAD' ? 'GET' : method,
      path: request.getUrl(),
      query: request.getQuery(),
      authorization: request.getHeader('authorization') || undefined,
    };
    const cors = this.#cors(request);
    const reply = new HttpReply(response, cors, method === 'HEAD');
    const known = probe(edge, asked);
    if (known) return reply.send(known);
    if (asked.method === 'OPTIONS') return reply.send({ status: 204, body: null });
    let body = Buffer.alloc(0);
    response.onData((chunk, isLast) => {
      this.#guard(() => {
        if (reply.done) return;
        if (body.length + chunk.byteLength > restBodyBytesMax) {
          const text = `A body has at most ${restBodyBytesMax} bytes.`;
          return reply.send(refusalResponse(new Refusal('TOO_LARGE', text)), true);
        }
        body = Buffer.concat([body, new Uint8Array(chunk)]);
        if (isLast) void answer(edge, asked, body).then((answered) => reply.send(answered));
      });
    });
  }

  /** Headers that let a page of an allowed origin read the response. */
  #cors(request: uWS.HttpRequest): Record<string, string> {
    const origin = request.getHeader('origin');
    if (!origin || !originAllowed(origin, request.getHeader('host'), this.#options?.origins ?? [])) {
      return {};
    }
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-max-age': '600',
      vary: 'origin',
    };
  }

  /** @param giveUp ends what the failed task was about. */
  #guard(task: () => void, giveUp?: () => void): void {
    try {
      task();
    } catch (thrown) {
      this.#options?.log.error({ err: thrown }, 'a callback of the edge failed');
      giveUp?.();
    }
  }
}

/** One HTTP response, which may be gone before its answer is there. */
class HttpReply {
  done = false;
  readonly #response: uWS.HttpResponse;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isHead: boolean;

  /** @param isHead the request was HEAD: a body would be taken for the start of the next response. */
  constructor(response: uWS.HttpResponse, headers: Readonly<Record<string, string>>, isHead: boolean) {
    this.#response = response;
    this.#headers = headers;
    this.#isHead = isHead;
    response.onAborted(() => {
      this.done = true;
    });
  }

  send({ status, body, headers }: RestResponse, closeConnection = false): void {
    if (this.done) return;
    this.done = true;
    this.#response.cork(() => {
      this.#response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      for (const [name, value] of Object.entries({ ...this.#headers, ...headers })) {
        this.#response.writeHeader(name, value);
      }
      if (body) this.#response.writeHeader('content-type', 'application/json');
      this.#response.writeHeader('cache-control', 'no-store');
      if (body && !this.#isHead) this.#response.end(body, closeConnection);
      else {
        // Told of a length, `endWithoutBody` waits for a body; told of none in so many words, it makes one up.
        if (body) this.#response.writeHeader('content-length', `${body.length}`);
        this.#response.endWithoutBody();
      }
    });
  }
}
