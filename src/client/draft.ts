// The text of a document on a client: what is committed, what is under way to the server, and what is not sent yet.
// Pure: knows no connection.
import { applyTo, invert, normalise, unchanged, type Change, type Changes } from '../text/changes.ts';
import { compose } from '../text/compose.ts';
import { cutsPair, defectOf } from '../text/defect.ts';
import { rebase } from '../text/history.ts';
import { mapPosition } from '../text/position.ts';

/** One operation as the server takes it. */
export interface Step {
  readonly operationId: string;
  readonly change: Change;
  /** The revision that it is made on. */
  readonly revision: number;
}

/** Units of an insertion: written as JSON with escapes they still fit into a frame. */
const insertUnitsMax = 8_000;

export class Draft {
  /** The text that the user sees. */
  text: string;
  /** The revision of what is committed. */
  revision: number;
  #committed: string;
  #step: Step | null = null;
  #sent: Changes = unchanged;
  #unsent: Changes = unchanged;

  constructor(content: string, revision: number) {
    this.text = content;
    this.#committed = content;
    this.revision = revision;
  }

  get committed(): string {
    return this.#committed;
  }

  /** The operation under way: sent, and not committed as far as is known. */
  get underWay(): Step | null {
    return this.#step;
  }

  /** Whether the server has all that the user did. */
  get isSettled(): boolean {
    return this.#step === null && this.#unsent.length === 0;
  }

  /** How many operations it takes to send what is not sent yet. */
  get unsentCount(): number {
    let count = 0;
    for (const { length, text } of this.#unsent) {
      count += Math.ceil(text.length / insertUnitsMax) + (length > 0 ? 1 : 0);
    }
    return count;
  }

  /**
   * The user's changes of `text`.
   *
   * @throws RangeError for positions outside of it, and for half a surrogate pair.
   */
  edit(changes: Changes): void {
    const defect = defectOf(changes, this.text.length);
    if (defect) throw new RangeError(defect);
    const kept = normalise(changes);
    if (cutsPair(kept, this.text)) throw new RangeError('This cuts a surrogate pair.');
    this.text = applyTo(this.text, kept);
    this.#unsent = compose(this.#unsent, kept);
  }

  /**
   * The next operation to send, which is under way from then on; null while one is, or when there is none. One at a
   * time: the server takes an operation as made on a revision, and one's own of before would not be in it.
   */
  next(operationId: string): Step | null {
    const [first, ...others] = this.#unsent;
    if (this.#step !== null || !first) return null;
    const { change, rest } = split(first);
    const shift = change.text.length - change.length;
    const later = [...rest, ...others];
    this.#step = { operationId, change, revision: this.revision };
    this.#sent = [change];
    this.#unsent = normalise(later.map((one) => ({ ...one, position: one.position + shift })));
    return this.#step;
  }

  /**
   * An operation that was committed.
   *
   * @returns what it changes in `text`: nothing when it is the one under way.
   */
  committedNext(operationId: string, changes: Changes): Changes {
    this.#committed = applyTo(this.#committed, changes);
    this.revision += 1;
    if (operationId === this.#step?.operationId) {
      this.#step = null;
      this.#sent = unchanged;
      return unchanged;
    }
    const { pending, incoming } = rebase([this.#sent, this.#unsent], changes);
    [this.#sent = unchanged, this.#unsent = unchanged] = pending;
    this.text = applyTo(this.text, incoming);
    return incoming;
  }

  /** A position of the committed text in `text`. */
  toText(position: number): number {
    return mapPosition(mapPosition(position, this.#sent, 'left'), this.#unsent, 'left');
  }

  /**
   * Where in `text` the server will have the user's own cursor, told at a position of the committed text: what is under
   * way comes before it, and leaves it where it is; what is sent later takes it along.
   */
  ownToText(position: number): number {
    return mapPosition(mapPosition(position, this.#sent, 'left'), this.#unsent, 'right');
  }

  /** A position of `text` in the committed text. */
  toCommitted(position: number): number {
    const own = compose(this.#sent, this.#unsent);
    return mapPosition(position, invert(own, this.#committed), 'left');
  }
}

/** The first operation of a change, and what is left of it, in the document before that operation. */
function split({ position, length, text }: Change): {
  readonly change: Change;
  readonly rest: readonly Change[];
} {
  if (text === '') return { change: { position, length, text }, rest: [] };
  let end = Math.min(text.length, insertUnitsMax);
  if (end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end -= 1;
  const rest = end < text.length || length > 0 ? [{ position, length, text: text.slice(end) }] : [];
  return { change: { position, length: 0, text: text.slice(0, end) }, rest };
}
