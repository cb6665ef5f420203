// Documents through the client, while connections are lost.
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { DocumentEvent } from '../../src/client/index.ts';
import { startBadNetwork } from '../support/bad-network.ts';
import { closeOurClients, connectOurs } from '../support/our-client.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterEach(closeOurClients);

test('[CLIENT45] what was edited before a document is closed is still sent', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('closed'), await bob.opened('closed')];
  for (const letter of ['a', 'b', 'c']) anns.insert(0, `${letter} `);
  anns.close();
  await bob.shows(bobs, 'c b a ');
  expect(await ann.documents.get('closed')).toMatchObject({ content: 'c b a ' });
});

test('[CLIENT46] edits wait longer than messages do, and not in their place', async () => {
  const own = await startServer();
  const { port } = new URL(own.url);
  const ann = await connectOurs(own, 'ann', { outboxMax: 1, sendWithinMs: 30 });
  const document = await ann.opened('kept');
  await own.kill();
  await ann.is('waiting');
  document.insert(0, 'kept');
  await expect(ann.topics.publish('/topic/late', 'late')).rejects.toMatchObject({ code: 'EXPIRED' });
  await own.restart({ port });
  await document.settled();
  expect(await ann.documents.get('kept')).toMatchObject({ content: 'kept' });
});

test('[CLIENT47] after a loss cursors that went meanwhile are gone, and the own one is shown again, once', async () => {
  const network = await startBadNetwork(Number(new URL(server.url).port));
  const url = `ws://127.0.0.1:${network.port}/ws`;
  const [ann, bob] = [await connectOurs(server, 'ann', { url }), await connectOurs(server, 'bob')];
  const cid = await connectOurs(server, 'cid');
  const [anns, bobs, cids] = [await ann.opened('seen'), await bob.opened('seen'), await cid.opened('seen')];
  anns.insert(0, 'hello');
  await Promise.all([bob.shows(bobs, 'hello'), cid.shows(cids, 'hello')]);
  bobs.placeCursor(1);
  anns.placeCursor(4);
  await cid.until(() => cids.cursors.length === 2, 'two cursors');
  await ann.until(() => anns.cursors.length === 1, 'the cursor of bob');
  network.refuse(Number.POSITIVE_INFINITY);
  for (const line of network.lines) line.reset();
  await ann.is('waiting');
  await bob.close();
  await cid.until(() => cids.cursors.length === 0, 'no cursor');
  anns.insert(0, '> ');
  network.heal();
  await cid.until(() => cids.cursors.length === 1, 'the cursor of ann again');
  await cid.shows(cids, '> hello');
  expect(cids.cursors).toMatchObject([{ userId: 'ann', position: 6 }]);
  expect(anns.cursors).toEqual([]);
});

test('[CLIENT47] the own cursor of a connection that only the server takes for well is nobody else', async () => {
  const network = await startBadNetwork(Number(new URL(server.url).port));
  const url = `ws://127.0.0.1:${network.port}/ws`;
  const [ann, bob] = [await connectOurs(server, 'ann', { url }), await connectOurs(server, 'bob')];
  const [anns, bobs] = [await ann.opened('stranded'), await bob.opened('stranded')];
  anns.insert(0, 'hello');
  await bob.shows(bobs, 'hello');
  anns.placeCursor(2);
  bobs.placeCursor(4);
  await bob.until(() => bobs.cursors.length === 1, 'the cursor of ann');
  await ann.until(() => anns.cursors.length === 1, 'the cursor of bob');
  for (const line of network.lines) line.strand();
  await bob.until(() => bobs.cursors.length === 2, 'the cursor of ann again');
  await ann.until(() => anns.cursors.length === 1, 'the cursor of bob again');
  expect(anns.cursors).toMatchObject([{ userId: 'bob', position: 4 }]);
});

test('[CLIENT48] an edit is not made on another text than its own, and is told as lost', async () => {
  const own = await startServer();
  const { port } = new URL(own.url);
  const ann = await connectOurs(own, 'ann');
  const document = await ann.opened('plan');
  document.insert(0, 'the old plan');
  await document.settled();
  await own.kill();
  document.insert(12, ', and more');
  // As after a backup of something else was restored.
  const other = await startServer({ settings: { port } });
  const bob = await connectOurs(other, 'bob');
  const bobs = await bob.opened('plan');
  for (const letter of ['n', 'a', 'l', 'p']) {
    bobs.insert(0, letter);
    await bobs.settled();
  }
  await ann.until(() => document.text === 'plan', 'the other text');
  const resets = ann.noted<DocumentEvent>('plan').filter(({ type }) => type === 'reset');
  expect(resets.at(-1)).toMatchObject({ lost: 'the old plan, and more' });
  document.insert(4, '!');
  await document.settled();
  await bob.shows(bobs, 'plan!');
});

test('[CLIENT68] edits made right before the client is closed are still sent', async () => {
  const [ann, bob] = [await connectOurs(server, 'ann'), await connectOurs(server, 'bob')];
  const document = ann.documents.open('last words');
  await new Promise<void>((resolve) => {
    document.onEvent(({ type }) => type === 'reset' && resolve());
  });
  document.insert(0, 'last ');
  document.insert(5, 'words');
  document.insert(0, 'my ');
  document.close();
  await ann.close();
  expect(await bob.documents.get('last words')).toMatchObject({ content: 'my last words' });
});

test('[CLIENT68] settled rejects when the client is closed without a connection, which is told too', async () => {
  const own = await startServer();
  const ann = await connectOurs(own, 'ann');
  const document = await ann.opened('never');
  await own.kill();
  await ann.is('waiting');
  document.insert(0, 'never');
  await Promise.all([expect(document.settled()).rejects.toMatchObject({ code: 'CLOSED' }), ann.close()]);
  await expect(document.settled()).rejects.toMatchObject({ code: 'CLOSED' });
  expect(ann.noted<DocumentEvent>('never').at(-1)).toMatchObject({
    type: 'refused',
    error: { code: 'CLOSED' },
  });
});

test('[CLIENT68] settled rejects when the text that was edited is gone', async () => {
  const own = await startServer();
  const { port } = new URL(own.url);
  const ann = await connectOurs(own, 'ann');
  const document = await ann.opened('gone');
  document.insert(0, 'the old plan');
  await document.settled();
  await own.kill();
  document.insert(12, ', and more');
  await Promise.all([
    expect(document.settled()).rejects.toMatchObject({ code: 'CONFLICT' }),
    startServer({ settings: { port } }),
  ]);
  expect([document.text, document.isSettled]).toEqual(['', true]);
});
