// A page with one editor of one document, for tests in a browser: `page.html?docId=…&token=…&url=…`.
import { history, historyKeymap } from '@codemirror/commands';
import { EditorView, keymap } from '@codemirror/view';
import { collaboration } from '../../src/client/codemirror.ts';
import { Stagewire, type Document } from '../../src/client/index.ts';

export interface EditorPage {
  readonly client: Stagewire;
  readonly shared: Document;
  readonly view: EditorView;
}

/** What a page hands to the test. */
export function openEditor(
  parent: never,
  options: { url: string; token: string; docId: string },
): EditorPage {
  const { url, token, docId } = options;
  const client = new Stagewire({ url, token, backoffMs: 50 });
  const shared = client.documents.open(docId);
  client.connect();
  const extensions = [history(), keymap.of(historyKeymap), collaboration(shared)];
  return { client, shared, view: new EditorView({ parent, extensions }) };
}
