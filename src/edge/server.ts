// The only file that knows uWebSockets.js: sockets and HTTP on one side, the edge on the other.
// Traps: whatever throws inside a callback, and any end of the thread while the app lives, aborts the process. So
// every callback is guarded, and `close` must have run before the thread may end.
import type { Logger } from 'pino';
import type { Clock } from '../lib/clock.ts';
import uWS from 'uWebSockets.js';
import { CloseCode, type Groups } from './connection.ts';
import { bearerToken } from './bearer.ts';
import { statusLabel, type EdgeCounts } from './edge-metrics.ts';
import type { Edge } from './edge.ts';
import { HttpReply } from './http-reply.ts';
import type { Origins } from './origins.ts';
import type { OpenDoors } from './open-doors.ts';
import { receive, type RestRequest } from './rest.ts';
import type { Session } from './session.ts';
import type { Door } from './sockjs/door.ts';
import type { HttpGroups } from './sockjs/http-groups.ts';
import { handleRequest, mountSockets, type MountOptions } from './sockjs/mount.ts';
import { SocketConnection } from './socket-connection.ts';
import { chosenOf, stompSubprotocols } from './subprotocols.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly origins: Origins;
  readonly log: Logger;
  readonly openDoors: OpenDoors;
  readonly clock: Clock;
  /** The endpoints of SockJS. */
  readonly sockjs: Door;
}

interface SocketData {
  readonly token: string | null;
  readonly subprotocol: string;
  session: Session | null;
  connection: SocketConnection | null;
}

/** Where STOMP over WebSocket is served; `/websocket` is the raw transport of SockJS clients. */
const stompPaths = ['/ws', '/ws/websocket', '/inventory-ws', '/inventory-ws/websocket'];
/** A larger message ends the connection before it is read; frames in it have their own, smaller limit. */
const messageBytesMax = 2 * 1024 * 1024;
/**
 * Far above what the edge lets a client leave unread: past this limit the transport would drop messages of ordered
 * streams without a word, and the close frame with them.
 */
const transportBufferBytesMax = 64 * 1024 * 1024;
const idleSeconds = 120;
const failed = 'the server failed';

/** A uWebSockets.js app with its edge; made once per edge thread. */
export class Server implements Groups {
  readonly #app = uWS.App();
  #options: ServerOptions | null = null;
  #edge: Edge | null = null;
  #listening: uWS.us_listen_socket | null = null;
  readonly #counts: EdgeCounts;
  readonly #httpGroups: HttpGroups;
  #opened = 0;

  /** @param httpGroups what is published to reaches these as well. */
  constructor(counts: EdgeCounts, httpGroups: HttpGroups) {
    this.#counts = counts;
    this.#httpGroups = httpGroups;
  }

  publish(group: string, frame: Uint8Array, isText: boolean): void {
    this.#app.publish(group, frame, !isText);
    this.#httpGroups.publish(group, frame);
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
    const mount = this.#mountOptions(options);
    mountSockets(this.#app, options.sockjs, mount);
    this.#app.any('/*', (response, request) => {
      this.#guard(
        () => handleRequest(options.sockjs, response, request, mount) || this.#http(response, request),
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

  #mountOptions({ clock }: ServerOptions): MountOptions {
    return {
      clock,
      credentialOf: (query, authorization) =>
        new URLSearchParams(query).get('token') ?? bearerToken(authorization),
      guard: (task, giveUp) => this.#guard(task, giveUp),
      onStatus: (status) => this.#counts.responses[statusLabel(status)].add(),
      // Served here, with STOMP as it is.
      raw: false,
      subprotocols: stompSubprotocols,
      socketBytesMax: transportBufferBytesMax,
    };
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
        data.connection = new SocketConnection(socket, this, `@${this.#opened.toString(36)}`, this.#counts);
        this.#guard(
          () => {
            const { connection, token, subprotocol } = data;
            data.session = edge.open(connection as SocketConnection, token, subprotocol);
          },
          () => socket.end(CloseCode.fault, failed),
        );
      },
      message: (socket, message, isBinary) => {
        const { session } = socket.getUserData();
        this.#counts.bytesIn.add(message.byteLength);
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
    if (!this.#options?.origins.allows(origin, request.getHeader('host'))) {
      response
        .writeStatus('403 Forbidden')
        .end('Pages of this origin may not connect: --origin lists those that may.');
      return;
    }
    if (this.#edge?.draining) {
      response.writeStatus('503 Service Unavailable').end();
      return;
    }
    const subprotocol = chosenOf(request.getHeader('sec-websocket-protocol'));
    const data: SocketData = {
      token: request.getQuery('token') ?? null,
      subprotocol,
      session: null,
      connection: null,
    };
    response.upgrade(
      data,
      request.getHeader('sec-websocket-key'),
      subprotocol,
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #http(response: uWS.HttpResponse, request: uWS.HttpRequest): void {
    const edge = this.#edge as Edge;
    const method = request.getCaseSensitiveMethod();
    const asked = requestOf(request, method === 'HEAD' ? 'GET' : method);
    const reply = new HttpReply(response, this.#cors(request), method === 'HEAD');
    reply.onReply = (status) => this.#counts.responses[statusLabel(status)].add();
    const known = this.#options?.openDoors.answer(edge, asked);
    if (known) return reply.reply(known);
    if (asked.method === 'OPTIONS') return reply.reply({ status: 204, body: null });
    const reader = receive(edge, asked, reply);
    reply.onAborted = () => this.#guard(() => reader.abort());
    response.onData((chunk, isLast) => {
      this.#guard(
        () => {
          if (!reply.done) reader.push(new Uint8Array(chunk), isLast);
        },
        () => {
          if (!reply.done) response.close();
        },
      );
    });
  }

  /** Headers that let a page of an allowed origin read the response. */
  #cors(request: uWS.HttpRequest): Record<string, string> {
    const origin = request.getHeader('origin');
    if (!origin || !this.#options?.origins.allows(origin, request.getHeader('host'))) return {};
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type, idempotency-key',
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

/** A request may be looked at only before the callback that hands it over returns. */
function requestOf(request: uWS.HttpRequest, method: string): RestRequest {
  let idempotencyKey: string | undefined;
  // An empty header is one all the same, and `getHeader` can't tell.
  request.forEach((name, value) => {
    if (name === 'idempotency-key') idempotencyKey = value;
  });
  const length = request.getHeader('content-length');
  return {
    method,
    path: request.getUrl(),
    query: request.getQuery(),
    authorization: request.getHeader('authorization') || undefined,
    idempotencyKey,
    contentType: request.getHeader('content-type'),
    contentLength: length === '' ? null : Number(length),
  };
}
