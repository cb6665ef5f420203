// Documents over time: restarts, old revisions, long histories, and what REST tells.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { applied, insert, openDocument, type OperationMessage } from '../support/documents.ts';
import { sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type RefusedError, type TestClient } from '../support/stomp.ts';

const operationsKept = 10_000;

function insertions(count: number, from: number): string[] {
  return Array.from({ length: count }, (_none, index) =>
    JSON.stringify({
      type: 'INSERT',
      position: 0,
      text: String((from + index) % 10),
      revision: from + index,
      operationId: `many-${from + index}`,
    }),
  );
}

/** What the document of so many of those insertions is. */
function digits(count: number): string {
  return Array.from({ length: count }, (_none, index) => String((count - 1 - index) % 10)).join('');
}

describe('a document', () => {
  let server: TestServer;
  let alice: TestClient;

  beforeAll(async () => {
    server = await startServer();
    alice = await connectStomp(server, { user: 'alice' });
  });

  const get = (path: string, user = 'alice') => server.rest('GET', `/api/documents/${path}`, { user });

  test('[DOC40] is read over REST by whoever is signed in', async () => {
    await insert(alice, 'r', [0, 'text', 0]);
    expect(await get('r')).toMatchObject({ status: 200, body: { docId: 'r', content: 'text', revision: 1 } });
    expect(await get('r', 'eve')).toMatchObject({ status: 200 });
    expect((await server.rest('GET', '/api/documents/r')).status).toBe(401);
    const missing = { status: 404, body: { code: 'NOT_FOUND', docId: 'none' } };
    expect(await get('none')).toMatchObject(missing);
    expect(await get('none/operations')).toMatchObject(missing);
  });

  test('[DOC41] lists its operations since a revision, as they were broadcast', async () => {
    await alice.subscribe('/topic/doc.l');
    for (const [index, text] of ['a', 'b', 'c'].entries()) await insert(alice, 'l', [index, text, index]);
    const live = (await alice.messages('/topic/doc.l', 3)).map((frame) => JSON.parse(frame.body) as unknown);
    expect((await get('l/operations')).body).toEqual(live);
    expect((await get('l/operations?since=1')).body).toEqual(live.slice(1));
    expect((await get('l/operations?since=1&limit=1')).body).toEqual(live.slice(1, 2));
    expect((await get('l/operations?since=3')).body).toEqual([]);
    for (const query of ['since=x', 'since=-1', 'since=4', 'limit=0', 'limit=100000', 'limit=x']) {
      expect(await get(`l/operations?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'BAD_REQUEST' },
      });
    }
  });

  test('[DOC42] takes no more than its bound, and stays as it was', async () => {
    const unit = 'x'.repeat(60_000);
    const bodies = Array.from({ length: 69 }, (_none, revision) =>
      JSON.stringify({ type: 'INSERT', position: 0, text: unit, revision, operationId: `big-${revision}` }),
    );
    await sendMany(alice, '/app/doc.operation/big', bodies);
    const refused = await insert(alice, 'big', [0, unit, 69]).catch((error: unknown) => error);
    expect((refused as RefusedError).refusal).toMatchObject({ code: 'TOO_LARGE', docId: 'big' });
    expect(await openDocument(alice, 'big')).toMatchObject({ revision: 69 });
  });

  test('[DOC45] is opened by a client that reads slowly, however large it is and however often it is asked', async () => {
    const bob = await connectStomp(server, { user: 'bob' });
    bob.pause();
    const times = 12;
    for (let id = 0; id < times; id += 1) {
      bob.sendFrame('SUBSCRIBE', { id: `open-${id}`, destination: '/app/doc.open/big' });
    }
    await insert(alice, 'beside', [0, 'goes on', 0]);
    bob.readOn();
    const answers = await bob.messages('/app/doc.open/big', times);
    expect(new Set(answers.map(({ headers }) => headers['subscription'])).size).toBe(times);
    expect(new Set(answers.map(({ body }) => body.length)).size).toBe(1);
  });

  afterAll(() => server.stop());
});

test('[DOC43] a document is there as it was after the server was killed, with its snapshots and without', async () => {
  const server = await startServer();
  const alice = await connectStomp(server, { user: 'alice' });
  await sendMany(alice, '/app/doc.operation/long', insertions(2_345, 0));
  await sendMany(alice, '/app/doc.operation/short', insertions(45, 0));
  await server.kill();
  const view = new DatabaseView(server.databaseUrl);
  expect(
    view.rows('SELECT max(revision) AS revision FROM document_snapshots WHERE doc_id = ?', 'long'),
  ).toEqual([{ revision: 2_000 }]);
  view.close();
  const again = await server.restart();
  const bob = await connectStomp(again, { user: 'bob' });
  expect(await openDocument(bob, 'long')).toEqual({ docId: 'long', content: digits(2_345), revision: 2_345 });
  expect(await openDocument(bob, 'short')).toEqual({ docId: 'short', content: digits(45), revision: 45 });
  await insert(bob, 'long', [0, '>', 2_345]);
  expect(await openDocument(bob, 'long')).toMatchObject({ revision: 2_346 });
});

test('[DOC44] an operation may be based on any of the last 10,000 revisions; an older one is CONFLICT', async () => {
  const server = await startServer();
  const alice = await connectStomp(server, { user: 'alice' });
  const count = operationsKept + 1_500;
  await alice.subscribe('/topic/doc.old');
  await sendMany(alice, '/app/doc.operation/old', insertions(count, 0));
  const base = count - operationsKept;
  // The end of the text as it was then.
  await insert(alice, 'old', [base, '<end', base]);
  const opened = await openDocument(alice, 'old');
  expect(opened.content).toBe(`${digits(count)}<end`);
  const refused = await insert(alice, 'old', [0, 'x', 100]).catch((error: unknown) => error);
  expect((refused as RefusedError).refusal).toMatchObject({
    code: 'CONFLICT',
    docId: 'old',
    revision: count + 1,
  });

  const since = count + 1 - operationsKept;
  const kept = await server.rest('GET', `/api/documents/old/operations?since=${since}&limit=10000`, {
    user: 'alice',
  });
  const operations = kept.body as readonly OperationMessage[];
  expect(operations.map(({ serverRevision }) => serverRevision)).toEqual(
    Array.from({ length: operationsKept }, (_none, index) => since + index),
  );
  const gone = await server.rest('GET', '/api/documents/old/operations?since=5', { user: 'alice' });
  expect(gone).toMatchObject({ status: 409, body: { code: 'CONFLICT', docId: 'old' } });
  expect(applied('', await alice.messages('/topic/doc.old', count + 1))).toBe(opened.content);
});
