// A document that many edit at once: the user's own edits are seen at once, those of others as they come.
import { normalise, type Changes } from '../text/changes.ts';
import type { CursorBody, DocumentContent, Operation } from './bodies.ts';
import { Cursors, type Cursor } from './cursors.ts';
import { Draft } from './draft.ts';
import { StagewireError } from './error.ts';
import { History } from './history.ts';
import { newKey } from './key.ts';
import { Listeners, type Stop } from './listeners.ts';
import type { Messaging } from './messaging.ts';
import { OwnCursor, type Place } from './own-cursor.ts';
import { Pace } from './pace.ts';
import { Settlement } from './settlement.ts';

export type DocumentEvent =
  /** The text has changed, by the user's `edit` or by others: `changes` lead from the text before to `text`. */
  | { readonly type: 'changed'; readonly changes: Changes; readonly isOwn: boolean }
  /** The text is another one; `lost` is what the user saw, where edits of it could not be kept. Null at the start. */
  | { readonly type: 'reset'; readonly lost: string | null }
  /** Others' cursors have moved. */
  | { readonly type: 'cursors' }
  /** The server has all that the user did, or no longer. */
  | { readonly type: 'settled'; readonly isSettled: boolean }
  /** The document can't be had, or edits of it can't be kept. */
  | { readonly type: 'refused'; readonly error: StagewireError };

/** The user's own connections that are remembered, so that a cursor of one that was lost is not taken for another's. */
const sessionsMax = 20;

export class Document {
  readonly docId: string;
  readonly #client: Messaging;
  readonly #events = new Listeners<DocumentEvent>();
  readonly #cursors = new Cursors();
  readonly #history = new History();
  readonly #pace = new Pace();
  readonly #settlement = new Settlement();
  readonly #ownCursor = new OwnCursor((place) => this.#tellPlace(place));
  readonly #sessions = new Set<string>();
  readonly #stops: readonly Stop[];
  readonly #stopCursors: Stop;
  #draft: Draft | null = null;
  #wasSettled = true;
  #isReloading = false;
  /** All that was committed before has come, over this connection. */
  #isLive = false;
  /** The operation that was sent over this connection. */
  #sentId = '';
  #sending: ReturnType<typeof setTimeout> | undefined;
  /** Why it can't be followed any more. */
  #refusal: StagewireError | null = null;

  /** Follows it until `close`; `onEnd` is called when nothing of it is to be sent any more. */
  constructor(client: Messaging, docId: string, onEnd: () => void = () => undefined) {
    this.#client = client;
    this.docId = docId;
    const stop = client.subscribe(
      `/topic/doc.${docId}`,
      {
        present: ({ body }) => this.#present(JSON.parse(body) as DocumentContent),
        message: ({ body }) => this.#committed(JSON.parse(body) as Operation),
        started: () => void (this.#isLive = false),
        live: () => this.#live(),
        refused: (error) => {
          this.#refusal = error;
          this.#notKept(error);
        },
      },
      { isResumable: true },
    );
    this.#stopCursors = client.subscribe(`/topic/doc.${docId}.cursors`, {
      started: () => this.#cursorsStarted(),
      message: ({ body }) => this.#cursorPlaced(JSON.parse(body) as CursorBody),
    });
    const stopState = client.onState(({ name }) => name === 'closed' && this.#clientClosed());
    this.#stops = [stop, stopState, onEnd];
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
    const { text } = draft;
    draft.edit(changes);
    const normal = normalise(changes);
    this.#history.edited(normal, text, performance.now());
    this.#edited(normal);
  }

  insert(position: number, text: string): void {
    this.edit([{ position, length: 0, text }]);
  }

  delete(position: number, length: number): void {
    this.edit([{ position, length, text: '' }]);
  }

  /**
   * Takes the user's newest edit back that is not undone yet, at once and also without a connection, and leaves what
   * others did. Typing that goes on within a second is one edit; of what was done before a `reset` nothing is taken back.
   *
   * @returns whether there was one.
   */
  undo(): boolean {
    return this.#again(this.#history.undo(this.text));
  }

  /** Does again what `undo` took back last, until there is a new edit. @returns whether there was something. */
  redo(): boolean {
    return this.#again(this.#history.redo(this.text));
  }

