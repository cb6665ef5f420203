// Which actors hold something for a session and so must hear when it ends. Those of session kinds hear of it from its
// CONNECT on; others tie themselves to it.
import { actorKey } from '../actors/route.ts';
import type { Session } from './session.ts';
import type { Attachment, ShardPort } from './shard-port.ts';

/** Actors that may be tied to one session; one more is told at once that the session is gone. */
const actorsMax = 1_000;

interface Attached {
  readonly user: string;
  /** Those that have tied themselves; null while there is none, as for most sessions. */
  actors: Set<string> | null;
}

export class Attachments {
  readonly #kinds: readonly string[];
  readonly #portOf: (actor: string) => ShardPort;
  readonly #sessions = new Map<string, Attached>();

  /** @param kinds those whose actors are tied to every session of the user they are named after. */
  constructor(kinds: readonly string[], portOf: (actor: string) => ShardPort) {
    this.#kinds = kinds;
    this.#portOf = portOf;
  }

  opened({ id: session, user }: Session): void {
    const attached: Attached = { user, actors: null };
    this.#sessions.set(session, attached);
    for (const actor of this.#actorsOf(attached)) this.#portOf(actor).attach({ actor, session, user }, false);
  }

  closed({ id: session }: Session): void {
    const attached = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (!attached) return;
    for (const actor of this.#actorsOf(attached)) this.#portOf(actor).detach(actor, session);
  }

  /** An actor holds something for the session, which may be gone by now. */
  attached(session: string, actor: string): void {
    const attached = this.#sessions.get(session);
    const hasRoom = (attached?.actors?.size ?? 0) + this.#kinds.length < actorsMax;
    if (attached && hasRoom) (attached.actors ??= new Set()).add(actor);
    else if (!attached?.actors?.has(actor)) this.#portOf(actor).detach(actor, session);
  }

  detached(session: string, actor: string): void {
    this.#sessions.get(session)?.actors?.delete(actor);
  }

  /** What a new shard behind the port has to know. */
  *on(port: ShardPort): Iterable<Attachment> {
    for (const [session, attached] of this.#sessions) {
      for (const actor of this.#actorsOf(attached)) {
        if (this.#portOf(actor) === port) yield { actor, session, user: attached.user };
      }
    }
  }

  *#actorsOf({ user, actors }: Attached): Iterable<string> {
    for (const kind of this.#kinds) yield actorKey(kind, user);
    if (actors) yield* actors;
  }
}
