// A document in memory: its text, and the newest of its operations, which later ones are transformed over.
import type { DocumentOperationRow } from '../../storage/tables.ts';
import { growth, type Changes } from '../../text/changes.ts';
import { transformOver } from '../../text/history.ts';
import type { Text } from '../../text/text.ts';
import { DocumentCursors } from './document-cursors.ts';
import type { Seals } from './document-seals.ts';
import { changesOf } from './document-views.ts';

/** Operations whose changes are held in memory; those based on an earlier revision cost a query. */
const windowMax = 2_000;

/** An operation is transformed over this, oldest first: all that was committed since its revision. */
export interface Since {
  readonly history: readonly Changes[];
  readonly from: number;
}

export interface DocumentParts {
  readonly epoch: string;
  readonly isStored: boolean;
  readonly oldest: number;
  readonly snapshot: number;
  readonly seals: Seals;
  readonly worthless: readonly number[];
  readonly text: Text;
  /** The revision that the text is of; that of the snapshot unless given. */
  readonly from?: number;
  /** The operation before that. */
  readonly last?: DocumentOperationRow | undefined;
  /** Those since. */
  readonly tail: readonly DocumentOperationRow[];
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
  seals: Seals;
  /** Revisions of snapshots in the database that are worth nothing. */
  readonly worthless: number[];
  /** The newest operation; null where there is none, or its row is gone. */
  last: DocumentOperationRow | null;
  #window: Changes[];

  /** @throws RangeError when an operation does not fit the text. */
  constructor(parts: DocumentParts) {
    const { tail, from = parts.snapshot } = parts;
    this.epoch = parts.epoch;
    this.isStored = parts.isStored;
    this.oldest = parts.oldest;
    this.snapshot = parts.snapshot;
    this.seals = parts.seals;
    this.worthless = [...parts.worthless];
    this.text = parts.text;
    this.last = tail.at(-1) ?? parts.last ?? null;
    this.#window = tail.map(changesOf);
    for (const changes of this.#window) this.text.apply(changes);
    this.revision = from + this.#window.length;
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
  apply(changes: Changes, row: DocumentOperationRow, session: string): void {
    this.text.apply(changes);
    this.cursors.move(changes, session);
    this.revision += 1;
    this.last = row;
    this.#window.push(changes);
    // In steps, so that not every operation moves the list.
    if (this.#window.length >= 2 * windowMax) this.#window = this.#window.slice(-windowMax);
  }
}
