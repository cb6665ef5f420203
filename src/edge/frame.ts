// What a client says, whatever protocol it speaks: commands, frames, and the error for bytes that are none.
import type { ErrorCode } from '../errors.ts';

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

/**
 * Headers by name, in the order they came, unescaped; of a repeated header only the first is kept.
 * The strings may share memory with the frame's whole head (at most `headerBytesMax`).
 */
export interface FrameHeaders extends Iterable<readonly [name: string, value: string]> {
  get(name: string): string | undefined;
  has(name: string): boolean;
}

/** One frame of a client. */
export interface Frame {
  readonly command: ClientCommand;
  readonly headers: FrameHeaders;
  /** Valid only during the callback: it may be a view of the chunk the frame came in. */
  readonly body: Uint8Array;
}

/** Bounds of what one frame may be. A frame over one of them is a ProtocolError with code TOO_LARGE. */
export interface FrameLimits {
  /** Bytes of a whole frame, from its first to the one that ends it. */
  readonly frameBytesMax: number;
  /** Headers of a frame, repeated ones counted. */
  readonly headersMax: number;
  /** Bytes of a frame that are not its body. */
  readonly headerBytesMax: number;
}

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
