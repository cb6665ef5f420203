// The two halves of a protocol that clients speak. A conversation reads what one client says and settles how it is
// spoken to; a dialect writes what the server says, alike for all sessions that have it.
import type { Recovered } from '../link/messages.ts';
import type { Delivery } from './delivery.ts';
import type { Frame } from './frame.ts';

/** What CONNECT asks for. */
export interface Introduction {
  /** The client can send something this often, and wants to hear something this often; 0 for never. */
  readonly canSendMs: number;
  readonly wantsMs: number;
  /** The token it carries, if any. */
  readonly token: string | null;
}

/** One client's side. */
export interface Conversation {
  /** How the client is spoken to; another one may follow its CONNECT. */
  readonly dialect: Dialect;
  /**
   * Takes what one WebSocket message holds and calls `onFrame` for each frame that is whole, in order; heart-beats pass
   * in silence. Nothing of `chunk` is kept after the call. `onFrame` must not call `push`.
   *
   * @param isText whether it came as text, and so is known to be UTF-8; of `onFrame` the same of the frame's body.
   * @throws ProtocolError for what breaks the protocol, after the frames before that were handed over; also whatever
   *   `onFrame` throws. What comes after a throw is ignored.
   */
  push(chunk: Uint8Array, isText: boolean, onFrame: (frame: Frame, isText: boolean) => void): void;
  /**
   * Settles the version, for what comes later too.
   *
   * @throws ProtocolError when there is no common one.
   */
  introduce(connect: Frame): Introduction;
}

/** What one subscription alone is told beside a message. */
export interface Own {
  /** What acknowledges it; null where nothing is acknowledged. */
  readonly ack: string | null;
  readonly recovered: Recovered;
  readonly redelivered: boolean;
}

/** To whom a message goes. */
export interface Addressee {
  /** Of the subscription, as its client chose it. */
  readonly id: string;
  /** Whether it is of a pattern, so that only the message can tell its destination. */
  readonly isPattern: boolean;
}

export interface Connected {
  readonly session: string;
  readonly user: string;
  readonly heartBeatMs: number;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly detail: string;
  readonly receipt: string | null;
}

export interface Dialect {
  /** For the log. */
  readonly name: string;
  /** Tells it from all others: subscriptions of one key can share frames. */
  readonly key: string;
  /** Whether frames go out as text, where what is in them is text. */
  readonly isText: boolean;
  /** Whether a subscription may go without an id, and its destination stands for it. */
  readonly idsAreOptional: boolean;
  /** The dialect that writes messages whose body is text: the same but where bytes need care. */
  readonly ofText: Dialect;
  readonly heartBeat: Uint8Array;
  connected(connected: Connected): Uint8Array;
  receipt(receipt: string): Uint8Array;
  failure(failure: Failure): Uint8Array;
  /** What all frames of the message have in common. */
  block(delivery: Delivery): Uint8Array;
  /** The whole frame. @param block as this dialect has made it of the delivery. */
  message(block: Uint8Array, delivery: Delivery, to: Addressee, own: Own | null): Uint8Array;
}
