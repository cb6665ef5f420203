// Raw uWebSockets.js publish/subscribe: the limit of what one thread of this machine can do.
import uWS from 'uWebSockets.js';
import { roomBytes } from '../protocols/raw.ts';
import { stampBytes } from '../lib/stamp.ts';
import { accepts, ready } from './peer.ts';

interface Connection {
  signedIn: boolean;
}

const app = uWS.App();

app.ws<Connection>('/*', {
  maxPayloadLength: 64 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  upgrade: (response, request, context) => {
    response.upgrade<Connection>(
      { signedIn: false },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  message: (socket, data) => {
    const message = Buffer.from(data);
    const kind = message[0];
    const connection = socket.getUserData();
    if (!connection.signedIn) {
      connection.signedIn = accepts(message.toString('latin1', 1));
      if (connection.signedIn) {
        socket.send('@');
      } else {
        socket.end(1008);
      }
    } else if (kind === 0x2b) {
      socket.subscribe(message.toString('latin1', 1));
      socket.send('+');
    } else {
      app.publish(message.toString('latin1', 1, 1 + roomBytes), data, false, false);
      if (kind === 0x4d) {
        socket.send(`r${message.toString('latin1', 1 + roomBytes, 1 + roomBytes + stampBytes)}`);
      }
    }
  },
});

app.listen('127.0.0.1', 0, (socket) => {
  if (socket === false) {
    throw new Error('no free port');
  }
  ready(uWS.us_socket_local_port(socket));
});
