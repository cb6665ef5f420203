// A client's connection over WebSocket, with frames as they are.
import type { Connection, Groups } from './connection.ts';
import type { EdgeCounts } from './edge-metrics.ts';

/** What is used of the transport's socket. */
export interface StompSocket {
  send(frame: Uint8Array, isBinary: boolean): unknown;
  end(code: number, reason: string): unknown;
  subscribe(group: string): unknown;
  unsubscribe(group: string): unknown;
  getBufferedAmount(): number;
  getRemoteAddressAsText(): ArrayBuffer;
}

export class SocketConnection implements Connection {
  readonly address: string;
  readonly encoding = 'plain';
  readonly transport = 'websocket';
  readonly #groups: Groups;
  readonly #own: string;
  readonly #counts: EdgeCounts;
  #socket: StompSocket | null;

  /** @param own name of a group that this connection is alone in. */
  constructor(socket: StompSocket, groups: Groups, own: string, counts: EdgeCounts) {
    this.#socket = socket;
    this.#counts = counts;
    this.#groups = groups;
    this.#own = own;
    socket.subscribe(own);
    this.address = Buffer.from(socket.getRemoteAddressAsText()).toString();
  }

  get bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send(frame: Uint8Array, isText: boolean): void {
    this.#socket?.send(frame, !isText);
    this.#count(frame);
  }

  sendGathered(frame: Uint8Array, isText: boolean): void {
    // Only what is published is written together, so the socket has a group to itself.
    if (this.#socket) this.#groups.publish(this.#own, frame, isText);
    this.#count(frame);
  }

  join(group: string): void {
    this.#socket?.subscribe(group);
  }

  leave(group: string): void {
    this.#socket?.unsubscribe(group);
  }

  takeOverBeats(): void {
    // A WebSocket has none that the client would see.
  }

  close(code: number, reason: string): void {
    // `end` calls the close handler before it returns.
    this.#socket?.end(code, reason);
  }

  gone(): void {
    this.#socket = null;
  }

  #count(frame: Uint8Array): void {
    this.#counts.framesOut.add();
    this.#counts.bytesOut.add(frame.length);
  }
}
