// Documents through the client, on a real server.
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { DocumentEvent } from '../../src/client/index.ts';
import { closeOurClients, connectOurs } from '../support/our-client.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterEach(closeOurClients);

test('[CLIENT40] edits are seen at once by their user and soon by others, and all texts end alike', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('plan'), await bob.opened('plan')];
  for (const number of range(1, 20)) {
    anns.insert(0, `a${number} `);
    bobs.insert(bobs.text.length, `b${number} `);
    if (number % 5 === 0) bobs.delete(0, Math.min(2, bobs.text.length));
    expect(anns.text.startsWith(`a${number} `)).toBe(true);
  }
  await Promise.all([anns.settled(), bobs.settled()]);
  const { content } = await ann.documents.get('plan');
  await Promise.all([ann.shows(anns, content), bob.shows(bobs, content)]);
  expect(content).toContain('a20 ');
  expect(content).toContain('b20 ');
});

test('[CLIENT41] what is edited without a connection is kept, and joined with what others did meanwhile', async () => {
  const own = await startServer();
  const port = new URL(own.url).port;
  const [ann, bob] = [await connectOurs(own, 'ann'), await connectOurs(own, 'bob')];
  const [anns, bobs] = [await ann.opened('plan'), await bob.opened('plan')];
  anns.insert(0, 'one two three');
  await bob.shows(bobs, 'one two three');
  await own.kill();
  anns.insert(3, ' and a half');
  bobs.delete(0, 4);
  await own.restart({ port });
  await Promise.all([anns.settled(), bobs.settled()]);
  await Promise.all([ann.shows(anns, ' and a halftwo three'), bob.shows(bobs, ' and a halftwo three')]);
  expect(ann.noted<DocumentEvent>('plan').filter(({ type }) => type === 'reset')).toEqual([
    { type: 'reset', lost: null },
  ]);
});

test('[CLIENT42] undo takes back the newest own edit alone, and says when there is none', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('undone'), await bob.opened('undone')];
  anns.insert(0, 'ann ');
  await anns.settled();
  await bob.shows(bobs, 'ann ');
  bobs.insert(0, 'bob and ');
  await bobs.settled();
  await ann.shows(anns, 'bob and ann ');
  expect(anns.undo()).toBe(true);
  expect(anns.text).toBe('bob and ');
  await bob.shows(bobs, 'bob and ');
  expect(anns.undo()).toBe(false);
});

test('[CLIENT43] cursors of others are shown where they are in the own text, and go with their users', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('seen'), await bob.opened('seen')];
  anns.insert(0, 'hello');
  await bob.shows(bobs, 'hello');
  bobs.placeCursor(5, 1);
  await ann.until(() => anns.cursors.length === 1, 'a cursor');
  anns.insert(0, '> ');
  expect(anns.cursors).toMatchObject([{ userId: 'bob', position: 7, anchor: 3 }]);
  expect(bobs.cursors).toEqual([]);
  await bob.close();
  await ann.until(() => anns.cursors.length === 0, 'no cursor');
});

test('[CLIENT44] an edit that the server refuses brings its text back, and says what was lost', async () => {
  const ann = await connectOurs(server, 'ann');
  // In larger pieces than the document's own, which would take long.
  const piece = 'x'.repeat(60_000);
  const unitsMax = 4 * 1024 * 1024;
  for (let revision = 0; (revision + 1) * piece.length <= unitsMax; revision += 1) {
    await ann.send('/app/doc.operation/full', { type: 'INSERT', position: 0, text: piece, revision });
  }
  const document = await ann.opened('full');
  document.insert(0, piece);
  document.insert(0, 'y');
  await expect(document.settled()).rejects.toMatchObject({ code: 'TOO_LARGE' });
  await ann.until(
    () => ann.noted<DocumentEvent>('full').filter(({ type }) => type === 'reset').length === 2,
    'a second reset',
  );
  const refused = ann.noted<DocumentEvent>('full').filter(({ type }) => type === 'refused');
  expect(refused).toMatchObject([{ error: { code: 'TOO_LARGE' } }]);
  expect(document.text).toBe((await ann.documents.get('full')).content);
  expect(document.text.length).toBeLessThanOrEqual(unitsMax);
});

test('[CLIENT73] undo and redo are edits at once, of what was done and not of what was sent, also offline', async () => {
  const own = await startServer();
  const { port } = new URL(own.url);
  const ann = await connectOurs(own, 'ann');
  const document = await ann.opened('taken back');
  expect([document.undo(), document.redo()]).toEqual([false, false]);
  document.insert(0, 'Hello world');
  await document.settled();
  document.edit([{ position: 0, length: 5, text: 'Goodbye' }]);
  await document.settled();
  const long = 'x'.repeat(20_000);
  document.insert(0, long);
  await document.settled();
  const texts = ['', 'Hello world', 'Goodbye world', `${long}Goodbye world`];
  for (const text of texts.slice(0, -1).toReversed()) {
    expect(document.undo()).toBe(true);
    expect(document.text).toBe(text);
  }
  for (const text of texts.slice(1)) {
    expect(document.redo()).toBe(true);
    expect(document.text).toBe(text);
  }
  expect(document.redo()).toBe(false);
  expect(document.undo()).toBe(true);
  await document.settled();
  await own.kill();
  await ann.is('waiting');
  document.insert(0, 'OFF1 ');
  expect(document.undo()).toBe(true);
  document.insert(0, 'OFF2 ');
  expect(document.redo()).toBe(false);
  await own.restart({ port });
  await document.settled();
  expect(await ann.documents.get('taken back')).toMatchObject({ content: 'OFF2 Goodbye world' });
});

test('[CLIENT69] an id that no document can have is refused at once', async () => {
  const ann = await connectOurs(server, 'ann');
  for (const docId of ['plan.cursors', '', 'a\nb', 'a*', 'a?', '{id}', 'x'.repeat(256)]) {
    expect(() => ann.documents.open(docId), docId).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  }
  await ann.opened('{plan');
});