  /**
   * Sends what is not sent yet. Resolves when the server has all that the user did.
   *
   * @throws StagewireError as a rejection, when it does not get it: CLOSED with the client, or the server's refusal.
   */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.#client.state.name === 'closed') return Promise.reject(closed());
    const settled = this.#settlement.ask();
    this.#send();
    return settled;
  }

  /** For editors: tells that an edit was not taken, and what the editor showed with it; it shows `text` again now. */
  notTaken(lost: string): void {
    this.#events.tell({ type: 'reset', lost });
  }

  /** Shows the others where the user is. What goes along with the text as the user types need not be told. */
  placeCursor(position: number, anchor = position): void {
    this.#ownCursor.place({ position, anchor });
  }

  /** Stops following. What was not sent yet is still sent. */
  close(): void {
    this.#ownCursor.end();
    this.#stopCursors();
    const end = (): void => {
      clearTimeout(this.#sending);
      for (const stop of this.#stops) stop();
    };
    // The next operation goes when the one before it comes back.
    void this.settled().then(end, end);
  }

  #again(changes: Changes | null): boolean {
    if (!this.#draft || !changes) return false;
    this.#draft.edit(changes);
    this.#edited(changes);
    return true;
  }

  #edited(changes: Changes): void {
    this.#cursors.moved(changes, null);
    this.#ownCursor.moved(changes, 'right');
    this.#events.tell({ type: 'changed', changes, isOwn: true });
    this.#send();
    this.#tellSettled();
  }

  #present({ content, revision }: DocumentContent): void {
    const draft = this.#draft;
    // Nothing of the text was committed before the loss: it is the same document.
    if (draft && draft.revision === revision && draft.committed === content) return;
    this.#begin(content, revision, draft && !draft.isSettled ? draft.text : null);
  }

  #begin(content: string, revision: number, lost: string | null, reason?: StagewireError): void {
    this.#draft = new Draft(content, revision);
    this.#cursors.clear();
    this.#ownCursor.forgotten();
    this.#history.clear();
    if (lost !== null) {
      const other = 'The document has another text now than the edits were made in.';
      this.#settlement.reject(reason ?? new StagewireError('CONFLICT', other));
    }
    this.#events.tell({ type: 'reset', lost });
    this.#tellSettled();
  }

  #committed(operation: Operation): void {
    const { operationId, changes, serverRevision, userId } = operation;
    const draft = this.#draft;
    if (!draft || serverRevision < draft.revision) return;
    // Never applied to a text it was not made on.
    if (serverRevision > draft.revision) return void this.#reload();
    const change = draft.committedNext(operationId, changes);
    this.#history.carry(change);
    this.#cursors.moved(change, userId);
    this.#ownCursor.moved(change, 'left');
    this.#cursors.committed(operation, draft);
    if (change.length > 0) this.#events.tell({ type: 'changed', changes: change, isOwn: false });
    this.#send();
    this.#tellSettled();
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

  #tellPlace(place: Place): Place | null {
    const draft = this.#draft;
    if (!draft || !this.#isLive) return null;
    const told = (position: number): number => draft.toCommitted(Math.min(position, draft.text.length));
    const [position, anchor] = [told(place.position), told(place.anchor)];
    this.#client.tell(`/app/doc.cursor/${this.docId}`, { position, anchor, revision: draft.revision });
    return { position: draft.ownToText(position), anchor: draft.ownToText(anchor) };
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
    this.#ownCursor.forgotten();
    this.#ownCursor.tellNow();
  }

  #send(): void {
    const draft = this.#draft;
    if (!draft || !this.#isLive) return;
    if (!draft.underWay && !this.#mayGo(draft)) return;
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
        if (draft !== this.#draft || refusal.code === 'EXPIRED' || refusal.code === 'CLOSED') return;
        this.#events.tell({ type: 'refused', error: refusal });
        // It was refused, and with it all that was made after it: the text is what the server has.
        void this.#reload(refusal);
      });
  }

  /** Whether the next operation goes now; else it goes when its time has come. */
  #mayGo(draft: Draft): boolean {
    clearTimeout(this.#sending);
    if (draft.unsentCount === 0) this.#pace.rest();
    if (draft.unsentCount === 0 || this.#settlement.isAsked) return true;
    const waitMs = this.#pace.take(draft.unsentCount, performance.now());
    if (waitMs > 0) this.#sending = setTimeout(() => this.#send(), waitMs);
    return waitMs === 0;
  }

  async #reload(reason?: StagewireError): Promise<void> {
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
        const lost = draft?.isSettled ? null : this.text;
        if (!isBehind) this.#begin(answer.content, answer.revision, lost, reason);
      } else if (answer.code !== 'EXPIRED') {
        isBehind = false;
        if (answer.code !== 'CLOSED') this.#notKept(answer);
      }
    }
    this.#isReloading = false;
  }

  #clientClosed(): void {
    clearTimeout(this.#sending);
    if (!this.isSettled) this.#notKept(closed());
  }

  #notKept(error: StagewireError): void {
    this.#settlement.reject(error);
    this.#events.tell({ type: 'refused', error });
  }

  #tellSettled(): void {
    const { isSettled } = this;
    if (isSettled) this.#settlement.resolve();
    if (isSettled === this.#wasSettled) return;
    this.#wasSettled = isSettled;
    this.#events.tell({ type: 'settled', isSettled });
    if (isSettled) this.#ownCursor.tellLater();
  }
}

const closed = (): StagewireError =>
  new StagewireError('CLOSED', 'The client was closed before all was sent.');
