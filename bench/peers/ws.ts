// The `ws` package with the usual loop over a room's clients.
import { roomBytes } from '../protocols/raw.ts';
import { stampBytes } from '../lib/stamp.ts';
import { accepts, load, ready } from './peer.ts';

interface Socket {
  send(data: Buffer | string, options: { binary: boolean }): void;
  close(code: number): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
  on(event: 'close', listener: () => void): void;
}
interface Server {
  on(event: 'connection', listener: (socket: Socket) => void): void;
  on(event: 'listening', listener: () => void): void;
  address(): { port: number };
}
const { WebSocketServer } = load('ws') as {
  WebSocketServer: new (options: { host: string; port: number; perMessageDeflate: boolean }) => Server;
};

const text = { binary: false };
const rooms = new Map<string, Set<Socket>>();

function join(room: string, socket: Socket): void {
  const members = rooms.get(room) ?? new Set();
  rooms.set(room, members.add(socket));
  socket.on('close', () => members.delete(socket));
  socket.send('+', text);
}

function publish(message: Buffer, sender: Socket): void {
  for (const member of rooms.get(message.toString('latin1', 1, 1 + roomBytes)) ?? []) {
    member.send(message, text);
  }
  if (message[0] === 0x4d) {
    sender.send(`r${message.toString('latin1', 1 + roomBytes, 1 + roomBytes + stampBytes)}`, text);
  }
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => {
  let signedIn = false;
  socket.on('message', (message) => {
    if (!signedIn) {
      signedIn = accepts(message.toString('latin1', 1));
      if (signedIn) {
        socket.send('@', text);
      } else {
        socket.close(1008);
      }
    } else if (message[0] === 0x2b) {
      join(message.toString('latin1', 1), socket);
    } else {
      publish(message, socket);
    }
  });
});
server.on('listening', () => ready(server.address().port));
