// The way from actor to actor: within the shard, or to the shard the other one lives on.
import { Queue } from '../lib/queue.ts';
import { ToShard, type ToPeerMessage } from '../link/messages.ts';
import { placement } from './placement.ts';

/** The way to another shard. */
export interface PeerPort {
  send(message: ToPeerMessage, bytes: number): void;
  readonly full: boolean;
}

export interface PeersOptions {
  /** This shard's place, and how many there are. */
  readonly index: number;
  readonly count: number;
  /** Takes what is for an actor of this shard. */
  readonly deliver: (message: ToPeerMessage) => void;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #ports = new Map<number, PeerPort>();
  readonly #local = new Queue<ToPeerMessage>();
  #scheduled = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Whether nothing waits to be delivered here. */
  get idle(): boolean {
    return this.#local.length === 0;
  }

  add(index: number, port: PeerPort): void {
    this.#ports.set(index, port);
  }

  remove(index: number): void {
    this.#ports.delete(index);
  }

  /** What can't get there is dropped: see `Context.send`. */
  send(message: ToPeerMessage, bytes: number): void {
    const { index, count } = this.#options;
    const shard = placement(message[1], count);
    if (shard !== index) {
      const port = this.#ports.get(shard);
      // The word of a feed is small, and nothing takes its place when it was the last one.
      if (port && (!port.full || message[0] === ToShard.feed)) port.send(message, bytes);
      return;
    }
    // Not at once: the actor that sends is in the middle of its own turn.
    this.#local.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    for (let message = this.#local.shift(); message; message = this.#local.shift()) {
      this.#options.deliver(message);
    }
  }
}
