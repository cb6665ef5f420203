// Where the others are in a document. Pure: positions are those of the user's text, and follow its changes.
import type { Changes } from '../text/changes.ts';
import { mapPosition } from '../text/position.ts';
import type { Side } from '../text/transform.ts';
import type { CursorBody, Operation } from './bodies.ts';
import type { Draft } from './draft.ts';

export interface Cursor {
  readonly userId: string;
  /** One per connection of that user. */
  readonly sessionId: string;
  readonly position: number;
  /** The other end of a selection; the position itself without one. */
  readonly anchor: number;
}

type Committed = Pick<Operation, 'changes' | 'userId'>;

/** A cursor goes behind what its own user writes there, and stays before what others do. */
const sideOf = (cursor: { readonly userId: string }, userId: string | null): Side =>
  cursor.userId === userId ? 'right' : 'left';

/** Committed operations by which a cursor of an older revision is carried on. */
const historyMax = 200;
/** Cursors of revisions that have not come yet. */
const earlyMax = 200;

export class Cursors {
  readonly #all = new Map<string, Cursor>();
  /** The newest committed operations; the last one led to the draft's revision. */
  readonly #history: Committed[] = [];
  readonly #early = new Map<string, CursorBody>();

  get all(): readonly Cursor[] {
    return [...this.#all.values()];
  }

  /** The text is another one. */
  clear(): void {
    this.forget();
    this.#history.length = 0;
  }

  /** Where the others are is told anew. */
  forget(): void {
    this.#all.clear();
    this.#early.clear();
  }

  /** The user's text has changed. @param userId of who did it; null for the user's own edits here. */
  moved(changes: Changes, userId: string | null): void {
    for (const [session, cursor] of this.#all) {
      const move = (position: number): number => mapPosition(position, changes, sideOf(cursor, userId));
      this.#all.set(session, { ...cursor, position: move(cursor.position), anchor: move(cursor.anchor) });
    }
  }

  /** An operation was committed, and the draft has it. */
  committed({ changes, userId }: Committed, draft: Draft): void {
    this.#history.push({ changes, userId });
    if (this.#history.length > historyMax) this.#history.shift();
    for (const [session, body] of this.#early) {
      if (body.revision > draft.revision) continue;
      this.#early.delete(session);
      this.placed(body, draft);
    }
  }

  placed(body: CursorBody, draft: Draft): void {
    const { sessionId, userId, position, anchor, revision } = body;
    if (position === null) {
      this.#all.delete(sessionId);
      this.#early.delete(sessionId);
      return;
    }
    const behind = draft.revision - revision;
    if (behind < 0) {
      if (this.#early.size < earlyMax) this.#early.set(sessionId, body);
      return;
    }
    if (behind > this.#history.length) return;
    const since = behind === 0 ? [] : this.#history.slice(-behind);
    const place = (at: number): number =>
      draft.toText(
        since.reduce((moved, one) => mapPosition(moved, one.changes, sideOf(body, one.userId)), at),
      );
    this.#all.set(sessionId, {
      userId,
      sessionId,
      position: place(position),
      anchor: place(anchor ?? position),
    });
  }
}
