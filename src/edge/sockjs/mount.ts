// Endpoints on an app of uWebSockets.js, which is handed in: what is used of it is named here.
import type { Clock } from '../../lib/clock.ts';
import type { Door } from './door.ts';
import type { Endpoint } from './endpoint.ts';
import type { SockjsRequest } from './exchange.ts';
import { LocalExchange, type Guard, type ResponseOut } from './local-exchange.ts';
import { placeOf } from './place.ts';
import { SockjsSocket, type SocketOut } from './socket.ts';

export interface RequestIn {
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string;
  getHeader(name: string): string;
}

export interface UpgradeOut extends ResponseOut {
  getRemoteAddressAsText(): ArrayBuffer;
  upgrade(data: SocketData, key: string, protocol: string, extensions: string, context: unknown): void;
}

export interface SocketData {
  readonly endpoint: Endpoint;
  readonly isRaw: boolean;
  readonly credential: string | null;
  connection: SockjsSocket | null;
}

interface SocketWithData extends SocketOut {
  getUserData(): SocketData;
}

/** What the app is asked to do with a WebSocket. */
interface SocketBehavior {
  readonly maxPayloadLength: number;
  readonly maxBackpressure: number;
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
  upgrade(response: UpgradeOut, request: RequestIn, context: unknown): void;
  open(socket: SocketWithData): void;
  message(socket: SocketWithData, message: ArrayBuffer, isBinary: boolean): void;
  drain(socket: SocketWithData): void;
  close(socket: SocketWithData): void;
}

export interface SocketApp {
  ws(pattern: string, behavior: SocketBehavior): unknown;
}

export interface MountOptions {
  readonly clock: Clock;
  /** What a request shows of who it is from. */
  readonly credentialOf: (query: string, authorization: string) => string | null;
  readonly guard: Guard;
  /** Told of each status answered. */
  readonly onStatus: (status: number) => void;
  /** Whether `BASE/websocket` is to be served as well. */
  readonly raw: boolean;
  /** Subprotocols to choose from, the first that the client offers. */
  readonly subprotocols: readonly string[];
  /** What may be unread of a socket before messages would be dropped. */
  readonly socketBytesMax: number;
}

const idleSeconds = 120;
const failed = 'the server failed';
const failedCode = 1011;

/** Serves the WebSockets of the door's endpoints. */
export function mountSockets(app: SocketApp, door: Door, options: MountOptions): void {
  for (const endpoint of door.endpoints) {
    const { base, hasWebSocket } = endpoint.options;
    if (!hasWebSocket) continue;
    app.ws(`${base}/:server/:session/websocket`, behaviorOf(endpoint, false, options));
    if (options.raw) app.ws(`${base}/websocket`, behaviorOf(endpoint, true, options));
  }
}

/**
 * Takes a request below an endpoint.
 *
 * @returns whether it lies below one.
 */
export function handleRequest(
  door: Door,
  response: UpgradeOut,
  request: RequestIn,
  { credentialOf, guard, onStatus }: MountOptions,
): boolean {
  const found = door.find(request.getUrl());
  if (!found) return false;
  const address = Buffer.from(response.getRemoteAddressAsText()).toString();
  const asked = requestOf(request, address, credentialOf);
  const exchange = new LocalExchange(response, asked, guard);
  exchange.onStatus = onStatus;
  exchange.guarded(() => door.handle(exchange, found));
  return true;
}

/** A request may be looked at only before the callback that hands it over returns. */
function requestOf(
  request: RequestIn,
  address: string,
  credentialOf: MountOptions['credentialOf'],
): SockjsRequest {
  const query = request.getQuery() ?? '';
  return {
    method: request.getCaseSensitiveMethod(),
    path: request.getUrl(),
    query,
    address,
    credential: credentialOf(query, request.getHeader('authorization')),
    host: request.getHeader('host'),
    origin: request.getHeader('origin'),
    cookie: request.getHeader('cookie'),
    ifNoneMatch: request.getHeader('if-none-match'),
    upgrade: request.getHeader('upgrade'),
    connection: request.getHeader('connection'),
    headersAsked: request.getHeader('access-control-request-headers'),
  };
}

function behaviorOf(endpoint: Endpoint, isRaw: boolean, options: MountOptions): SocketBehavior {
  const { limits, app } = endpoint.options;
  const { guard, clock } = options;
  return {
    maxPayloadLength: limits.messageBytesMax,
    maxBackpressure: options.socketBytesMax,
    idleTimeout: idleSeconds,
    sendPingsAutomatically: true,
    upgrade: (response, request, context) => {
      // A request that is neither answered nor cut aborts the process.
      guard(
        () => upgrade(response, request, context, { endpoint, isRaw, options }),
        () => response.close(),
      );
    },
    open: (socket) => {
      const data = socket.getUserData();
      const connection = new SockjsSocket(socket, isRaw);
      data.connection = connection;
      guard(
        () => connection.open(app, data.credential, clock, limits.heartBeatMs),
        () => connection.close(failedCode, failed),
      );
    },
    message: (socket, message) => {
      const { connection } = socket.getUserData();
      guard(
        () => connection?.receive(new Uint8Array(message)),
        () => connection?.close(failedCode, failed),
      );
    },
    drain: (socket) => {
      const { connection } = socket.getUserData();
      guard(
        () => connection?.drained(),
        () => connection?.close(failedCode, failed),
      );
    },
    close: (socket) => guard(() => socket.getUserData().connection?.gone()),
  };
}

interface Upgrading {
  readonly endpoint: Endpoint;
  readonly isRaw: boolean;
  readonly options: MountOptions;
}

function upgrade(
  response: UpgradeOut,
  request: RequestIn,
  context: unknown,
  { endpoint, isRaw, options }: Upgrading,
): void {
  const { base, allows } = endpoint.options;
  const place = placeOf(request.getUrl().slice(base.length));
  const refusal =
    place === null
      ? '404 Not Found'
      : !allows(request.getHeader('origin'), request.getHeader('host'))
        ? '403 Forbidden'
        : endpoint.draining
          ? '503 Service Unavailable'
          : null;
  if (refusal !== null) {
    response.writeStatus(refusal);
    return void response.end();
  }
  const offered = request.getHeader('sec-websocket-protocol').split(',');
  const chosen = offered.map((name) => name.trim()).find((name) => options.subprotocols.includes(name));
  const credential = options.credentialOf(request.getQuery() ?? '', request.getHeader('authorization'));
  response.upgrade(
    { endpoint, isRaw, credential, connection: null },
    request.getHeader('sec-websocket-key'),
    chosen ?? '',
    request.getHeader('sec-websocket-extensions'),
    context,
  );
}
