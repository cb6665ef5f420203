// What a session needs of its transport.

/** `plain` as they are, `sockjs` as text within a frame of SockJS. */
export type Encoding = 'plain' | 'sockjs';

/** One client's connection. Nothing may be called after it has closed. */
export interface Connection {
  /** For the log. */
  readonly address: string;
  /** For the log: what carries the frames. */
  readonly transport: string;
  /** How frames are written that are published to groups it joins. */
  readonly encoding: Encoding;
  /** Bytes handed over and not yet taken by the client's side. */
  readonly bufferedBytes: number;
  /** Sends one frame as one message of text or of bytes; where there is only text, it must be that. */
  send(frame: Uint8Array, isText: boolean): void;
  /**
   * Sends one frame in the order of all others, and in one packet with what is published to this connection in
   * the same turn of the event loop: a sender's RECEIPT leaves with its own message.
   */
  sendGathered(frame: Uint8Array, isText: boolean): void;
  /** Becomes a receiver of what is published to the group. */
  join(group: string): void;
  leave(group: string): void;
  /** The session sends heart-beats from now on: the transport need not send its own. */
  takeOverBeats(): void;
  /** Ends the connection after what was sent, with a WebSocket close code. */
  close(code: number, reason: string): void;
}

/** Reaches all connections of a group at once. */
export interface Groups {
  publish(group: string, frame: Uint8Array, isText: boolean): void;
}

/** WebSocket close codes the server uses. */
export const CloseCode = {
  normal: 1000,
  /** A frame broke the protocol. */
  protocol: 1002,
  /** No valid token, or no longer. */
  unauthorized: 1008,
  fault: 1011,
  /** The server drains: connect again. */
  restart: 1012,
  /** Not now: connect again later. */
  later: 1013,
  /** Too slow a reader: connect again and resume. */
  tooSlow: 4008,
  /** No first frame in time. */
  noFirstFrame: 4500,
} as const;
