// How the cursors and selections of others look in CodeMirror.
import type { Extension } from '@codemirror/state';
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view';
import type { Cursor } from './cursors.ts';

/** A bar in a colour of the user's, with the user's name above it. */
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
    const { ownerDocument } = view.dom;
    const bar = ownerDocument.createElement('span');
    bar.className = 'stagewire-cursor';
    bar.title = this.#userId;
    bar.style.borderColor = colourOf(this.#userId);
    const name = ownerDocument.createElement('span');
    name.className = 'stagewire-cursor-name';
    name.textContent = this.#userId;
    name.style.backgroundColor = colourOf(this.#userId);
    bar.append(name);
    return bar;
  }
}

function colourOf(userId: string): string {
  let hue = 0;
  for (const character of userId) hue = (hue * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return `hsl(${hue} 70% 35%)`;
}

/** Takes no room in the line: a text does not move when somebody's cursor does. */
export const cursorTheme: Extension = EditorView.baseTheme({
  '.stagewire-cursor': {
    position: 'relative',
    borderLeft: '2px solid',
    marginLeft: '-1px',
    marginRight: '-1px',
  },
  '.stagewire-cursor-name': {
    position: 'absolute',
    bottom: '100%',
    left: '-2px',
    padding: '0 0.3em',
    color: 'white',
    fontSize: '0.7em',
    lineHeight: '1.4',
    whiteSpace: 'nowrap',
    pointerEvents: 'none',
    userSelect: 'none',
    zIndex: '1',
  },
});

/** @param length of the editor's text. */
export function decorationsOf(cursors: readonly Cursor[], length: number): DecorationSet {
  const within = (position: number): number => Math.min(position, length);
  const marks = cursors.flatMap(({ userId, position, anchor }) => {
    const from = within(Math.min(position, anchor));
    const to = within(Math.max(position, anchor));
    const background = `color-mix(in srgb, ${colourOf(userId)} 20%, transparent)`;
    const selected = Decoration.mark({ attributes: { style: `background-color: ${background}` } });
    const bar = Decoration.widget({ widget: new CursorWidget(userId), side: 1 }).range(within(position));
    return from < to ? [selected.range(from, to), bar] : [bar];
  });
  return Decoration.set(marks, true);
}
