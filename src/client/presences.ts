// Who is there.
import type { Presence, PresenceChange } from './bodies.ts';
import type { Stop } from './listeners.ts';
import type { Messaging } from './messaging.ts';

export class Presences {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  query(users: readonly string[]): Promise<readonly Presence[]> {
    return this.#client.ask(`/app/presence.query?users=${users.map(encodeURIComponent).join(',')}`);
  }

  /** How it is, at once and after every loss, and each change. */
  watch(user: string, listener: (change: PresenceChange) => void): Stop {
    return this.#client.subscribe(`/topic/presence.${user}`, {
      message: ({ body }) => listener(JSON.parse(body) as PresenceChange),
    });
  }
}
