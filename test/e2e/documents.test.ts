// Documents edited together, as their editors see them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { applied, insert, openDocument, operationOf, remove } from '../support/documents.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, RefusedError, type TestClient } from '../support/stomp.ts';

let documents = 0;

function newDocument(): string {
  documents += 1;
  return `doc-${documents}`;
}

async function refusalOf(asked: Promise<unknown>): Promise<Readonly<Record<string, unknown>>> {
  const thrown = await asked.catch((error: unknown) => error);
  if (thrown instanceof RefusedError) return thrown.refusal;
  return expect.fail(`not refused: ${String(thrown)}`);
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  const editor = (user: string): Promise<TestClient> => connectStomp(server, { user });

  test('[DOC1] a document that nobody has changed opens empty, at revision 0', async () => {
    const doc = newDocument();
    const alice = await editor('alice');
    expect(await openDocument(alice, doc)).toEqual({ docId: doc, content: '', revision: 0 });
    expect((await server.rest('GET', `/api/documents/${doc}`, { user: 'alice' })).status).toBe(404);
  });

  test.each([
    ['TOO_LARGE', 'long', 'x'.repeat(256)],
    ['BAD_REQUEST', 'a wildcard', 'a*'],
    ['BAD_REQUEST', 'a placeholder', '{id}'],
    ['BAD_REQUEST', 'a control character', 'a\nb'],
    ['BAD_REQUEST', 'what its own cursors would be called', 'a.cursors'],
  ])('[DOC12] an id that nobody could follow is %s: %s', async (code, _name, doc) => {
    const alice = await editor('alice');
    const operation = { type: 'INSERT', position: 0, text: 'x', revision: 0 };
    const refused = { refusal: { code, docId: doc } };
    await expect(alice.subscribe(`/app/doc.open/${doc}`)).rejects.toMatchObject(refused);
    await expect(alice.send(`/app/doc.operation/${doc}`, operation)).rejects.toMatchObject(refused);
    await expect(alice.send(`/app/doc.cursor/${doc}`, { position: 0 })).rejects.toMatchObject(refused);
    const there = await server.rest('GET', `/api/documents/${encodeURIComponent(doc)}`, { user: 'alice' });
    expect(there.status).toBe(404);
  });

  test.each(['x'.repeat(255), 'a b', 'ü:😀', 'a.b', '__proto__', '{}', '.cursors.a'])(
    '[DOC12] any other is an id: %s',
    async (doc) => {
      const alice = await editor('alice');
      await alice.subscribe(`/topic/doc.${doc}`);
      await insert(alice, doc, [0, 'x', 0]);
      expect((await openDocument(alice, doc)).docId).toBe(doc);
      await alice.messages(`/topic/doc.${doc}`, 1);
      const path = `/api/documents/${encodeURIComponent(doc)}`;
      expect((await server.rest('GET', path, { user: 'alice' })).body).toMatchObject({ content: 'x' });
    },
  );

  test('[DOC2] an operation is broadcast with its revision, its plain form and its changes', async () => {
    const doc = newDocument();
    const alice = await editor('alice');
    const topic = `/topic/doc.${doc}`;
    await alice.subscribe(topic);
    const to = `/app/doc.operation/${doc}`;
    await alice.send(to, { type: 'INSERT', position: 0, text: 'hello', revision: 0, operationId: 'one' });
    await alice.send(to, { type: 'DELETE', position: 1, length: 3, revision: 1, operationId: 'two' });
    const [first, second] = await alice.messages(topic, 2);
    expect(first && operationOf(first)).toEqual({
      type: 'INSERT',
      position: 0,
      text: 'hello',
      length: 0,
      revision: 0,
      serverRevision: 0,
      operationId: 'one',
      userId: 'alice',
      changes: [{ position: 0, length: 0, text: 'hello' }],
    });
    expect(second && operationOf(second)).toEqual({
      type: 'DELETE',
      position: 1,
      text: '',
      length: 3,
      revision: 1,
      serverRevision: 1,
      operationId: 'two',
      userId: 'alice',
      changes: [{ position: 1, length: 3, text: '' }],
    });
    expect([first?.headers['seq'], second?.headers['seq']]).toEqual(['1', '2']);
    expect(await openDocument(alice, doc)).toEqual({ docId: doc, content: 'ho', revision: 2 });
  });

  test('[DOC3] of two insertions at one place made at once, the one committed first stands left', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await insert(alice, doc, [0, '[]', 0]);
    await insert(alice, doc, [1, 'first', 1]);
    await insert(bob, doc, [1, 'second', 1]);
    expect((await openDocument(bob, doc)).content).toBe('[firstsecond]');
  });

  test('[DOC4] an insertion within units that others delete stays, and the delete is parted in two', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await bob.subscribe(`/topic/doc.${doc}`);
    await insert(alice, doc, [0, 'abcdef', 0]);
    await insert(alice, doc, [3, 'NEW', 1]);
    await remove(bob, doc, [1, 4, 1]);
    const frames = await bob.messages(`/topic/doc.${doc}`, 3);
    const last = operationOf(frames[2] as (typeof frames)[0]);
    expect(last).not.toHaveProperty('type');
    expect(last.changes).toEqual([
      { position: 1, length: 2, text: '' },
      { position: 6, length: 2, text: '' },
    ]);
    expect((await openDocument(bob, doc)).content).toBe('aNEWf');

    const other = newDocument();
    await insert(alice, other, [0, 'abcdef', 0]);
    await remove(bob, other, [1, 4, 1]);
    await insert(alice, other, [3, 'NEW', 1]);
    expect((await openDocument(alice, other)).content).toBe('aNEWf');
  });

  test('[DOC5] what two delete at once is deleted once; an operation made void is a revision without changes', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await bob.subscribe(`/topic/doc.${doc}`);
    await insert(alice, doc, [0, 'abcdef', 0]);
    await remove(alice, doc, [1, 3, 1]);
    await remove(bob, doc, [2, 3, 1]);
    await remove(bob, doc, [2, 1, 1]);
    const frames = await bob.messages(`/topic/doc.${doc}`, 4);
    const [third, fourth] = frames.slice(2).map(operationOf);
    expect(third).toMatchObject({ type: 'DELETE', position: 1, length: 1, serverRevision: 2 });
    expect(fourth).toMatchObject({ changes: [], serverRevision: 3 });
    expect(fourth).not.toHaveProperty('type');
    expect(await openDocument(bob, doc)).toMatchObject({ content: 'af', revision: 4 });
  });

  test.each([
    ['a position outside the document', { type: 'INSERT', position: 7, text: 'x', revision: 1 }],
    ['a length beyond its end', { type: 'DELETE', position: 4, length: 3, revision: 1 }],
    ['a revision that is not there yet', { type: 'INSERT', position: 0, text: 'x', revision: 2 }],
    ['an insertion of nothing', { type: 'INSERT', position: 0, text: '', revision: 1 }],
    ['a deletion of nothing', { type: 'DELETE', position: 0, length: 0, revision: 1 }],
    ['a cut through a surrogate pair', { type: 'INSERT', position: 5, text: 'x', revision: 1 }],
    ['a deletion of half a pair', { type: 'DELETE', position: 4, length: 1, revision: 1 }],
    ['another type', { type: 'MOVE', position: 0, revision: 1 }],
    ['a position below zero', { type: 'INSERT', position: -1, text: 'x', revision: 1 }],
    ['a position that is no whole number', { type: 'INSERT', position: 0.5, text: 'x', revision: 1 }],
    ['no revision', { type: 'INSERT', position: 0, text: 'x' }],
    ['half a pair in the text', '{"type":"INSERT","position":0,"text":"\\ud83d","revision":1}'],
    ['no JSON', 'x'],
  ])('[DOC6] %s is BAD_REQUEST with the docId, and nothing happens', async (_what, body) => {
    const doc = newDocument();
    const alice = await editor('alice');
    await insert(alice, doc, [0, 'abcd👍', 0]);
    const refusal = await refusalOf(alice.send(`/app/doc.operation/${doc}`, body));
    expect(refusal).toMatchObject({ code: 'BAD_REQUEST', docId: doc });
    expect(await openDocument(alice, doc)).toMatchObject({ content: 'abcd👍', revision: 1 });
  });

  test('[DOC7] a repeated operationId gets its RECEIPT and no second effect, whatever its revision says', async () => {
    const doc = newDocument();
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    const once = { type: 'INSERT', position: 0, text: 'once', revision: 0, operationId: 'mine' };
    await alice.send(`/app/doc.operation/${doc}`, once);
    await alice.send(`/app/doc.operation/${doc}`, once);
    await alice.send(`/app/doc.operation/${doc}`, { ...once, revision: 1 });
    expect(await openDocument(alice, doc)).toMatchObject({ content: 'once', revision: 1 });
    // Ids are each user's own.
    await bob.send(`/app/doc.operation/${doc}`, { ...once, text: 'bob’s ' });
    expect(await openDocument(alice, doc)).toMatchObject({ revision: 2 });
  });

  test('[DOC8] all editors on all edges see one order, and who applies it has the text', async () => {
    const doc = newDocument();
    const topic = `/topic/doc.${doc}`;
    const clients = await connectOnEveryEdge(server, layout, { user: 'alice' });
    const [bob, carol] = [await editor('bob'), await editor('carol')];
    for (const client of [...clients, bob, carol]) await client.subscribe(topic);
    await insert(bob, doc, [0, '0123456789', 0]);
    await Promise.all(
      [bob, carol].flatMap((client, index) =>
        Array.from({ length: 20 }, (_none, count) =>
          count % 3 === 0
            ? remove(client, doc, [(count + index) % 9, 1, 1])
            : insert(client, doc, [(count * 7 + index) % 10, `<${index}.${count}>`, 1]),
        ),
      ),
    );
    const { content } = await openDocument(bob, doc);
    for (const client of [...clients, bob, carol]) {
      const frames = await client.messages(topic, 41);
      expect(frames.map(({ headers }) => Number(headers['seq']))).toEqual(frames.map((_frame, at) => at + 1));
      expect(applied('', frames)).toBe(content);
    }
    for (const index of [0, 1]) expect(content.split(`<${index}.`).length - 1).toBe(13);
  });

  test('[DOC9] a subscription resumes after the operation it names; else it is told the text as it is', async () => {
    const doc = newDocument();
    const topic = `/topic/doc.${doc}`;
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    await bob.subscribe(topic);
    await insert(alice, doc, [0, 'a', 0]);
    const [first] = await bob.messages(topic, 1);
    bob.cut();
    await insert(alice, doc, [1, 'b', 1]);
    await insert(alice, doc, [2, 'c', 2]);
    const again = await editor('bob');
    await again.subscribe(topic, { resume: `${first?.headers['epoch']}:1` });
    const missed = await again.messages(topic, 2);
    expect(missed.map(({ headers }) => headers['seq'])).toEqual(['2', '3']);
    expect(missed[0]?.headers['recovered']).toBe('true');
    expect(applied('a', missed)).toBe('abc');

    const lost = await editor('bob');
    await lost.subscribe(topic, { resume: 'another:1' });
    const [state] = await lost.messages(topic, 1);
    expect(state?.headers).toMatchObject({ recovered: 'false', seq: '3', epoch: first?.headers['epoch'] });
    expect(JSON.parse(state?.body ?? '')).toEqual({ docId: doc, content: 'abc', revision: 3 });
  });

  test('[DOC10] when an operation is seen or receipted it is in the database', async () => {
    const doc = newDocument();
    const topic = `/topic/doc.${doc}`;
    const [alice, bob] = [await editor('alice'), await editor('bob')];
    const database = new DatabaseView(server.databaseUrl);
    const stored = (): number =>
      database.rows('SELECT revision FROM document_operations WHERE doc_id = ?', doc).length;
    await bob.subscribe(topic);
    for (let revision = 0; revision < 20; revision += 1) {
      const done = insert(alice, doc, [revision, 'x', revision]);
      const seen = bob.messages(topic, revision + 1);
      await Promise.race([done, seen]);
      expect(stored()).toBe(revision + 1);
      await Promise.all([done, seen]);
    }
    database.close();
  });

  test('[DOC11] nobody but the server writes to the topics of a document', async () => {
    const alice = await editor('alice');
    for (const topic of ['/topic/doc.x', '/topic/doc.x.cursors']) {
      expect(await refusalOf(alice.send(topic, 'hello'))).toMatchObject({ code: 'FORBIDDEN' });
    }
  });

  afterAll(() => server.stop());
});
