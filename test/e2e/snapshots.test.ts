// Snapshots of a real server: stored when it drains, spared what can be, and worth nothing to whoever spoils them.
import { join } from 'node:path';
import Driver from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { openDocument } from '../support/documents.ts';
import { postTicks } from '../support/prices.ts';
import { runsPrivateRedis } from '../support/redis-file.ts';
import { startRedis } from '../support/redis.ts';
import { createRoom, sendMany } from '../support/rooms.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

/** Enough for a snapshot of a document and of the keys of its edits, and of those of a room. */
const count = 1_100;
const docId = 's';

function edit(revision: number): string {
  const operation = { type: 'INSERT', position: revision, text: String(revision % 10), revision };
  return JSON.stringify({ ...operation, operationId: `edit-${revision}` });
}

const edited = (edits: number): string =>
  Array.from({ length: edits }, (_none, index) => index % 10).join('');
const message = (number: number): string =>
  JSON.stringify({ content: `message ${number}`, clientMessageId: `message-${number}` });

const numbers = Array.from({ length: count }, (_none, index) => index);

/** A server with a document, a room and prices, of which there is much to remember. */
class Site {
  readonly server: TestServer;
  readonly alice: TestClient;
  readonly roomId: string;

  private constructor(server: TestServer, alice: TestClient, roomId: string) {
    this.server = server;
    this.alice = alice;
    this.roomId = roomId;
  }

  static async made(server: TestServer): Promise<Site> {
    const alice = await connectStomp(server, { user: 'alice' });
    const site = new Site(server, alice, await createRoom(server, 'alice'));
    await sendMany(alice, `/app/doc.operation/${docId}`, numbers.map(edit));
    await sendMany(alice, `/app/chat.send/${site.roomId}`, numbers.map(message));
    await postTicks(server, { AAPL: '187.25', MSFT: '411.5' });
    return site;
  }

  /** On the same stores, after it has ended. */
  async restarted(): Promise<Site> {
    const server = await this.server.restart();
    return new Site(server, await connectStomp(server, { user: 'alice' }), this.roomId);
  }

  /** Nothing is lost, and nothing that comes again counts twice. */
  async expectWhole(): Promise<void> {
    const { server, alice, roomId } = this;
    expect(await openDocument(alice, docId)).toEqual({ docId, content: edited(count), revision: count });
    for (const number of [0, count - 1]) {
      await alice.send(`/app/doc.operation/${docId}`, JSON.parse(edit(number)));
      await alice.send(`/app/chat.send/${roomId}`, JSON.parse(message(number)));
    }
    expect(await openDocument(alice, docId)).toMatchObject({ revision: count });
    expect(await server.rest('GET', `/api/rooms/${roomId}`, { user: 'alice' })).toMatchObject({
      body: { seq: count, members: 1 },
    });
    const prices = await server.rest('GET', '/api/prices', { user: 'alice' });
    expect(prices.body).toMatchObject([
      { symbol: 'AAPL', price: '187.25' },
      { symbol: 'MSFT', price: '411.5' },
    ]);
  }

  /** What was ignored, by what it was and of whom. */
  get ignored(): string[] {
    const lines = this.server.log.filter(({ msg }) => msg === 'a snapshot is ignored');
    return lines.map(({ actor, what }) => `${String(actor)}: ${String(what)}`).toSorted();
  }
}

test('[SNAP5] [SNAP12] whatever somebody makes of the snapshots in the database, all is right after a crash', async () => {
  const file = join(temporaryFolder(), 'stagewire.db');
  const site = await Site.made(await startServer({ settings: { databaseUrl: `sqlite:${file}` } }));
  const { roomId } = site;
  const names = [`keys:document/${docId}`, `keys:room/${roomId}`, 'prices/', `seals:document/${docId}`];
  expect(await site.server.stop()).toMatchObject({ code: 0 });
  const database = new Driver(file);
  const stored = database.prepare<[], { actor: string }>('SELECT actor FROM actor_snapshots ORDER BY actor');
  expect(stored.all().map(({ actor }) => actor)).toEqual(names.toSorted());

  const again = await site.restarted();
  await again.expectWhole();
  expect(again.ignored).toEqual([]);
  await again.server.kill();

  database.exec(`
    UPDATE actor_snapshots SET body = X'C15301' || randomblob(length(body)) WHERE actor NOT LIKE 'seals:%';
    UPDATE document_snapshots SET content = 'garbage';
    INSERT INTO document_snapshots (doc_id, revision, content, created_at)
      SELECT doc_id, 1000000, 'of the future', created_at FROM document_snapshots;
  `);
  const spoilt = await again.restarted();
  await spoilt.expectWhole();
  expect(spoilt.ignored).toEqual(
    [
      `document/${docId}: snapshot at 1000`,
      `document/${docId}: snapshot at 1000000`,
      `keys:document/${docId}: snapshot in database`,
      `keys:room/${roomId}: snapshot in database`,
      'prices/: snapshot in database',
    ].toSorted(),
  );
  await spoilt.server.kill();

  database.exec(`UPDATE actor_snapshots SET body = 'garbage'`);
  const unsealed = await spoilt.restarted();
  await unsealed.expectWhole();
  expect(unsealed.ignored).toContain(`document/${docId}: seals of snapshots`);
  database.close();
});

describe.runIf(runsPrivateRedis)('with Redis', () => {
  const keyOf = (name: string): string => `stagewire:snapshot:${name}`;

  test('[SNAP5] [SNAP6] a drain leaves snapshots in Redis; spoilt ones make no difference', async () => {
    const redis = await startRedis();
    const site = await Site.made(await startServer({ settings: { redisUrl: redis.url, shards: '2' } }));
    await site.server.stop();
    const names = [`document/${docId}`, `keys:document/${docId}`, `keys:room/${site.roomId}`, 'prices/'];
    for (const name of names) expect(await redis.view.exists(keyOf(name)), name).toBe(1);

    const again = await site.restarted();
    await again.expectWhole();
    expect(again.ignored).toEqual([]);
    await again.server.kill();

    for (const name of names) await redis.view.setrange(keyOf(name), 20, 'garbage');
    const spoilt = await again.restarted();
    await spoilt.expectWhole();
    expect(spoilt.ignored).toEqual(names.map((name) => `${name}: snapshot in redis`).toSorted());
  });

  test('[SNAP5] the snapshots of another database count for nothing', async () => {
    const redis = await startRedis();
    const site = await Site.made(await startServer({ settings: { redisUrl: redis.url } }));
    await site.server.stop();
    const other = await startServer({ settings: { redisUrl: redis.url } });
    const bob = await connectStomp(other, { user: 'bob' });
    expect(await openDocument(bob, docId)).toEqual({ docId, content: '', revision: 0 });
    expect((await other.rest('GET', '/api/prices', { user: 'bob' })).body).toEqual([]);
    // Another document of that name.
    await bob.send(`/app/doc.operation/${docId}`, { ...JSON.parse(edit(0)), text: 'x' });
    expect(await openDocument(bob, docId)).toMatchObject({ content: 'x', revision: 1 });
  });
});
