// When a server takes a database over and when not, and how the one that loses it ends whatever it is doing.
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/lib/random.ts';
import { lockDatabase } from '../support/database-lock.ts';
import { DatabaseView } from '../support/database.ts';
import { layoutOf, layouts, topicOn } from '../support/layouts.ts';
import { range } from '../support/rooms.ts';
import { spawnServer, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';
import { expectTakenOver, ownerOf, saysWhoTookOver, stopAtRest } from '../support/takeover.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const topic = '/topic/shared';
const clean = { code: 0, signal: null };

/** Sends until the connection ends, or it is over; what got a RECEIPT goes to `receipted`. */
async function sendUntil(isOver: () => boolean, client: TestClient, receipted: string[]): Promise<void> {
  const { socket } = client;
  const name = newId();
  for (let number = 1; socket.readyState === socket.OPEN && !isOver(); number += 1) {
    const text = `${name} ${number}`;
    try {
      await client.send(topic, text);
      receipted.push(text);
    } catch {
      // Nobody has said that it is stored.
    }
  }
}

function storedTexts(server: TestServer): { readonly seqs: number[]; readonly texts: string[] } {
  const database = new DatabaseView(server.databaseUrl);
  const rows = database.topicMessages('shared');
  database.close();
  return {
    seqs: rows.map(({ seq }) => Number(seq)),
    texts: rows.map(({ body }) => (body as Buffer).toString()),
  };
}

describe('a start', () => {
  test.each([
    [0, 1],
    [1, 0],
    [0, 0],
    [1, 1],
  ])(
    '[FENCE13] of two servers in the same instant (%i, %i) one goes on, and has all that either promised',
    async (first, second) => {
      const folder = temporaryFolder();
      const both = await Promise.all(
        [first, second].map((layout) => spawnServer({ folder, settings: layoutOf(layout).settings })),
      );
      const receipted: string[] = [];
      let isOver = false;
      const used = Promise.allSettled(
        both.map(async (server) => {
          await server.listening();
          const client = await connectStomp(server, { user: 'alice' });
          await sendUntil(() => isOver, client, receipted);
        }),
      );
      const loser = await Promise.race(both.map((server) => server.ended.then(() => server)));
      const winner = both.find((server) => server !== loser) as TestServer;
      expect(await loser.exit()).toEqual({ code: 1, signal: null });
      // One that loses while it starts never listens, and says so as any start that fails.
      const said = loser.log.map(({ msg, text }) => String(msg ?? text));
      expect(
        said.filter((line) => saysWhoTookOver(winner).test(line)),
        said.join('\n'),
      ).toHaveLength(1);
      await winner.listening();
      expect(ownerOf(winner).owner).toContain(`process ${winner.pid} `);
      isOver = true;
      await used;
      expect(await winner.stop()).toEqual(clean);
      const { seqs, texts } = storedTexts(winner);
      expect(seqs).toEqual(range(1, seqs.length));
      expect(new Set(texts).size).toBe(texts.length);
      expect(receipted.filter((text) => !texts.includes(text))).toEqual([]);
    },
  );

  test('[FENCE14] that fails because its port is in use takes nothing over', async () => {
    const server = await startServer();
    const second = await server.beside({ port: new URL(server.url).port });
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(ownerOf(server)).toEqual({ epoch: 1, owner: expect.stringContaining(`${server.pid}`) as string });
    const client = await connectStomp(server, { user: 'alice' });
    await client.send(topic, 'still here');
    expect(await server.stop()).toEqual(clean);
  });

  test('[FENCE14] that waits too long for a lock takes nothing over and says what to do', async () => {
    const server = await startServer();
    const unlock = await lockDatabase(server.databaseUrl);
    const second = await server.beside();
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(second.log).toEqual([
      { text: expect.stringMatching(/^stagewire: .* (?:was locked|has been committing) for 10 s/) as string },
    ]);
    await unlock();
    const client = await connectStomp(server, { user: 'alice' });
    await client.send(topic, 'still here');
    expect(await server.stop()).toEqual(clean);
  });
});

describe.each(layouts)('$name', ({ settings }) => {
  test('[FENCE10] a server that nobody asks for anything hears that it was taken over from', async () => {
    const older = await startServer({ settings });
    const reader = await connectStomp(older, { user: 'alice' });
    const newer = await older.beside();
    await newer.listening();
    expect((await reader.closed).code).toBe(1012);
    await expectTakenOver(older, newer);
    expect(await newer.stop()).toEqual(clean);
  });

  test('[FENCE15] a drain of a server that was taken over from is no clean end', async () => {
    const older = await startServer({ settings });
    const client = await connectStomp(older, { user: 'alice' });
    await stopAtRest(older);
    const newer = await older.beside();
    await newer.listening();
    older.signal('SIGTERM');
    older.signal('SIGCONT');
    await client.closed;
    await expectTakenOver(older, newer, { wasStopped: true });
    expect(await newer.stop()).toEqual(clean);
  });

  test('[FENCE16] a shard thread that is started again goes on with the claim of its server', async () => {
    const server = await startServer({ kindsUrl, settings });
    const client = await connectStomp(server, { user: 'alice' });
    const shards = Number(settings.shards);
    for (const shard of range(0, shards - 1)) {
      client.sendFrame('SEND', { destination: topicOn(shard, shards) }, 'fault:exit');
      const isBack = () => server.log.filter(({ msg }) => msg === 'thread is back').length > shard;
      await server.logged(isBack, 'thread is back');
    }
    for (const shard of range(0, shards - 1)) await client.send(topicOn(shard, shards), 'stored');
    expect(ownerOf(server).epoch).toBe(1);
    expect(await server.stop()).toEqual(clean);
  });
});
