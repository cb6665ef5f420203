// A CodeMirror 6 editor of a document that others edit too: `stagewire/client/codemirror`.
import {
  Annotation,
  EditorState,
  Transaction,
  type ChangeSet,
  type Extension,
  type TransactionSpec,
} from '@codemirror/state';
import {
  Decoration,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from '@codemirror/view';
import type { Change, Changes } from '../text/changes.ts';
import { cursorTheme, decorationsOf } from './codemirror-cursors.ts';
import type { Document, DocumentEvent } from './document.ts';
import { difference, wholePairs } from './pairs.ts';

/** Marks what did not come from this editor. */
const fromDocument = Annotation.define<true>();

function changesOf(set: ChangeSet): Changes {
  const changes: Change[] = [];
  set.iterChanges((from, to, _fromAfter, _toAfter, inserted) => {
    changes.push({ position: from, length: to - from, text: inserted.sliceString(0, undefined, '\n') });
  }, true);
  return changes;
}

/** Joins one editor with the document: what the one does, the other hears of. */
class Binding {
  decorations: DecorationSet = Decoration.none;
  readonly #view: EditorView;
  readonly #document: Document;
  readonly #stop: () => void;
  /** Until its own edit has come back to it. */
  #isEditing = false;
  /** The two differ, and are made the same once the editor can be changed. */
  #isApart = false;
  /** What the editor showed when an edit of it was not taken. */
  #lost: string | null = null;
  #isDestroyed = false;

  constructor(view: EditorView, document: Document) {
    this.#view = view;
    this.#document = document;
    this.#stop = document.onEvent((event) => this.#heard(event));
    // Within the making of a view it can't be changed.
    this.#joinSoon();
  }

  update(update: ViewUpdate): void {
    for (const transaction of update.transactions) {
      if (transaction.docChanged && transaction.annotation(fromDocument) === undefined) {
        this.#edited(transaction);
      }
    }
    if (update.selectionSet || update.docChanged) {
      const { head, anchor } = update.state.selection.main;
      if (this.#document.isOpen && update.view.hasFocus) this.#document.placeCursor(head, anchor);
    }
    this.decorations = decorationsOf(this.#document.cursors, update.state.doc.length);
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#stop();
  }

  /** What is thrown here would end the plugin, and the editor would go on without its document. */
  #edited(transaction: Transaction): void {
    this.#isEditing = true;
    try {
      const { text } = this.#document;
      if (transaction.startState.doc.length !== text.length) throw new RangeError('not the document');
      const { changes, isExact } = wholePairs(changesOf(transaction.changes), text);
      this.#document.edit(changes);
      if (!isExact) this.#joinSoon();
    } catch {
      this.#lost = transaction.newDoc.sliceString(0, undefined, '\n');
      this.#joinSoon();
    }
    this.#isEditing = false;
  }

  #heard(event: DocumentEvent): void {
    if (event.type === 'reset') return this.#join();
    if (this.#isApart) return;
    if (event.type === 'cursors') this.#dispatch({});
    if (event.type !== 'changed') return;
    if (this.#isEditing) {
      this.#isEditing = false;
      return;
    }
    this.#dispatch(this.#specOf(event.changes, event.isOwn));
  }

  #specOf(changes: Changes, isOwn: boolean): TransactionSpec {
    const { state } = this.#view;
    return {
      changes: changes.map(({ position, length, text }) => ({
        from: position,
        to: position + length,
        insert: state.toText(text),
      })),
      annotations: [fromDocument.of(true), Transaction.addToHistory.of(false), Transaction.remote.of(!isOwn)],
    };
  }

  /** While the editor is changing it takes nothing, and it takes no change of a text that it has not. */
  #dispatch(spec: TransactionSpec): void {
    try {
      this.#view.dispatch(spec);
    } catch {
      this.#joinSoon();
    }
  }

  #joinSoon(): void {
    if (this.#isApart) return;
    this.#isApart = true;
    queueMicrotask(() => this.#join());
  }

  /** Makes the editor's text the document's. */
  #join(): void {
    this.#isApart = false;
    if (this.#isDestroyed || !this.#document.isOpen) return;
    const change = difference(this.#view.state.sliceDoc(), this.#document.text);
    if (change) this.#dispatch(this.#specOf([change], false));
    const lost = this.#lost;
    this.#lost = null;
    if (lost !== null && !this.#isApart) this.#document.notTaken(lost);
  }
}

/**
 * Editing of a document in an editor: its text, and the others' cursors with their users' names. Nothing can be typed
 * before the text is there, and the text that the editor was made with gives way to it.
 *
 * For undo and redo use CodeMirror's own, `history()` and `historyKeymap` of `@codemirror/commands`, which `basicSetup`
 * has: they take back what was done in this editor alone, for what others do is kept out of them. `Document.undo()`
 * is for what edits without CodeMirror.
 *
 * What the user typed and could not be kept is in the `reset` event of the document, as `lost`.
 */
export function collaboration(document: Document): Extension {
  return [
    // Any other separator would make one unit of what the document has as two.
    EditorState.lineSeparator.of('\n'),
    EditorState.transactionFilter.of((transaction) => {
      const isOwn = transaction.docChanged && transaction.annotation(fromDocument) === undefined;
      return isOwn && !document.isOpen ? [] : transaction;
    }),
    ViewPlugin.define((view) => new Binding(view, document), {
      decorations: ({ decorations }) => decorations,
    }),
    cursorTheme,
  ];
}
