// Which edges have live subscriptions of an actor's destinations, and how many. Belongs to the runtime, not to the
// actor's state: it outlives a reload.

export class Subscribers {
  // Made with the first, as most actors have none.
  #edgesByDestination: Map<string, Map<number, number>> | null = null;
  /** Edges that are still owed what they missed: before that, nothing newer may reach them. */
  #rejoining: Map<string, Set<number>> | null = null;

  get empty(): boolean {
    return !this.#edgesByDestination?.size;
  }

  has(destination: string): boolean {
    return this.#edgesByDestination?.has(destination) === true;
  }

  add(destination: string, edge: number, count: number): void {
    if (count <= 0) return;
    const all = (this.#edgesByDestination ??= new Map<string, Map<number, number>>());
    let edges = all.get(destination);
    if (!edges) all.set(destination, (edges = new Map()));
    edges.set(edge, (edges.get(edge) ?? 0) + count);
  }

  /** As `add`, for an edge that is owed earlier messages: it is left out of `edges` until `rejoined`. */
  rejoin(destination: string, edge: number, count: number): void {
    this.add(destination, edge, count);
    const all = (this.#rejoining ??= new Map<string, Set<number>>());
    const edges = all.get(destination);
    if (edges) edges.add(edge);
    else all.set(destination, new Set([edge]));
  }

  rejoined(destination: string, edge: number): void {
    const edges = this.#rejoining?.get(destination);
    edges?.delete(edge);
    if (edges?.size === 0) this.#rejoining?.delete(destination);
  }

  isRejoining(destination: string, edge: number): boolean {
    return this.#rejoining?.get(destination)?.has(edge) === true;
  }

  remove(destination: string, edge: number): void {
    const edges = this.#edgesByDestination?.get(destination);
    const count = edges?.get(edge);
    if (!edges || count === undefined) return;
    if (count > 1) edges.set(edge, count - 1);
    else edges.delete(edge);
    if (edges.size === 0) this.#edgesByDestination?.delete(destination);
  }

  removeEdge(edge: number): void {
    for (const [destination, edges] of this.#edgesByDestination ?? []) {
      edges.delete(edge);
      if (edges.size === 0) this.#edgesByDestination?.delete(destination);
    }
    for (const destination of this.#rejoining?.keys() ?? []) this.rejoined(destination, edge);
  }

  edges(destination: string): Iterable<number> {
    const edges = this.#edgesByDestination?.get(destination)?.keys() ?? [];
    const rejoining = this.#rejoining?.get(destination);
    return rejoining ? [...edges].filter((edge) => !rejoining.has(edge)) : edges;
  }
}
