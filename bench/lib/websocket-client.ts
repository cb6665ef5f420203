// A WebSocket client made to be cheaper than any server: one shared read buffer, no streams, no events per frame.
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { encodeClose, encodeMessage, encodePong, FrameReader } from './websocket-frames.ts';

// All sockets read into the same memory: a chunk is used up before the next one is read.
const readBuffer = Buffer.allocUnsafe(256 * 1024);
const upgradeBytesMax = 16 * 1024;

// One key and one mask for all connections of a process. Both guard browsers against hostile pages and proxies
// in the path, which are not here; servers treat them like any other.
const key = randomBytes(16).toString('base64');
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const mask = randomBytes(4);

export interface WebSocketListener {
  /** The upgrade was accepted. */
  opened(): void;
  /** A whole message: `bytes[start, end)`, valid only during the call. */
  message(bytes: Buffer, start: number, end: number): void;
  /** The connection is gone, for whatever reason. Comes exactly once. */
  closed(reason: string): void;
}

export interface WebSocketTarget {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Path and query of the upgrade request. */
  readonly requestTarget: string;
  readonly subprotocol: string | undefined;
  /** Where it connects from; the system's choice when left out. */
  readonly localAddress?: string;
}

export class WebSocketClient {
  readonly #listener: WebSocketListener;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  #head: Buffer | undefined = Buffer.alloc(0);
  #reason = 'the connection ended';

  /** Connects at once; `listener` hears of the outcome. */
  constructor(target: WebSocketTarget, listener: WebSocketListener) {
    this.#listener = listener;
    this.#socket = connect({
      host: '127.0.0.1',
      port: target.port,
      ...(target.localAddress === undefined ? {} : { localAddress: target.localAddress }),
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#read(readBuffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.once('connect', () => this.#socket.write(upgradeRequest(target)));
    this.#socket.once('error', (error) => (this.#reason = error.message));
    this.#socket.once('end', () => this.#socket.end());
    this.#socket.once('close', () => listener.closed(this.#reason));
  }

  /** Sends one message, of text or of bytes. */
  send(message: string | Uint8Array): void {
    this.#socket.write(encodeMessage(message, mask));
  }

  /** Sends everything handed to `send` during `task` in one write. */
  together(task: () => void): void {
    this.#socket.cork();
    task();
    this.#socket.uncork();
  }

  /** Starts the closing handshake. */
  close(): void {
    this.#reason = 'closed by the client';
    this.#socket.write(encodeClose(1000, mask));
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** An answer to a ping. Part of the frame listener. */
  ping(payload: Buffer): void {
    this.#socket.write(encodePong(payload, mask));
  }

  /** The server's close frame. Part of the frame listener. */
  closing(code: number): void {
    if (this.#reason !== 'closed by the client') {
      this.#reason = `the server closed with code ${code}`;
      this.#socket.write(encodeClose(1000, mask));
    }
    this.#socket.end();
  }

  /** A whole message. Part of the frame listener. */
  message(bytes: Buffer, start: number, end: number): void {
    this.#listener.message(bytes, start, end);
  }

  #read(chunk: Buffer): void {
    try {
      const frames = this.#head === undefined ? chunk : this.#upgraded(this.#head, chunk);
      if (frames !== undefined && frames.length > 0) {
        this.#frames.read(frames, this);
      }
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      this.#socket.destroy();
    }
  }

  /** What follows the upgrade response, or nothing while that is incomplete. */
  #upgraded(head: Buffer, chunk: Buffer): Buffer | undefined {
    const received = Buffer.concat([head, chunk]);
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) {
      if (received.length > upgradeBytesMax) {
        throw new Error('the upgrade response has no end');
      }
      this.#head = received;
      return undefined;
    }
    const response = received.toString('latin1', 0, end);
    if (!response.startsWith('HTTP/1.1 101 ') || !response.includes(accept)) {
      throw new Error(`the upgrade was refused: ${response.split('\r\n', 1)[0] ?? ''}`);
    }
    this.#head = undefined;
    this.#listener.opened();
    return received.subarray(end + 4);
  }
}

function upgradeRequest(target: WebSocketTarget): string {
  const lines = [
    `GET ${target.requestTarget} HTTP/1.1`,
    `Host: 127.0.0.1:${target.port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
  ];
  if (target.subprotocol !== undefined) {
    lines.push(`Sec-WebSocket-Protocol: ${target.subprotocol}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
