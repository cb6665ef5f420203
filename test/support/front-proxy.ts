// A proxy in front of a server, as most have one: it speaks HTTP/1.0 too, which uWebSockets.js does not, and ends each
// chunk of a response at once, where uWebSockets.js sends the line end of a chunk with the next one.
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** @returns the port it listens on, on 127.0.0.1. */
export function startFrontProxy(port: number, serverPort: number): Promise<number> {
  const server = createServer((request, response) => forward(request, response, serverPort));
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    forwardSocket(request, socket, head, serverPort),
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function forward(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url: path, headers } = request;
  const asked = ask({ port, host: '127.0.0.1', method, path, headers, agent: false }, (answer) => {
    const { connection: _connection, 'transfer-encoding': _encoding, ...rest } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, rest);
    response.flushHeaders();
    answer.on('data', (chunk) => response.write(chunk));
    answer.on('end', () => response.end());
    answer.on('error', () => response.destroy());
  });
  asked.on('error', () => response.destroy());
  response.on('close', () => asked.destroy());
  request.pipe(asked);
}

function forwardSocket(request: IncomingMessage, socket: Socket, head: Buffer, port: number): void {
  const { method, url, rawHeaders } = request;
  const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
    const lines = [`${method} ${url} HTTP/1.1`];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
    }
    server.write(`${lines.join('\r\n')}\r\n\r\n`);
    server.write(head);
    socket.pipe(server).pipe(socket);
  });
  // Each way ends by itself: a client answers the close frame after the server has said its last.
  for (const [one, other] of [
    [socket, server],
    [server, socket],
  ] as const) {
    one.on('error', () => other.destroy());
  }
}
