// The words of STOMP 1.0, 1.1 and 1.2 that parser and encoder share: versions, commands, a frame, and the
// error for bytes that break the protocol.
import type { ErrorCode } from '../../errors.ts';

export type StompVersion = '1.0' | '1.1' | '1.2';

/** Everything a client may say. */
export const CLIENT_COMMANDS = [
  'CONNECT',
  'STOMP',
  'SEND',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'ACK',
  'NACK',
  'BEGIN',
  'COMMIT',
  'ABORT',
  'DISCONNECT',
] as const;

export type ClientCommand = (typeof CLIENT_COMMANDS)[number];

export type ServerCommand = 'CONNECTED' | 'MESSAGE' | 'RECEIPT' | 'ERROR';

/**
 * Headers by name, in the order they came, unescaped; of a repeated header only the first is kept.
 * The strings may share memory with the frame's whole head (at most `headerBytesMax`).
 */
export type FrameHeaders = ReadonlyMap<string, string>;

/** One frame of a client. */
export interface Frame {
  readonly command: ClientCommand;
  readonly headers: FrameHeaders;
  /** Valid only during the callback: it may be a view of the chunk the frame came in. */
  readonly body: Uint8Array;
}

/** A header as it is handed to the encoder: name and value, not escaped. */
export type Header = readonly [name: string, value: string];

/**
 * A frame that breaks the protocol: the session answers with ERROR and closes. The message is shown to the
 * client, so it holds nothing but what the client sent and what the protocol says.
 */
export class ProtocolError extends Error {
  readonly code: Extract<ErrorCode, 'BAD_REQUEST' | 'TOO_LARGE'>;

  constructor(code: ProtocolError['code'], message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
  }
}
