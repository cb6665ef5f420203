// A CodeMirror 6 editor of a document that others edit too: `stagewire/client/codemirror`.
import { Annotation, EditorState, Prec, type ChangeSet, type Extension } from '@codemirror/state';
import {
  Decoration,
  keymap,
  ViewPlugin,
  WidgetType,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from '@codemirror/view';
import type { Change, Changes } from '../text/changes.ts';
import type { Cursor } from './cursors.ts';
import type { Document, DocumentEvent } from './documents.ts';

/** Marks what did not come from this editor. */
const fromOthers = Annotation.define<true>();

/** How a cursor of others looks: by default a bar in a colour of the user's, with the name as its title. */
class CursorWidget extends WidgetType {
  readonly #userId: string;

  constructor(userId: string) {
    super();
    this.#userId = userId;
  }

  override eq(other: CursorWidget): boolean {
    return other.#userId === this.#userId;
  }

  override toDOM(view: EditorView): ReturnType<WidgetType['toDOM']> {
    const bar = view.dom.ownerDocument.createElement('span');
    bar.className = 'stagewire-cursor';
    bar.title = this.#userId;
    bar.style.borderLeft = `2px solid ${colourOf(this.#userId)}`;
    bar.style.marginLeft = '-1px';
    return bar;
  }
}

function colourOf(userId: string): string {
  let hue = 0;
  for (const character of userId) hue = (hue * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return `hsl(${hue} 70% 45%)`;
}

function changesOf(set: ChangeSet): Changes {
  const changes: Change[] = [];
  set.iterChanges((from, to, _fromAfter, _toAfter, inserted) => {
    changes.push({ position: from, length: to - from, text: inserted.sliceString(0, undefined, '\n') });
  }, true);
  return changes;
}

function decorationsOf(cursors: readonly Cursor[], length: number): DecorationSet {
  const within = (position: number): number => Math.min(position, length);
  const marks = cursors.flatMap(({ userId, position, anchor }) => {
    const [from, to] = [Math.min(position, anchor), Math.max(position, anchor)].map(within) as [
      number,
      number,
    ];
    const background = `color-mix(in srgb, ${colourOf(userId)} 20%, transparent)`;
    const selected = Decoration.mark({ attributes: { style: `background-color: ${background}` } });
    const bar = Decoration.widget({ widget: new CursorWidget(userId), side: 1 }).range(within(position));
    return from < to ? [selected.range(from, to), bar] : [bar];
  });
  return Decoration.set(marks, true);
}

/** Joins one editor with the document: what the one does, the other hears of. */
class Binding {
  decorations: DecorationSet = Decoration.none;
  readonly #view: EditorView;
  readonly #document: Document;
  readonly #stop: () => void;
  #isEditing = false;

  constructor(view: EditorView, document: Document) {
    this.#view = view;
    this.#document = document;
    this.#stop = document.onEvent((event) => this.#heard(event));
    // Within the making of a view it can't be changed.
    queueMicrotask(() => document.isOpen && this.#replace());
  }

  update(update: ViewUpdate): void {
    for (const transaction of update.transactions) {
      if (transaction.docChanged && transaction.annotation(fromOthers) === undefined) {
        this.#isEditing = true;
        try {
          this.#document.edit(changesOf(transaction.changes));
        } finally {
          this.#isEditing = false;
        }
      }
    }
    if (update.selectionSet || update.docChanged) {
      const { head, anchor } = update.state.selection.main;
      if (this.#document.isOpen && update.view.hasFocus) this.#document.placeCursor(head, anchor);
    }
    this.decorations = decorationsOf(this.#document.cursors, update.state.doc.length);
  }

  destroy(): void {
    this.#stop();
  }

  #heard(event: DocumentEvent): void {
    // What this editor does comes back while it does it.
    if (this.#isEditing) return;
    if (event.type === 'changed') {
      const changes = event.changes.map(({ position, length, text }) => ({
        from: position,
        to: position + length,
        insert: this.#view.state.toText(text),
      }));
      this.#view.dispatch({ changes, annotations: fromOthers.of(true) });
    } else if (event.type === 'reset') this.#replace();
    else if (event.type === 'cursors') this.#view.dispatch({});
  }

  #replace(): void {
    const { state } = this.#view;
    const { text } = this.#document;
    if (state.sliceDoc() === text) return;
    this.#view.dispatch({
      changes: { from: 0, to: state.doc.length, insert: state.toText(text) },
      annotations: fromOthers.of(true),
    });
  }
}

/**
 * Editing of a document: its text, the others' cursors, and undo (Mod-z) that takes back the user's own edits alone.
 * Nothing can be typed before the text is there. Leave out CodeMirror's own history.
 */
export function collaboration(document: Document): Extension {
  const undo = (): boolean => {
    void document.undo().catch(() => undefined);
    return true;
  };
  return [
    // Any other separator would make one unit of what the document has as two.
    EditorState.lineSeparator.of('\n'),
    EditorState.transactionFilter.of((transaction) => {
      const isOwn = transaction.docChanged && transaction.annotation(fromOthers) === undefined;
      return isOwn && !document.isOpen ? [] : transaction;
    }),
    ViewPlugin.define((view) => new Binding(view, document), {
      decorations: ({ decorations }) => decorations,
    }),
    Prec.high(keymap.of([{ key: 'Mod-z', run: undo, preventDefault: true }])),
  ];
}
