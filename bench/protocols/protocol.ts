// What the load needs to speak to a target: five things to say, and one reader of what comes back.

/** The load's side of one connection, as a protocol sees it. */
export interface Peer {
  /** The token to sign in with. */
  readonly token: string;
  /** Sends one message, of text or of bytes. */
  write(message: string | Uint8Array): void;
  /** The server has accepted the sign-in. */
  signedIn(): void;
  /** The server has answered one subscription, or the farewell. */
  confirmed(): void;
  /** A room's message arrived. */
  delivered(stampUs: number): void;
  /** The server answered for a message of this connection: for Stagewire, it is durable. */
  receipted(stampUs: number): void;
  /** The server said no. */
  refused(reason: string): void;
}

export interface Outgoing {
  readonly room: string;
  /** When the message was due, in whole microseconds since the run began. */
  readonly stampUs: number;
  /** Whether the server is asked to answer for it. */
  readonly receipt: boolean;
}

/** One object serves all connections of a load process, so it keeps no state of any one of them. */
export interface Protocol {
  readonly requestTarget: string;
  readonly subprotocol: string | undefined;
  /** Whether a sender that subscribes to the room gets its own messages. */
  readonly echoes: boolean;
  /** The WebSocket is open: sign in, unless the server speaks first. */
  open(peer: Peer): void;
  /** Subscribes to `rooms`; returns how many times `peer.confirmed` will be called. */
  subscribe(peer: Peer, rooms: readonly string[], sends: boolean): number;
  send(peer: Peer, message: Outgoing): void;
  /** Says goodbye; returns how many times `peer.confirmed` will be called before the socket may close. */
  leave(peer: Peer): number;
  /** Reads the message `bytes[start, end)`. */
  read(bytes: Buffer, start: number, end: number, peer: Peer): void;
}

/** The text of `bytes[start, end)`, cut to a length fit for an error line. */
export function excerpt(bytes: Buffer, start: number, end: number): string {
  return JSON.stringify(bytes.toString('utf8', start, Math.min(end, start + 300)));
}
