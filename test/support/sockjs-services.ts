// The services that test suites of the SockJS protocol expect, on the layer alone: `node sockjs-services.js PORT`.
import uWS from 'uWebSockets.js';
import { systemClock } from '../../src/lib/clock.ts';
import type { SockjsApp } from '../../src/edge/sockjs/connection.ts';
import { Door } from '../../src/edge/sockjs/door.ts';
import { Endpoint, type EndpointOptions } from '../../src/edge/sockjs/endpoint.ts';
import { HttpGroups } from '../../src/edge/sockjs/http-groups.ts';
import { startFrontProxy } from './front-proxy.ts';
import { handleRequest, mountSockets, type MountOptions } from '../../src/edge/sockjs/mount.ts';

const echo: SockjsApp = {
  open: (connection) => ({
    message: (text) => connection.send(text),
    drained: () => undefined,
    closed: () => undefined,
    admits: () => true,
  }),
};

/** Some clients of the suites read in a thread that starts with the handshake, and lose what comes together with it. */
const handshakeMs = 50;

const close: SockjsApp = {
  open: (connection) => {
    const goAway = (): void => connection.close(3000, 'Go away!');
    if (connection.transport === 'websocket') setTimeout(goAway, handshakeMs);
    else goAway();
    return {
      message: () => undefined,
      drained: () => undefined,
      closed: () => undefined,
      admits: () => true,
    };
  },
};

const groups = new HttpGroups();
const shared: Omit<EndpointOptions, 'base' | 'app'> = {
  clock: systemClock,
  groups,
  allows: () => true,
  frames: 'all',
  clientUrl: 'https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js',
  hasWebSocket: true,
  newCookie: null,
  limits: {
    heartBeatMs: 25_000,
    disconnectDelayMs: 5_000,
    responseBytesMax: 4_096,
    messageBytesMax: 1024 * 1024,
    unreadBytesMax: 4 * 1024 * 1024,
    sessionsMax: 10_000,
  },
};

const fail = (thrown: unknown): void => void process.stderr.write(`${String(thrown)}\n`);

const endpoints = [
  new Endpoint({ ...shared, base: '/echo', app: echo }),
  new Endpoint({ ...shared, base: '/disabled_websocket_echo', app: echo, hasWebSocket: false }),
  new Endpoint({ ...shared, base: '/cookie_needed_echo', app: echo, newCookie: () => 'dummy' }),
  new Endpoint({ ...shared, base: '/close', app: close }),
];
const door = new Door(endpoints, { bodiesBytesMax: 4 * 1024 * 1024, onFault: fail });

const options: MountOptions = {
  clock: systemClock,
  credentialOf: () => null,
  guard: (task, giveUp) => {
    try {
      task();
    } catch (thrown) {
      fail(thrown);
      giveUp?.();
    }
  },
  onStatus: () => undefined,
  raw: true,
  subprotocols: [],
  socketBytesMax: 4 * 1024 * 1024,
};

const app = uWS.App();
mountSockets(app, door, options);
app.any('/*', (response, request) => {
  options.guard(
    () => {
      if (handleRequest(door, response, request, options)) return;
      response.writeStatus('404 Not Found').end('Not found\n');
    },
    () => response.close(),
  );
});
app.listen('127.0.0.1', 0, (socket) => {
  if (!socket) throw new Error('no port can be had');
  const port = uWS.us_socket_local_port(socket);
  void startFrontProxy(Number(process.argv[2] ?? 8081), port).then((frontPort) => {
    process.stdout.write(`listening on http://127.0.0.1:${frontPort}, without the proxy on ${port}\n`);
  });
});
