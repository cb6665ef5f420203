// ShareDB with its in-memory database and pub/sub, over `ws` with the stream its documentation names, as it comes.
import { accepts, load, ready } from './peer.ts';

interface Socket {
  close(code: number): void;
}
interface Server {
  on(event: 'connection', listener: (socket: Socket, request: { readonly url: string }) => void): void;
  on(event: 'listening', listener: () => void): void;
  address(): { port: number };
}
interface Backend {
  listen(stream: unknown): void;
}
const { WebSocketServer } = load('ws') as {
  WebSocketServer: new (options: { host: string; port: number; perMessageDeflate: boolean }) => Server;
};
const JsonStream = load('@teamwork/websocket-json-stream') as new (socket: Socket) => object;
const ShareDb = load('sharedb') as {
  new (): Backend;
  readonly types: { register(type: unknown): void };
};
const { type } = load('ot-text') as { type: unknown };

ShareDb.types.register(type);
const backend = new ShareDb();

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket, request) => {
  const token = new URL(request.url, 'http://127.0.0.1').searchParams.get('token') ?? '';
  if (accepts(token)) {
    backend.listen(new JsonStream(socket));
  } else {
    socket.close(1008);
  }
});
server.on('listening', () => ready(server.address().port));
