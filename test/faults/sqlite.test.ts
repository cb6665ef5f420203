// The worst days of a SQLite file, with everybody at work.
import Driver from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { everyLoad } from '../support/fault-load.ts';
import { heartBeatMs, readiness, survive, type Fault } from '../support/fault-rounds.ts';
import { allLayouts, topicOn } from '../support/layouts.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { runsSmallDisks } from '../support/small-disk-right.ts';
import { connectStomp } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const [oneShard, twoShards] = allLayouts;
const diskBytes = 48 * 1024 * 1024;
const longMs = 60_000;

/** Another process keeps the file locked. */
function locked(server: TestServer, seen: Fault['seen']): Fault {
  let connection: Driver.Database | undefined;
  return {
    name: `locked, ${seen}`,
    seen,
    async begin() {
      connection = new Driver(server.databaseUrl.replace('sqlite:', ''));
      connection.exec('BEGIN IMMEDIATE');
    },
    async end() {
      connection?.close();
    },
  };
}

/** The shard's own flush does something else. */
async function flushing(server: TestServer, fault: string, seen: Fault['seen']): Promise<Fault> {
  const client = await connectStomp(server, { user: 'saboteur' });
  // What can't be stored may be refused; what it asks for has happened all the same.
  const ask = (body: string) => client.send('/topic/flush', body).catch(() => undefined);
  return { name: fault, seen, begin: () => ask(fault), end: () => ask('fault:flush-works') };
}

describe('SQLite', () => {
  test.each(allLayouts)(
    '[FAULT1] [FAULT2] [FAULT11] [LOG1] a lock is waited for within bounds, then UNAVAILABLE, and all of it heals: $name',
    async ({ settings }) => {
      const server = await startServer({ settings: { ...settings, heartBeatMs } });
      const faults = [locked(server, 'waited'), locked(server, 'told'), locked(server, 'waited')];
      expect(await survive(server, await everyLoad(server), faults)).toBeGreaterThan(0);
    },
    longMs,
  );

  test('[FAULT2] while the lock lasts nobody waits for the waits of others', async () => {
    const server = await startServer({ settings: twoShards.settings });
    const clients = [
      await connectStomp(server, { user: 'alice' }),
      await connectStomp(server, { user: 'bob' }),
    ];
    const lock = locked(server, 'told');
    await lock.begin();
    for (let round = 0; round < 3; round += 1) {
      // Each within the time that a client of these tests waits for an answer.
      const sends = clients.flatMap((client) =>
        [0, 1].map((shard) => client.send(topicOn(shard, 2), `round ${round}`)),
      );
      for (const { reason } of (await Promise.allSettled(sends)) as PromiseRejectedResult[]) {
        expect(reason).toMatchObject({ refusal: { code: 'UNAVAILABLE' } });
      }
    }
    await lock.end();
    for (const client of clients) for (const shard of [0, 1]) await client.send(topicOn(shard, 2), 'healed');
  });

  test(
    '[FAULT1] [FAULT3] flushes that fail or hang lose nothing, and nothing is seen that is not flushed',
    async () => {
      const server = await startServer({ kindsUrl, settings: { ...oneShard.settings, heartBeatMs } });
      const faults = [
        await flushing(server, 'fault:flush-fails', 'told'),
        await flushing(server, 'fault:flush-hangs', 'waited'),
      ];
      expect(await survive(server, await everyLoad(server), faults)).toBeGreaterThan(0);
    },
    longMs,
  );

  test.runIf(runsSmallDisks)(
    '[FAULT1] [FAULT4] a full disk loses nothing, and room is enough to heal it',
    async () => {
      const disk = new SmallDisk(diskBytes);
      const server = await startServer({
        folder: disk.folder,
        settings: { ...twoShards.settings, heartBeatMs },
      });
      const full: Fault = {
        name: 'full disk',
        seen: 'told',
        begin: async () => disk.fill(),
        end: async () => disk.empty(),
      };
      expect(await survive(server, await everyLoad(server), [full, full])).toBeGreaterThan(0);
    },
    longMs,
  );

  test('[FAULT5] while a commit hangs, what is over the bound is refused at once and the rest is done', async () => {
    const server = await startServer({ settings: { ...twoShards.settings, heartBeatMs } });
    const client = await connectStomp(server, { user: 'alice' });
    await client.subscribe('/topic/flood');
    const lock = locked(server, 'waited');
    await lock.begin();
    const over = 100;
    const sends = range(1, 1_000 + over).map((number) => client.send('/topic/flood', String(number)));
    const ends = Promise.allSettled(sends);
    const refusals = await client.waitForMany(over, ({ body }) => body.includes('UNAVAILABLE'), 'refusals');
    expect(refusals).toHaveLength(over);
    expect(client.received('/topic/flood')).toEqual([]);
    expect(await readiness(server)).toBe('200 ready');
    await lock.end();
    const done = (await ends).flatMap(({ status }, index) => (status === 'fulfilled' ? [index + 1] : []));
    expect(done).toEqual(range(1, 1_000));
    const told = await client.messages('/topic/flood', 1_000);
    expect(told.map(({ body }) => Number(body))).toEqual(done);
  });
});
