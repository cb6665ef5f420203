// Where the user is in a document, told to others: seldom, for it counts in the user's rate.
import type { Changes } from '../text/changes.ts';
import { mapPosition } from '../text/position.ts';
import type { Side } from '../text/transform.ts';

export interface Place {
  readonly position: number;
  readonly anchor: number;
}

const everyMs = 1_000;

const isSame = (one: Place, other: Place | null): boolean =>
  one.position === other?.position && one.anchor === other.anchor;

function moved({ position, anchor }: Place, changes: Changes, side: Side): Place {
  return { position: mapPosition(position, changes, side), anchor: mapPosition(anchor, changes, side) };
}

export class OwnCursor {
  readonly #tell: (place: Place) => Place | null;
  #place: Place | null = null;
  /** Where the server has it, which moves it too: what only goes along with the text is not told. */
  #told: Place | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #freeAtMs = 0;

  /** @param tell gives where the server has it then, in the user's text; null when it could not be told. */
  constructor(tell: (place: Place) => Place | null) {
    this.#tell = tell;
  }

  place(place: Place): void {
    this.#place = place;
    this.tellLater();
  }

  /** The text has changed, by the user (`right`) or by others (`left`). */
  moved(changes: Changes, side: Side): void {
    this.#place &&= moved(this.#place, changes, side);
    this.#told &&= moved(this.#told, changes, side);
  }

  /** The server has it no more. */
  forgotten(): void {
    this.#told = null;
  }

  tellNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#place || isSame(this.#place, this.#told)) return;
    const told = this.#tell(this.#place);
    if (!told) return;
    this.#told = told;
    this.#freeAtMs = performance.now() + everyMs;
  }

  tellLater(): void {
    if (!this.#place || isSame(this.#place, this.#told)) return;
    this.#timer ??= setTimeout(() => this.tellNow(), Math.max(0, this.#freeAtMs - performance.now()));
  }

  /** The user is nowhere any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#place = null;
  }
}
