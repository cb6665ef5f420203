// Groups of sessions over HTTP, for what is published to many at once; those over WebSocket have the transport's own.
import type { SockjsConnection } from './connection.ts';

export class HttpGroups {
  readonly #members = new Map<string, Set<SockjsConnection>>();

  join(group: string, connection: SockjsConnection): void {
    const members = this.#members.get(group);
    if (members) members.add(connection);
    else this.#members.set(group, new Set([connection]));
  }

  leave(group: string, connection: SockjsConnection): void {
    const members = this.#members.get(group);
    if (members?.delete(connection) && members.size === 0) this.#members.delete(group);
  }

  /** @param frame one that `messageFrame` made. */
  publish(group: string, frame: Uint8Array): void {
    for (const connection of this.#members.get(group) ?? []) connection.sendFrame(frame);
  }
}
