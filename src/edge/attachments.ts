// Which actors hold something for a session and so must hear when it ends. Those of session kinds hear of it from its
// CONNECT on; others tie themselves to it.
import { actorKey } from '../actors/route.ts';
import type { Session } from './session.ts';
import type { Attachment, ShardPort } from './shard-port.ts';

/** Actors that may be tied to one session; one more is told at once that the session is gone. */
const actorsMax = 1_000;

interface Attached {
  readonly user: string;
  readonly actors: Set<string>;
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
    const actors = new Set(this.#kinds.map((kind) => actorKey(kind, user)));
    this.#sessions.set(session, { user, actors });
    for (const actor of actors) this.#portOf(actor).attach({ actor, session, user }, false);
  }

  closed({ id: session }: Session): void {
    const actors = this.#sessions.get(session)?.actors ?? [];
    this.#sessions.delete(session);
    for (const actor of actors) this.#portOf(actor).detach(actor, session);
  }

  /** An actor holds something for the session, which may be gone by now. */
  attached(session: string, actor: string): void {
    const actors = this.#sessions.get(session)?.actors;
    if (actors?.has(actor)) return;
    if (actors && actors.size < actorsMax) actors.add(actor);
    else this.#portOf(actor).detach(actor, session);
  }

  detached(session: string, actor: string): void {
    this.#sessions.get(session)?.actors.delete(actor);
  }

  /** What a new shard behind the port has to know. */
  *on(port: ShardPort): Iterable<Attachment> {
    for (const [session, { user, actors }] of this.#sessions) {
      for (const actor of actors) if (this.#portOf(actor) === port) yield { actor, session, user };
    }
  }
}
