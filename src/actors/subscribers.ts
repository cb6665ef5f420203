// Which edges have live subscriptions of an actor's destinations, and how many. Belongs to the runtime, not to the
// actor's state: it outlives a reload.

export class Subscribers {
  readonly #edgesByDestination = new Map<string, Map<number, number>>();

  get empty(): boolean {
    return this.#edgesByDestination.size === 0;
  }

  add(destination: string, edge: number, count: number): void {
    if (count <= 0) return;
    let edges = this.#edgesByDestination.get(destination);
    if (!edges) this.#edgesByDestination.set(destination, (edges = new Map()));
    edges.set(edge, (edges.get(edge) ?? 0) + count);
  }

  remove(destination: string, edge: number): void {
    const edges = this.#edgesByDestination.get(destination);
    const count = edges?.get(edge);
    if (!edges || count === undefined) return;
    if (count > 1) edges.set(edge, count - 1);
    else edges.delete(edge);
    if (edges.size === 0) this.#edgesByDestination.delete(destination);
  }

  removeEdge(edge: number): void {
    for (const [destination, edges] of this.#edgesByDestination) {
      edges.delete(edge);
      if (edges.size === 0) this.#edgesByDestination.delete(destination);
    }
  }

  edges(destination: string): Iterable<number> {
    return this.#edgesByDestination.get(destination)?.keys() ?? [];
  }
}
