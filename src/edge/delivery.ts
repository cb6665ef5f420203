// A message on its way to subscribers: what is the same for all of them is encoded at most once per dialect.
import type { StreamMessage } from '../link/messages.ts';
import type { Addressee, Dialect, Own } from './dialect.ts';

/**
 * Null for a message of a stream, which its epoch and seq name for good; the number of a volatile one, which is never
 * used again on its edge; else the name it has.
 */
export type MessageId = string | number | null;

export class Delivery {
  /** The destination as its subscribers know it. */
  readonly destination: string;
  /** Null where nothing is kept. */
  readonly epoch: string | null;
  readonly message: StreamMessage;
  readonly id: MessageId;
  // Nearly always there is one dialect only, which needs no map.
  #dialect: Dialect | null = null;
  #block: Uint8Array | null = null;
  #others: Map<Dialect, Uint8Array> | null = null;

  constructor(destination: string, epoch: string | null, message: StreamMessage, id: MessageId) {
    this.destination = destination;
    this.epoch = epoch;
    this.message = message;
    this.id = id;
  }

  /** Whether it is of a queue: its name stays, however often it is delivered. */
  get isQueued(): boolean {
    return typeof this.id === 'string' && this.epoch === null;
  }

  frame(dialect: Dialect, to: Addressee, own: Own | null): Uint8Array {
    const writer = this.message[3] ? dialect.ofText : dialect;
    return writer.message(this.#blockOf(writer), this, to, own);
  }

  #blockOf(dialect: Dialect): Uint8Array {
    if (this.#dialect === dialect) return this.#block as Uint8Array;
    const made = this.#others?.get(dialect) ?? dialect.block(this);
    if (this.#dialect === null) {
      this.#dialect = dialect;
      this.#block = made;
    } else (this.#others ??= new Map()).set(dialect, made);
    return made;
  }
}
