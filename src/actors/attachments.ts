// Sessions tied to an actor until they end. Belongs to the runtime, not to the actor's state: it outlives a reload.

import type { Attached } from './actor.ts';

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

  /** @returns what was tied, or null when nothing was. */
  remove(session: string): Attached | null {
    const user = this.users.get(session);
    this.#edges.delete(session);
    this.users.delete(session);
    return user === undefined ? null : { session, user };
  }

  /** The edge is gone, and its sessions with it. */
  removeEdge(edge: number): Attached[] {
    const its = [...this.#edges].filter(([, one]) => one === edge);
    return its.flatMap(([session]) => this.remove(session) ?? []);
  }
}
