// Who is there.
import type { Presence, PresenceChange } from './bodies.ts';
import type { Stop } from './listeners.ts';
import type { Messaging } from './messaging.ts';

export class Presences {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** How it is of each of up to 500 users, in that order. */
  query(users: readonly string[]): Promise<readonly Presence[]> {
    // One comma at least that stands for itself: those within names are encoded.
    const list = users.map((user) => `${encodeURIComponent(user)},`).join('');
    return this.#client.ask(`/app/presence.query?users=${list}`);
  }

  /** How it is, at once and after every loss, and each change. */
  watch(user: string, listener: (change: PresenceChange) => void): Stop {
    return this.#client.subscribe(`/topic/presence.${user}`, {
      message: ({ body }) => listener(JSON.parse(body) as PresenceChange),
    });
  }
}
