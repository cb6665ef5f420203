// What a client has not read yet, and what waits until it has.
import type { Connection } from './connection.ts';
import { Lane } from './lane.ts';

interface Wait {
  readonly bytesMax: number;
  readonly task: () => void;
}

/** A message of at least this size may be more than a client is given to leave unread, and is no sign of a slow one. */
const largeBytes = 64 * 1024;
/** Answers that are made and not delivered; more are asked for later. */
const answersAtOnceMax = 8;

export class Backlog {
  #answers: Lane | null = null;
  readonly #connection: Connection;
  /** Size of the large message that the client is reading; 0 for none. */
  #largeUnread = 0;
  #waits: Wait[] | null = null;
  /** The turn of the event loop in which the connection was last looked at. */
  #turn = -1;
  #unread = 0;
  /** What was published since. */
  #published = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The way of answers to SUBSCRIBE, each of which may be large. */
  get answers(): Lane {
    return (this.#answers ??= new Lane(answersAtOnceMax));
  }

  /** Calls the task as soon as at most so many bytes are unread: at once, or when the client has read on. */
  whenRead(bytesMax: number, task: () => void): void {
    if (this.#connection.bufferedBytes <= bytesMax) task();
    else (this.#waits ??= []).push({ bytesMax, task });
  }

  /**
   * Hands over a message of its own of that size: a large one when the last one is read, and then it does not count
   * against the client. So one of any size can be sent, and only one at a time.
   */
  handOver(bytes: number, bytesMax: number, task: () => void): void {
    if (bytes < largeBytes) return task();
    this.whenRead(bytesMax, () => {
      this.allow(bytes);
      task();
    });
  }

  /** A message of that size is about to be sent: a large one counts against the client only beside another. */
  allow(bytes: number): void {
    if (bytes >= largeBytes) this.#largeUnread = Math.max(this.#largeUnread, bytes);
  }

  /** Whether the client leaves more than so many bytes unread, without the large message it was sent. */
  isOver(bytesMax: number): boolean {
    const unread = this.#connection.bufferedBytes;
    if (unread <= bytesMax) this.#largeUnread = 0;
    return unread > bytesMax + this.#largeUnread;
  }

  /** The client has read on. */
  drained(): void {
    const waits = this.#waits;
    this.#waits = null;
    for (const { bytesMax, task } of waits ?? []) this.whenRead(bytesMax, task);
  }

  /** Nobody will read any more. */
  clear(): void {
    this.#waits = null;
  }

  /**
   * Whether more than so many bytes are unread, before `bytes` more are published; `turn` names this turn of the event
   * loop. Asking the socket costs more than a publish does, so it is asked once in a turn, and again when half the
   * bound was published meanwhile: what is unread is never far above it.
   */
  exceeds(bytesMax: number, turn: number, bytes: number): boolean {
    if (turn !== this.#turn || this.#published > bytesMax / 2) {
      this.#turn = turn;
      this.#published = 0;
      this.#unread = this.#connection.bufferedBytes;
    }
    if (this.#unread > bytesMax) return true;
    this.#published += bytes;
    return false;
  }
}
