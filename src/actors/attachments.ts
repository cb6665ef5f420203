// Sessions tied to an actor until they end. Belongs to the runtime, not to the actor's state: it outlives a reload.

export class Attachments {
  /** Session to user. */
  readonly users = new Map<string, string>();
  readonly #edges = new Map<string, number>();

  get empty(): boolean {
    return this.users.size === 0;
  }

  add(session: string, user: string, edge: number): void {
    this.users.set(session, user);
    this.#edges.set(session, edge);
  }

  /** @returns whether it was there. */
  remove(session: string): boolean {
    this.#edges.delete(session);
    return this.users.delete(session);
  }

  /** The edge is gone, and its sessions with it. @returns whether there were any. */
  removeEdge(edge: number): boolean {
    let found = false;
    for (const [session, its] of this.#edges) {
      if (its === edge) found = this.remove(session) || found;
    }
    return found;
  }
}
