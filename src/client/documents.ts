// The documents of a client.
import type { DocumentContent } from './bodies.ts';
import { Document } from './document.ts';
import { StagewireError } from './error.ts';
import type { Messaging } from './messaging.ts';
import { pathOf } from './rest.ts';

const idCharactersMax = 255;
/** As the server has it: nobody could subscribe to such a document, or it would be the cursors of another. */
const oddId = /^$|[\p{Cc}*?]|\{[^{}]+\}|\.cursors$/u;
/** Edits that take longer to be sent do not keep the client from closing. */
const sentWithinMs = 5_000;

export class Documents {
  readonly #client: Messaging;
  /** Those that are followed, or have edits that are not sent yet. */
  readonly #open = new Set<Document>();

  constructor(client: Messaging) {
    this.#client = client;
  }

  /**
   * Begins to follow a document, which need not be there yet. `close` it when it is no longer shown.
   *
   * @throws StagewireError BAD_REQUEST for an id that no document can have.
   */
  open(docId: string): Document {
    if (docId.length > idCharactersMax || oddId.test(docId)) {
      const text =
        "A document's id has 1 to 255 characters, no wildcards or control characters, and no .cursors at its end.";
      throw new StagewireError('BAD_REQUEST', text, { docId });
    }
    const document = new Document(this.#client, docId, () => this.#open.delete(document));
    this.#open.add(document);
    return document;
  }

  get(docId: string): Promise<DocumentContent> {
    return this.#client.rest.get(pathOf('api', 'documents', docId));
  }

  /** Whether the server has all edits. */
  get areSettled(): boolean {
    return [...this.#open].every(({ isSettled }) => isSettled);
  }

  /** Sends all edits at once. Resolves when that is done, or can't be done now. */
  async sent(): Promise<void> {
    const edits = [...this.#open].map((document) => document.settled());
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => end(), sentWithinMs);
      const stop = this.#client.onState(() => end());
      const end = (): void => {
        clearTimeout(late);
        stop();
        resolve();
      };
      void Promise.allSettled(edits).then(end);
    });
  }
}
