// What joins a shard with the edges and with the other shards.
import type { Shard } from './actors/shard.ts';
import { Link, type LinkEnd } from './link/link.ts';
import type { ToEdgeMessage, ToPeerMessage, ToShardMessage } from './link/messages.ts';

export class ShardLinks {
  readonly #shard: Shard;
  readonly #edges = new Map<number, Link<ToEdgeMessage, ToShardMessage>>();
  readonly #peers = new Map<number, Link<ToPeerMessage, ToPeerMessage>>();
  #edgeCount = 0;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Whether nothing waits to cross. */
  get empty(): boolean {
    return [...this.#edges.values(), ...this.#peers.values()].every((link) => link.empty);
  }

  connectEdge(end: LinkEnd): void {
    // Not its index: what is still on its way to an edge that died must not reach the one that follows it.
    const edge = this.#edgeCount;
    this.#edgeCount += 1;
    const link: Link<ToEdgeMessage, ToShardMessage> = new Link(
      end,
      (message) => this.#shard.receive(edge, message),
      () => {
        this.#edges.delete(edge);
        this.#shard.removeEdge(edge);
      },
    );
    this.#edges.set(edge, link);
    this.#shard.addEdge(edge, link);
  }

  /** @param index the other shard's; one that had it before is gone. */
  connectPeer(index: number, end: LinkEnd): void {
    this.#peers.get(index)?.close();
    const link: Link<ToPeerMessage, ToPeerMessage> = new Link(
      end,
      (message) => this.#shard.receiveFromPeer(message),
      () => {
        if (this.#peers.get(index) !== link) return;
        this.#peers.delete(index);
        this.#shard.removePeer(index);
      },
    );
    this.#peers.set(index, link);
    this.#shard.addPeer(index, link);
  }

  close(): void {
    for (const link of [...this.#edges.values(), ...this.#peers.values()]) link.close();
  }
}
