// Cursors that move with the edits of others, and taking back one's own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insert, openDocument, operationOf, remove } from '../support/documents.ts';
import { layouts } from '../support/layouts.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, RefusedError, type TestClient } from '../support/stomp.ts';

let documents = 0;

function newDocument(): string {
  documents += 1;
  return `doc-${documents}`;
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });
  afterAll(() => server.stop());

  const editor = (user: string): Promise<TestClient> => connectStomp(server, { user });

  function undo(client: TestClient, doc: string, body: object = {}): Promise<void> {
    return client.send(`/app/doc.undo/${doc}`, body);
  }

  test('[DOC30] a cursor is shown to all who subscribe, with whose it is', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await insert(alice, doc, [0, 'hello', 0]);
    await bob.subscribe(`/topic/doc.${doc}.cursors`);
    await alice.send(`/app/doc.cursor/${doc}`, { position: 3 });
    await alice.send(`/app/doc.cursor/${doc}`, { position: 1, anchor: 5 });
    const [first, second] = (await bob.messages(`/topic/doc.${doc}.cursors`, 2)).map(parse);
    expect(first).toEqual({
      docId: doc,
      userId: 'alice',
      sessionId: expect.any(String),
      position: 3,
      anchor: 3,
      revision: 1,
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(second).toMatchObject({ position: 1, anchor: 5, sessionId: first?.['sessionId'] });
  });

  test('[DOC31] cursors move with the edits of all, and a newcomer sees them where they are now', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await insert(alice, doc, [0, 'hello world', 0]);
    await alice.send(`/app/doc.cursor/${doc}`, { position: 6, anchor: 11 });
    await bob.send(`/app/doc.cursor/${doc}`, { position: 5 });
    await insert(bob, doc, [0, '>> ', 1]);
    await remove(bob, doc, [3, 2, 2]);
    await bob.subscribe(`/topic/doc.${doc}.cursors`);
    const shown = (await bob.messages(`/topic/doc.${doc}.cursors`, 2)).map(parse);
    expect(shown).toMatchObject([
      { userId: 'alice', position: 7, anchor: 12, revision: 3 },
      { userId: 'bob', position: 6, revision: 3 },
    ]);
  });

  test('[DOC32] a cursor may be given in an earlier revision; outside the text it is BAD_REQUEST', async () => {
    const doc = newDocument();
    const alice = await editor('alice');
    await insert(alice, doc, [0, 'abc', 0]);
    await insert(alice, doc, [0, '>> ', 1]);
    await alice.subscribe(`/topic/doc.${doc}.cursors`);
    await alice.send(`/app/doc.cursor/${doc}`, { position: 3, revision: 1 });
    const [cursor] = (await alice.messages(`/topic/doc.${doc}.cursors`, 1)).map(parse);
    expect(cursor).toMatchObject({ position: 6, revision: 2 });
    for (const wrong of [{ position: 7 }, { position: 4, revision: 1 }, { position: 0, revision: 3 }, {}]) {
      const refused = await alice.send(`/app/doc.cursor/${doc}`, wrong).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(RefusedError);
      expect((refused as RefusedError).refusal).toMatchObject({ code: 'BAD_REQUEST', docId: doc });
    }
  });

  test('[DOC33] a cursor goes with its session', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    const topic = `/topic/doc.${doc}.cursors`;
    await bob.subscribe(topic);
    await alice.send(`/app/doc.cursor/${doc}`, { position: 0 });
    alice.cut();
    const [shown, gone] = (await bob.messages(topic, 2)).map(parse);
    expect(gone).toMatchObject({ userId: 'alice', sessionId: shown?.['sessionId'], position: null });
    const carol = await editor('carol');
    await carol.subscribe(topic);
    expect(carol.received(topic)).toEqual([]);
  });

  test('[DOC34] undo takes back one’s own last operation, and the one before it, over the edits of others', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await insert(alice, doc, [0, 'one two three', 0]);
    await insert(alice, doc, [13, ' four', 1]);
    await insert(bob, doc, [0, 'BOB ', 2]);
    await remove(bob, doc, [17, 1, 3]);
    await undo(alice, doc);
    expect((await openDocument(alice, doc)).content).toBe('BOB one two three');
    await undo(alice, doc);
    expect((await openDocument(alice, doc)).content).toBe('BOB ');
    const refused = await undo(alice, doc).catch((error: unknown) => error);
    expect((refused as RefusedError).refusal).toMatchObject({ code: 'CONFLICT', docId: doc });
  });

  test('[DOC35] undo of a delete brings the text back, with what others wrote there meanwhile', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await insert(bob, doc, [0, 'keep this text', 0]);
    await remove(alice, doc, [4, 5, 1]);
    await insert(bob, doc, [4, '!', 2]);
    await undo(alice, doc);
    expect((await openDocument(alice, doc)).content).toBe('keep! this text');
  });

  test('[DOC36] an undo is an operation like others: broadcast, once only, and there after a new one of one’s own', async () => {
    const doc = newDocument();
    const alice = await editor('alice');
    const topic = `/topic/doc.${doc}`;
    await alice.subscribe(topic);
    await insert(alice, doc, [0, 'abc', 0]);
    await insert(alice, doc, [3, 'def', 1]);
    await undo(alice, doc, { operationId: 'back' });
    await undo(alice, doc, { operationId: 'back' });
    const frames = await alice.messages(topic, 3);
    expect(frames.map(operationOf).at(-1)).toMatchObject({
      type: 'DELETE',
      position: 3,
      length: 3,
      operationId: 'back',
      userId: 'alice',
      revision: 2,
      serverRevision: 2,
    });
    await insert(alice, doc, [3, 'ghi', 3]);
    await undo(alice, doc);
    await undo(alice, doc);
    expect(await openDocument(alice, doc)).toMatchObject({ content: '', revision: 6 });
  });
});
