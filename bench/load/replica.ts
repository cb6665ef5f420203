// A document as all its editors in this process have it. Each of them gets the same operations in the same order, so
// the first one to get an operation applies it here, and for the others its bytes are compared.
import { growth, type Changes } from '../../src/text/changes.ts';
import { Text } from '../../src/text/text.ts';
import type { EditingProtocol } from '../protocols/editing.ts';

/** Messages are let go in steps, once no editor waits for them. */
const forgetStep = 1_024;

export class Replica {
  readonly name: string;
  readonly #protocol: EditingProtocol;
  #text = Text.from('');
  #revision = 0;
  /** What was received, by the revision it was applied on: from the first that an editor may not have yet. */
  readonly #messages = new Map<number, Buffer>();
  /** Lengths of the text at the same revisions and now. */
  readonly #lengths = new Map<number, number>();
  #oldest = 0;

  constructor(name: string, protocol: EditingProtocol) {
    this.name = name;
    this.#protocol = protocol;
  }

  /** How many operations it has applied. */
  get revision(): number {
    return this.#revision;
  }

  get content(): string {
    return this.#text.toString();
  }

  /** What every editor starts from. */
  start(content: string, revision: number): void {
    this.#text = Text.from(content);
    this.#revision = revision;
    this.#oldest = revision;
    this.#lengths.set(revision, content.length);
  }

  /** The length of the text at a revision, or undefined when it is not there yet. */
  lengthAt(revision: number): number | undefined {
    return this.#lengths.get(revision);
  }

  /** By how much a message makes the text longer. */
  growthOf(message: Buffer): number {
    return growth(this.#protocol.changesIn(message));
  }

  /**
   * An editor was sent the operation on `revision`, which may come before that of the revision before.
   * @returns false when another editor was sent another one.
   */
  received(revision: number, bytes: Buffer, start: number, end: number): boolean {
    const before = this.#messages.get(revision);
    if (before !== undefined) {
      const isSame =
        before.length === end - start && bytes.compare(before, 0, before.length, start, end) === 0;
      return isSame || this.#doSame(before, Buffer.from(bytes.subarray(start, end)));
    }
    if (revision < this.#revision) {
      return false;
    }
    this.#messages.set(revision, Buffer.from(bytes.subarray(start, end)));
    for (;;) {
      const next = this.#messages.get(this.#revision);
      if (next === undefined) {
        return true;
      }
      this.#apply(this.#protocol.changesIn(next));
    }
  }

  /** The only editor's operation, which met no other and which nobody is sent. */
  own(changes: Changes): void {
    this.#apply(changes);
  }

  /** No editor is behind `revision` any more. */
  forget(revision: number): void {
    if (revision < this.#oldest + forgetStep) {
      return;
    }
    for (; this.#oldest < revision; this.#oldest++) {
      this.#messages.delete(this.#oldest);
      this.#lengths.delete(this.#oldest);
    }
  }

  #doSame(one: Buffer, other: Buffer): boolean {
    const [a, b] = [one, other].map((message) => JSON.stringify(this.#protocol.changesIn(message)));
    return a === b;
  }

  #apply(changes: Changes): void {
    this.#text.apply(changes);
    this.#revision += 1;
    this.#lengths.set(this.#revision, this.#text.length);
  }
}
