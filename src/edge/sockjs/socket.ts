// A connection over WebSocket, with the frames of SockJS or, where programs connect, without.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { SockjsApp, SockjsConnection, SockjsHandler } from './connection.ts';
import { beatFrame, closeFrame, decodeMessages, messageFrame, openFrame, quotedIn } from './frames.ts';

/** What is used of the transport's socket. */
export interface SocketOut {
  send(message: Uint8Array, isBinary: boolean): unknown;
  end(code: number, reason: string): unknown;
  subscribe(group: string): unknown;
  unsubscribe(group: string): unknown;
  getBufferedAmount(): number;
  getRemoteAddressAsText(): ArrayBuffer;
}

const brokenCode = 1007;

export class SockjsSocket implements SockjsConnection {
  readonly transport = 'websocket';
  readonly address: string;
  readonly #isRaw: boolean;
  #socket: SocketOut | null;
  #handler: SockjsHandler | null = null;
  #beat: Timer | null = null;

  /** @param isRaw messages are sent and taken as they are. */
  constructor(socket: SocketOut, isRaw: boolean) {
    this.#socket = socket;
    this.#isRaw = isRaw;
    this.address = Buffer.from(socket.getRemoteAddressAsText()).toString();
  }

  get bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  open(app: SockjsApp, credential: string | null, clock: Clock, heartBeatMs: number): void {
    if (!this.#isRaw) {
      this.#write(openFrame);
      this.#beat = clock.every(heartBeatMs, () => this.#write(beatFrame));
    }
    const handler = app.open(this, credential);
    this.#handler = handler;
    // It may have been closed by what it was opened for.
    if (!this.#socket) handler.closed();
  }

  /** A message came; its bytes may be used again after the call. */
  receive(bytes: Uint8Array): void {
    if (this.#isRaw) return this.#handler?.message(Buffer.from(bytes).toString());
    if (bytes.length === 0) return;
    const decoded = decodeMessages(bytes);
    if ('defect' in decoded) return void this.#socket?.end(brokenCode, 'Broken JSON encoding.');
    for (const message of decoded.messages) {
      if (!this.#socket) return;
      this.#handler?.message(message);
    }
  }

  drained(): void {
    this.#handler?.drained();
  }

  /** The socket is gone, whoever ended it. */
  gone(): void {
    this.#socket = null;
    this.#beat?.cancel();
    this.#handler?.closed();
  }

  send(message: string | Uint8Array): void {
    if (!this.#isRaw) return this.#write(messageFrame(message));
    this.#write(typeof message === 'string' ? Buffer.from(message) : message);
  }

  sendFrame(frame: Uint8Array): void {
    if (!this.#isRaw) return this.#write(frame);
    this.#write(Buffer.from(JSON.parse(Buffer.from(quotedIn(frame)).toString()) as string));
  }

  join(group: string): void {
    this.#socket?.subscribe(group);
  }

  leave(group: string): void {
    this.#socket?.unsubscribe(group);
  }

  stopBeats(): void {
    this.#beat?.cancel();
  }

  close(code: number, reason: string): void {
    if (!this.#isRaw) this.#write(closeFrame(code, reason));
    // `end` tells that it is gone before it returns.
    this.#socket?.end(code, reason);
  }

  #write(frame: Uint8Array): void {
    this.#socket?.send(frame, false);
  }
}
