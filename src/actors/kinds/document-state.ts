// A document in memory: its text, and the newest of its operations, which later ones are transformed over.
import type { DocumentOperationRow } from '../../storage/tables.ts';
import { growth, type Changes } from '../../text/changes.ts';
import { transformOver } from '../../text/history.ts';
import type { Text } from '../../text/text.ts';
import { DocumentCursors } from './document-cursors.ts';
import { changesOf } from './document-views.ts';

/** Operations whose changes are held in memory; those based on an earlier revision cost a query. */
const windowMax = 2_000;

/** An operation is transformed over this, oldest first: all that was committed since its revision. */
export interface Since {
  readonly history: readonly Changes[];
  readonly from: number;
}

export class DocumentState {
  readonly epoch: string;
  readonly text: Text;
  readonly cursors = new DocumentCursors();
  /** Whether its row is there: one that nobody has changed is kept nowhere. */
  isStored: boolean;
  /** How many operations were applied. */
  revision: number;
  /** The oldest revision an operation may be based on. */
  oldest: number;
  /** The revision of the newest snapshot. */
  snapshot: number;
  #window: Changes[];

  /** @param text as of the snapshot; `tail` are the operations since. */
  constructor(options: {
    readonly epoch: string;
    readonly isStored: boolean;
    readonly oldest: number;
    readonly snapshot: number;
    readonly text: Text;
    readonly tail: readonly DocumentOperationRow[];
  }) {
    this.epoch = options.epoch;
    this.isStored = options.isStored;
    this.oldest = options.oldest;
    this.snapshot = options.snapshot;
    this.text = options.text;
    this.#window = options.tail.map(changesOf);
    for (const changes of this.#window) this.text.apply(changes);
    this.revision = options.snapshot + this.#window.length;
  }

  get content(): string {
    return this.text.toString();
  }

  /** What was committed since that revision; null when memory does not hold all of it. */
  since(revision: number): Since | null {
    const from = revision - (this.revision - this.#window.length);
    return from < 0 ? null : { history: this.#window, from };
  }

  /** How long the document was, and what changes of it become now. */
  lengthAt({ history, from }: Since): number {
    let { length } = this.text;
    for (let index = from; index < history.length; index += 1) length -= growth(history[index] ?? []);
    return length;
  }

  transformed(changes: Changes, { history, from }: Since): Changes {
    return transformOver(changes, history, from);
  }

  /** Changes of the document as it is now. */
  apply(changes: Changes, session: string): void {
    this.text.apply(changes);
    this.cursors.move(changes, session);
    this.revision += 1;
    this.#window.push(changes);
    // In steps, so that not every operation moves the list.
    if (this.#window.length >= 2 * windowMax) this.#window = this.#window.slice(-windowMax);
  }
}
