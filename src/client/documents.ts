// Documents that many edit at once: the user's own edits are seen at once, those of others as they come.
import { normalise, type Changes } from '../text/changes.ts';
import { mapPosition } from '../text/position.ts';
import type { Side } from '../text/transform.ts';
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
/** The user's own connections that are remembered, so that a cursor of one that was lost is not taken for another's. */
const sessionsMax = 20;

export class Document {
  readonly docId: string;
  readonly #client: Messaging;
  readonly #events = new Listeners<DocumentEvent>();
  readonly #cursors = new Cursors();
  readonly #stop: Stop;
  readonly #stopCursors: Stop;
  readonly #sessions = new Set<string>();
  readonly #whenSettled: (() => void)[] = [];
  #draft: Draft | null = null;
  #wasSettled = true;
  #place: { readonly position: number; readonly anchor: number } | null = null;
  #placing: ReturnType<typeof setTimeout> | undefined;
  #isReloading = false;
  /** All that was committed before has come, over this connection. */
  #isLive = false;
  /** The operation that was sent over this connection. */
  #sentId = '';

  constructor(client: Messaging, docId: string) {
    this.#client = client;
    this.docId = docId;
    const refused = (error: StagewireError): void => this.#events.tell({ type: 'refused', error });
    this.#stop = client.subscribe(
      `/topic/doc.${docId}`,
      {
        present: ({ body }) => this.#present(JSON.parse(body) as DocumentContent),
        message: ({ body }) => this.#committed(JSON.parse(body) as Operation),
        started: () => void (this.#isLive = false),
        live: () => this.#live(),
        refused,
      },
      { isResumable: true },
    );
    this.#stopCursors = client.subscribe(`/topic/doc.${docId}.cursors`, {
      started: () => this.#cursorsStarted(),
      message: ({ body }) => this.#cursorPlaced(JSON.parse(body) as CursorBody),
    });
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
    return this.#cursors.all;
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
    this.#moved(normalise(changes), 'right');
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

  /** For editors: tells that an edit was not taken, and what the editor showed with it; it shows `text` again now. */
  notTaken(lost: string): void {
    this.#events.tell({ type: 'reset', lost });
  }

  /** Shows the others where the user is. */
  placeCursor(position: number, anchor = position): void {
    this.#place = { position, anchor };
    this.#placing ??= setTimeout(() => this.#tellPlace(), cursorEveryMs);
  }

  /** Stops following. What was not sent yet is still sent. */
  close(): void {
    clearTimeout(this.#placing);
    this.#place = null;
    this.#stopCursors();
    // The next operation goes when the one before it comes back.
    void this.settled().then(this.#stop);
  }

  #present({ content, revision }: DocumentContent): void {
    const draft = this.#draft;
    // Nothing of the text was committed before the loss: it is the same document.
    if (draft && draft.revision === revision && draft.committed === content) return;
    this.#begin(content, revision, draft && !draft.isSettled ? draft.text : null);
  }

  #begin(content: string, revision: number, lost: string | null): void {
    this.#draft = new Draft(content, revision);
    this.#cursors.clear();
    this.#events.tell({ type: 'reset', lost });
    this.#tellSettled();
  }

  #committed({ operationId, changes, serverRevision }: Operation): void {
    const draft = this.#draft;
    if (!draft || serverRevision < draft.revision) return;
    // Never applied to a text it was not made on.
    if (serverRevision > draft.revision) return void this.#reload();
    const change = draft.committedNext(operationId, changes);
    this.#moved(change, 'left');
    this.#cursors.committed(changes, draft);
    if (change.length > 0) this.#events.tell({ type: 'changed', changes: change, isOwn: false });
    this.#send();
    this.#tellSettled();
  }

  /** Of the user's text: cursors go with it, the user's own behind what the user writes. */
  #moved(changes: Changes, side: Side): void {
    if (changes.length === 0) return;
    this.#cursors.moved(changes);
    if (!this.#place) return;
    const { position, anchor } = this.#place;
    this.#place = {
      position: mapPosition(position, changes, side),
      anchor: mapPosition(anchor, changes, side),
    };
  }

  /** Over a new connection all cursors are told anew, and the user's own is nobody's any more. */
  #cursorsStarted(): void {
    this.#sessions.add(this.#client.session);
    const [oldest = ''] = this.#sessions;
    if (this.#sessions.size > sessionsMax) this.#sessions.delete(oldest);
    const hadSome = this.#cursors.all.length > 0;
    this.#cursors.forget();
    if (hadSome) this.#events.tell({ type: 'cursors' });
  }

  #tellPlace(): void {
    clearTimeout(this.#placing);
    this.#placing = undefined;
    const draft = this.#draft;
    if (!draft || !this.#place || !this.#isLive) return;
    const [position, anchor] = [this.#place.position, this.#place.anchor].map((one) =>
      draft.toCommitted(Math.min(one, draft.text.length)),
    );
    this.#client.tell(`/app/doc.cursor/${this.docId}`, { position, anchor, revision: draft.revision });
  }

  #cursorPlaced(body: CursorBody): void {
    if (!this.#draft || this.#sessions.has(body.sessionId)) return;
    this.#cursors.placed(body, this.#draft);
    this.#events.tell({ type: 'cursors' });
  }

  /**
   * What was under way when the connection was lost is sent again, unless it has come back: not before, for the text that
   * it was made on may be gone.
   */
  #live(): void {
    this.#isLive = true;
    this.#sentId = '';
    this.#send();
    this.#tellPlace();
  }

  #send(): void {
    const draft = this.#draft;
    if (!draft || !this.#isLive) return;
    const step = draft.underWay ?? draft.next(newKey());
    if (!step || step.operationId === this.#sentId) return;
    this.#sentId = step.operationId;
    const { operationId, change, revision } = step;
    const { position, length, text } = change;
    const what = text === '' ? { type: 'DELETE', position, length } : { type: 'INSERT', position, text };
    const body = { ...what, revision, operationId };
    this.#client
      .send(`/app/doc.operation/${this.docId}`, body, { key: operationId, isOnce: true })
      .catch((thrown: unknown) => {
        const refusal = thrown as StagewireError;
        if (draft !== this.#draft || refusal.code === 'EXPIRED') return;
        this.#events.tell({ type: 'refused', error: refusal });
        // It was refused, and with it all that was made after it: the text is what the server has.
        if (refusal.code !== 'CLOSED') void this.#reload();
      });
  }

  async #reload(): Promise<void> {
    if (this.#isReloading) return;
    this.#isReloading = true;
    for (let isBehind = true; isBehind;) {
      const answer = await this.#client
        .ask<DocumentContent>(`/app/doc.open/${this.docId}`)
        .catch((thrown: unknown) => thrown as StagewireError);
      const draft = this.#draft;
      if (!(answer instanceof Error)) {
        // Operations may have overtaken it.
        isBehind = draft !== null && answer.revision < draft.revision;
        if (!isBehind) this.#begin(answer.content, answer.revision, draft?.isSettled ? null : this.text);
      } else if (answer.code !== 'EXPIRED') {
        isBehind = false;
        if (answer.code !== 'CLOSED') this.#events.tell({ type: 'refused', error: answer });
      }
    }
    this.#isReloading = false;
  }

  #tellSettled(): void {
    const { isSettled } = this;
    if (isSettled) for (const resolve of this.#whenSettled.splice(0)) resolve();
    if (isSettled === this.#wasSettled) return;
    this.#wasSettled = isSettled;
    this.#events.tell({ type: 'settled', isSettled });
  }
}
