// socket.io with rooms, WebSocket transport only, compression off.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accepts, load, ready } from './peer.ts';

interface Socket {
  readonly handshake: { readonly auth: { readonly token?: string } };
  join(room: string): void;
  on(event: 'join', listener: (room: string, answer: () => void) => void): void;
  on(event: 'm', listener: (room: string, content: string, answer?: () => void) => void): void;
}
interface Server {
  use(check: (socket: Socket, next: (error?: Error) => void) => void): void;
  on(event: 'connection', listener: (socket: Socket) => void): void;
  to(room: string): { emit(event: 'm', content: string): void };
}
const { Server: SocketIoServer } = load('socket.io') as {
  Server: new (http: ReturnType<typeof createServer>, options: object) => Server;
};

const http = createServer();
const server = new SocketIoServer(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
});
server.use((socket, next) => {
  next(accepts(socket.handshake.auth.token ?? '') ? undefined : new Error('UNAUTHORIZED'));
});
server.on('connection', (socket) => {
  socket.on('join', (room, answer) => {
    socket.join(room);
    answer();
  });
  socket.on('m', (room, content, answer) => {
    server.to(room).emit('m', content);
    answer?.();
  });
});
http.listen(0, '127.0.0.1', () => ready((http.address() as AddressInfo).port));
