// The client in a real browser: an editor on two pages.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { bundle } from '../support/bundle.ts';
import { runsPages } from '../support/chromium.ts';
import type { EditorPage, openEditor } from '../support/editor-page.ts';
import { startServer, type TestServer } from '../support/server.ts';

declare const window: { openEditor: typeof openEditor; editor: EditorPage };
declare const document: { body: never };

const html = `<!doctype html><html lang="en"><title>Editor</title><body><script type="module">
  import { openEditor } from './editor.js';
  window.openEditor = openEditor;
</script></body></html>`;

test('[CLIENT60] it weighs at most 15 KB gzipped, without the STOMP library', async () => {
  const code = await bundle('dist/src/client/index.js', ['@stomp/stompjs']);
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(15_000);
});

describe.runIf(runsPages)('CodeMirror', () => {
  let server: TestServer;
  let files: Server;
  let browser: Browser;
  const complaints: string[] = [];

  beforeAll(async () => {
    const script = await bundle('dist/test/support/editor-page.js');
    files = createServer(({ url }, response) => {
      const isScript = url === '/editor.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : html);
    }).listen(0, '127.0.0.1');
    await once(files, 'listening');
    server = await startServer({ settings: { origins: origin() } });
    browser = await openBrowser();
  });
  afterAll(() => {
    files.closeAllConnections();
    files.close();
  });

  function origin(): string {
    return `http://127.0.0.1:${(files.address() as { port: number }).port}`;
  }

  async function openPage(user: string, docId: string): Promise<Page> {
    const page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(origin());
    await page.waitForFunction(() => 'openEditor' in window);
    const options = { url: server.wsUrl, token: await server.token(user), docId };
    await page.evaluate((given) => {
      window.editor = window.openEditor(document.body, given);
    }, options);
    await page.waitForFunction(() => window.editor.shared.isOpen);
    return page;
  }

  const textOf = (page: Page): Promise<string> => page.evaluate(() => window.editor.view.state.sliceDoc());
  const settled = (page: Page): Promise<void> => page.evaluate(() => window.editor.shared.settled());

  test('[CLIENT61] two pages that type at once end with one text, and undo takes back the own typing alone', async () => {
    const [ann, bob] = [await openPage('ann', 'pages'), await openPage('bob', 'pages')];
    await Promise.all([
      ann.locator('.cm-content').pressSequentially('ann writes\nlines 👍'),
      bob.locator('.cm-content').pressSequentially('bob writes too'),
    ]);
    await Promise.all([settled(ann), settled(bob)]);
    const { content } = (await server.rest('GET', '/api/documents/pages', { user: 'ann' })).body as {
      content: string;
    };
    await expect.poll(() => textOf(ann)).toBe(content);
    await expect.poll(() => textOf(bob)).toBe(content);
    expect(content).toContain('👍');
    expect(content.length).toBe('ann writes\nlines 👍bob writes too'.length);
    await bob.locator('.cm-content').press('Control+z');
    await settled(bob);
    const undone = await textOf(bob);
    expect(undone).not.toBe(content);
    await expect.poll(() => textOf(ann)).toBe(undone);
    const count = (text: string, letter: string): number => text.split(letter).length;
    expect(count(undone, 'a')).toBe(count(content, 'a'));
    expect(complaints).toEqual([]);
  });

  test('[CLIENT62] the cursor and the selection of others are shown', async () => {
    const [ann, bob] = [await openPage('ann', 'cursors'), await openPage('bob', 'cursors')];
    await ann.locator('.cm-content').pressSequentially('some text');
    await bob.waitForFunction(() => window.editor.shared.text === 'some text');
    await ann.locator('.stagewire-cursor').waitFor({ state: 'detached' });
    await bob.locator('.cm-content').focus();
    await bob.locator('.cm-content').press('Shift+End');
    const cursor = ann.locator('.stagewire-cursor');
    await expect.poll(() => cursor.count()).toBe(1);
    expect(await cursor.getAttribute('title')).toBe('bob');
    await expect.poll(() => cursor.innerText()).toBe('bob');
    await bob.close();
    await expect.poll(() => cursor.count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('[CLIENT63] a text with carriage returns keeps them, and positions with them', async () => {
    const ann = await openPage('ann', 'returns');
    await ann.evaluate(() => window.editor.shared.insert(0, 'one\r\ntwo\r'));
    await settled(ann);
    const bob = await openPage('bob', 'returns');
    expect(await textOf(bob)).toBe('one\r\ntwo\r');
    await bob.locator('.cm-content').press('Control+End');
    await bob.keyboard.type('!');
    await settled(bob);
    await expect.poll(() => ann.evaluate(() => window.editor.shared.text)).toBe('one\r\ntwo\r!');
    expect(complaints).toEqual([]);
  });

  test('[CLIENT64] an emoji in the place of another, composed or by halves, cuts the editor off from nothing', async () => {
    const ann = await openPage('ann', 'emoji');
    const content = ann.locator('.cm-content');
    await content.focus();
    await ann.keyboard.insertText('x😀y');
    await content.press('ArrowLeft');
    const devTools = await ann.context().newCDPSession(ann);
    // All three have the same first half: what changes is the second alone.
    for (const text of ['😂', '😃']) {
      await devTools.send('Input.imeSetComposition', { text, selectionStart: 2, selectionEnd: 2 });
      await expect.poll(() => textOf(ann)).toBe(`x😀${text}y`);
    }
    await devTools.send('Input.insertText', { text: '😄' });
    await expect.poll(() => textOf(ann)).toBe('x😀😄y');
    expect(await ann.evaluate(() => window.editor.shared.text)).toBe('x😀😄y');
    await ann.evaluate(() => window.editor.view.dispatch({ changes: { from: 2, to: 3, insert: '\udc4d' } }));
    await expect
      .poll(() => ann.evaluate(() => window.editor.shared.text))
      .toBe('x👍😄y'.replace('👍', '\ud83d\udc4d'));
    await ann.evaluate(() => window.editor.view.dispatch({ changes: { from: 0, insert: '\ud83d' } }));
    await expect.poll(() => textOf(ann)).toBe('\ufffdx👍😄y');
    await ann.keyboard.type('!');
    await settled(ann);
    const bob = await openPage('bob', 'emoji');
    expect(await textOf(bob)).toBe(await textOf(ann));
    expect(await textOf(bob)).toContain('!');
    expect(complaints).toEqual([]);
  });

  test('[CLIENT65] an edit that the document does not take is told as lost, and the editor goes on', async () => {
    const ann = await openPage('ann', 'thrown');
    await ann.locator('.cm-content').pressSequentially('kept');
    const lost = await ann.evaluate(async () => {
      const { shared, view } = window.editor;
      const told = new Promise<string | null>((resolve) => {
        shared.onEvent((event) => event.type === 'reset' && resolve(event.lost));
      });
      Object.defineProperty(shared, 'edit', {
        configurable: true,
        value: () => {
          throw new Error('not now');
        },
      });
      view.dispatch({ changes: { from: 0, insert: 'not ' } });
      Reflect.deleteProperty(shared, 'edit');
      return told;
    });
    expect(lost).toBe('not kept');
    expect(await textOf(ann)).toBe('kept');
    await ann.keyboard.type(' on');
    await settled(ann);
    const bob = await openPage('bob', 'thrown');
    expect(await textOf(bob)).toBe(await textOf(ann));
    expect(await textOf(bob)).toContain(' on');
    expect(complaints).toEqual([]);
  });

  test('[CLIENT74] undo and redo by keyboard are those of CodeMirror, of own typing alone, also offline', async () => {
    const [ann, bob] = [await openPage('ann', 'keys'), await openPage('bob', 'keys')];
    await ann.locator('.cm-content').pressSequentially('hello');
    await bob.waitForFunction(() => window.editor.shared.text === 'hello');
    await bob.evaluate(() => window.editor.shared.insert(5, ' from bob'));
    await ann.waitForFunction(() => window.editor.shared.text === 'hello from bob');
    await ann.keyboard.press('Control+z');
    expect(await textOf(ann)).toBe(' from bob');
    await ann.keyboard.press('Control+y');
    expect(await textOf(ann)).toBe('hello from bob');
    await ann.context().setOffline(true);
    await ann.evaluate(() => window.editor.view.dispatch({ selection: { anchor: 0 } }));
    await ann.keyboard.type('OFF1 ');
    await ann.keyboard.press('Control+z');
    await ann.keyboard.type('OFF2 ');
    expect(await textOf(ann)).toBe('OFF2 hello from bob');
    await ann.context().setOffline(false);
    await settled(ann);
    await expect.poll(() => textOf(bob)).toBe('OFF2 hello from bob');
    expect(await textOf(ann)).toBe('OFF2 hello from bob');
    expect(complaints).toEqual([]);
  });

  test('[CLIENT9] a page without a network is offline at once, and back at once when there is one', async () => {
    const ann = await openPage('ann', 'offline');
    const state = (): Promise<string> => ann.evaluate(() => window.editor.client.state.name);
    await ann.context().setOffline(true);
    await expect.poll(state).toBe('offline');
    await ann.locator('.cm-content').pressSequentially('on the train');
    await ann.evaluate(() => window.editor.client.connect());
    expect(await state()).toBe('offline');
    await ann.context().setOffline(false);
    await settled(ann);
    expect(await state()).toBe('connected');
    expect(complaints).toEqual([]);
  });
});
