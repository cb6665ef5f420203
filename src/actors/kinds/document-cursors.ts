// Where the sessions that edit a document have their cursors; they move with the edits of all.
import type { Changes } from '../../text/changes.ts';
import { mapPosition } from '../../text/position.ts';

export interface Cursor {
  readonly user: string;
  readonly position: number;
  /** The other end of the selection; the position itself where nothing is selected. */
  readonly anchor: number;
}

/** More are forgotten from the oldest on. */
const cursorsMax = 1_000;

export class DocumentCursors {
  readonly #cursors = new Map<string, Cursor>();

  entries(): Iterable<[session: string, cursor: Cursor]> {
    return this.#cursors.entries();
  }

  /**
   * @param over what was applied since the revision that the cursor counts in.
   * @returns where it is now.
   */
  place(
    session: string,
    { user, position, anchor }: Cursor,
    over: { readonly history: readonly Changes[]; readonly from: number },
  ): Pick<Cursor, 'position' | 'anchor'> {
    const at = { position, anchor };
    for (const changes of over.history.slice(over.from)) {
      at.position = mapPosition(at.position, changes, 'left');
      at.anchor = mapPosition(at.anchor, changes, 'left');
    }
    this.#cursors.delete(session);
    this.#cursors.set(session, { user, ...at });
    if (this.#cursors.size > cursorsMax) {
      const [oldest] = this.#cursors.keys();
      this.#cursors.delete(oldest ?? '');
    }
    return at;
  }

  remove(session: string): void {
    this.#cursors.delete(session);
  }

  /** @param session of who made the changes: its own cursor goes behind what it writes, others' stay before it. */
  move(changes: Changes, session: string): void {
    for (const [its, { user, position, anchor }] of this.#cursors) {
      const side = its === session ? 'right' : 'left';
      this.#cursors.set(its, {
        user,
        position: mapPosition(position, changes, side),
        anchor: mapPosition(anchor, changes, side),
      });
    }
  }
}
