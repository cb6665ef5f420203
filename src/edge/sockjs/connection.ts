// What SockJS carries messages for, and what it gives to it.

/** One client's connection, over whichever transport. */
export interface SockjsConnection {
  /** `websocket`, `xhr`, … */
  readonly transport: string;
  readonly address: string;
  /** Bytes that were sent and wait to be taken by the client. */
  readonly bufferedBytes: number;
  /** Sends one message of text; bytes are UTF-8. */
  send(message: string | Uint8Array): void;
  /** Sends a message that `messageFrame` has made a frame of, for those who send one to many. */
  sendFrame(frame: Uint8Array): void;
  /** Gets what is published to the group: frames of `messageFrame`. */
  join(group: string): void;
  leave(group: string): void;
  /** Sends no more heart-beats of SockJS: the messages have some of their own. */
  stopBeats(): void;
  /** Ends it after what was sent; the handler's `closed` is called before this returns. */
  close(code: number, reason: string): void;
}

/** Who takes what a connection brings. */
export interface SockjsHandler {
  message(text: string): void;
  /** The client has taken some of what was sent. */
  drained(): void;
  /** Called once, whoever ended it. Nothing may be sent any more. */
  closed(): void;
  /**
   * Whether a later request of this connection, which shows that credential, comes from whom the connection is of.
   *
   * @throws nothing, and never rejects.
   */
  admits(credential: string | null): boolean | Promise<boolean>;
}

/** What an endpoint is for. */
export interface SockjsApp {
  /** @param credential what the opening request shows; nobody has checked it. */
  open(connection: SockjsConnection, credential: string | null): SockjsHandler;
}
