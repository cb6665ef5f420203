// stomp-broker-js: a STOMP broker on Node, as it comes.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accepts, load, ready } from './peer.ts';

interface Broker {
  addMiddleware(
    command: 'connect',
    check: (socket: unknown, details: { headers: Record<string, string> }, next: () => boolean) => boolean,
  ): void;
}
const StompServer = load('stomp-broker-js') as new (options: object) => Broker;

const http = createServer();
const broker = new StompServer({ server: http, path: '/ws', heartbeat: [0, 0] });
broker.addMiddleware('connect', (_socket, details, next) => {
  const token = (details.headers['Authorization'] ?? '').replace('Bearer ', '');
  return accepts(token) ? next() : false;
});
http.listen(0, '127.0.0.1', () => ready((http.address() as AddressInfo).port));
