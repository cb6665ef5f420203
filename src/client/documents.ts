// Documents that many edit at once: the user's own edits are seen at once, those of others as they come.
import { normalise, type Changes } from '../text/changes.ts';
import type { CursorBody, DocumentContent, Operation } from './bodies.ts';
import { Cursors, type Cursor } from './cursors.ts';
import { Draft } from './draft.ts';
import { StagewireError } from './error.ts';
import { newKey } from './key.ts';
import { Listeners, type Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';

export type DocumentEvent =
  /** The text has changed, by the user's `edit` or by others: `changes` lead from the text before to `text`. */
  | { readonly type: 'changed'; readonly changes: Changes; readonly isOwn: boolean }
  /** The text is another one; `lost` is what the user saw, where edits of it could not be kept. Null at the start. */
  | { readonly type: 'reset'; readonly lost: string | null }
  /** Others' cursors have moved. */
  | { readonly type: 'cursors' }
  /** The server has all that the user did, or no longer. */
  | { readonly type: 'settled'; readonly isSettled: boolean }
  /** The document can't be had. */
  | { readonly type: 'refused'; readonly error: StagewireError };

export class Documents {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** Begins to follow a document, which need not be there yet. `close` it when it is no longer shown. */
  open(docId: string): Document {
    return new Document(this.#client, docId);
  }

  get(docId: string): Promise<DocumentContent> {
    return this.#client.rest.get(pathOf('api', 'documents', docId));
  }
}

/** A cursor that moves is told this often at most: it counts as a message in the user's rate. */
const cursorEveryMs = 500;

export class Document {
  readonly docId: string;
  readonly #client: Messaging;
  readonly #events = new Listeners<DocumentEvent>();
  readonly #cursors = new Cursors();
  readonly #stops: Stop[];
  readonly #whenSettled: (() => void)[] = [];
  #draft: Draft | null = null;
  #wasSettled = true;
  #place: { readonly position: number; readonly anchor: number } | null = null;
  #placing: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Messaging, docId: string) {
    this.#client = client;
    this.docId = docId;
    const refused = (error: StagewireError): void => this.#events.tell({ type: 'refused', error });
    this.#stops = [
      client.subscribe(
        `/topic/doc.${docId}`,
        {
          present: ({ body }) => this.#present(JSON.parse(body) as DocumentContent),
          message: ({ body }) => this.#committed(JSON.parse(body) as Operation),
          refused,
        },
        { isResumable: true },
      ),
      client.subscribe(`/topic/doc.${docId}.cursors`, {
        message: ({ body }) => this.#cursorPlaced(JSON.parse(body) as CursorBody),
      }),
    ];
  }

  /** Whether the text is there. */
  get isOpen(): boolean {
    return this.#draft !== null;
  }

  /** The text with the user's own edits; empty until it is there. */
  get text(): string {
    return this.#draft?.text ?? '';
  }

  get isSettled(): boolean {
    return this.#draft?.isSettled ?? true;
  }

  /** Where the others are, in `text`. */
  get cursors(): readonly Cursor[] {
    return this.#cursors.all.filter(({ sessionId }) => sessionId !== this.#client.session);
  }

  onEvent(listener: (event: DocumentEvent) => void): Stop {
    return this.#events.add(listener);
  }

  /**
   * The user's changes of `text`: ascending and not overlapping, in UTF-16 units.
   *
   * @throws RangeError for what is not within the text; Error before it is there.
   */
  edit(changes: Changes): void {
    const draft = this.#draft;
    if (!draft) throw new Error('the document is not there yet');
    draft.edit(changes);
    this.#cursors.moved(normalise(changes));
    this.#events.tell({ type: 'changed', changes: normalise(changes), isOwn: true });
    this.#send();
    this.#tellSettled();
  }

  insert(position: number, text: string): void {
    this.edit([{ position, length: 0, text }]);
  }

  delete(position: number, length: number): void {
    this.edit([{ position, length, text: '' }]);
  }

  /** Resolves when the server has all that the user did up to now. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    return new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  /**
   * Takes the user's newest edit back that is not undone yet; comes as a change like those of others.
   *
   * @returns whether there was one.
   */
  async undo(): Promise<boolean> {
    await this.settled();
    const operationId = newKey();
    try {
      await this.#client.send(`/app/doc.undo/${this.docId}`, { operationId }, { key: operationId });
      return true;
    } catch (thrown) {
      if (thrown instanceof StagewireError && thrown.code === 'CONFLICT') return false;
      throw thrown;
    }
  }

  /** Shows the others where the user is. */
  placeCursor(position: number, anchor = position): void {
    this.#place = { position, anchor };
    this.#placing ??= setTimeout(() => {
      this.#placing = undefined;
      const draft = this.#draft;
      if (!draft || !this.#place) return;
      const [at, from] = [this.#place.position, this.#place.anchor].map((one) =>
        draft.toCommitted(Math.min(one, draft.text.length)),
      );
      const place = { position: at, anchor: from, revision: draft.revision };
      this.#client.tell(`/app/doc.cursor/${this.docId}`, place);
    }, cursorEveryMs);
  }

  /** Stops following. What was not sent yet is still sent. */
  close(): void {
    clearTimeout(this.#placing);
    for (const stop of this.#stops.splice(0)) stop();
  }

  #present({ content, revision }: DocumentContent): void {
    const draft = this.#draft;
    // Nothing of the text was committed before the loss: it is the same document.
    if (draft && draft.revision === revision && draft.committed === content) return;
    const lost = draft && !draft.isSettled ? draft.text : null;
    this.#draft = new Draft(content, revision);
    this.#cursors.clear();
    this.#events.tell({ type: 'reset', lost });
    this.#tellSettled();
  }

  #committed({ operationId, changes, serverRevision }: Operation): void {
    const draft = this.#draft;
    if (!draft || serverRevision < draft.revision) return;
    const change = draft.committedNext(operationId, changes);
    if (change.length > 0) this.#cursors.moved(change);
    this.#cursors.committed(changes, draft);
    if (change.length > 0) this.#events.tell({ type: 'changed', changes: change, isOwn: false });
    this.#send();
    this.#tellSettled();
  }

  #cursorPlaced(body: CursorBody): void {
    if (!this.#draft || body.sessionId === this.#client.session) return;
    this.#cursors.placed(body, this.#draft);
    this.#events.tell({ type: 'cursors' });
  }

  #send(): void {
    const draft = this.#draft;
    const step = draft?.next(newKey());
    if (!draft || !step) return;
    const { operationId, change, revision } = step;
    const { position, length, text } = change;
    const what = text === '' ? { type: 'DELETE', position, length } : { type: 'INSERT', position, text };
    const body = { ...what, revision, operationId };
    this.#client
      .send(`/app/doc.operation/${this.docId}`, body, { key: operationId })
      .catch((thrown: unknown) => {
        if (draft === this.#draft) void this.#startAgain(thrown as StagewireError);
      });
  }

  /** An edit was refused, and with it all that was made after it: the text is what the server has. */
  async #startAgain(refusal: StagewireError): Promise<void> {
    this.#events.tell({ type: 'refused', error: refusal });
    if (refusal.code === 'CLOSED') return;
    const content = await this.#client.ask<DocumentContent>(`/app/doc.open/${this.docId}`).catch(() => null);
    if (!content) return;
    const lost = this.text;
    this.#draft = new Draft(content.content, content.revision);
    this.#cursors.clear();
    this.#events.tell({ type: 'reset', lost });
    this.#tellSettled();
  }

  #tellSettled(): void {
    const { isSettled } = this;
    if (isSettled) for (const resolve of this.#whenSettled.splice(0)) resolve();
    if (isSettled === this.#wasSettled) return;
    this.#wasSettled = isSettled;
    this.#events.tell({ type: 'settled', isSettled });
  }
}
