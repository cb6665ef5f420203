// Sessions tied to an actor until they end. Belongs to the runtime, not to the actor's state: it outlives a reload.
import type { Attached } from './actor.ts';

export class Attachments {
  // One map alone: there may be as many of these as users are online.
  readonly #sessions = new Map<string, { readonly user: string; readonly edge: number }>();

  get empty(): boolean {
    return this.#sessions.size === 0;
  }

  /** Session to user. */
  users(): Map<string, string> {
    return new Map([...this.#sessions].map(([session, { user }]) => [session, user]));
  }

  add(session: string, user: string, edge: number): void {
    this.#sessions.set(session, { user, edge });
  }

  /** @returns what was tied, or null when nothing was. */
  remove(session: string): Attached | null {
    const user = this.#sessions.get(session)?.user;
    this.#sessions.delete(session);
    return user === undefined ? null : { session, user };
  }

  /** The edge is gone, and its sessions with it. */
  removeEdge(edge: number): Attached[] {
    const its = [...this.#sessions].filter(([, one]) => one.edge === edge);
    return its.flatMap(([session]) => this.remove(session) ?? []);
  }
}
