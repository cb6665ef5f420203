// The worst days of a MySQL server: nothing that was acknowledged is lost, nothing comes up later that was not there when
// it was looked for, and everything is well again without a restart.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseMysqlUrl } from '../../src/storage/mysql/location.ts';
import { openMysql, type MysqlOptions } from '../../src/storage/mysql/mysql.ts';
import { migrate } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { runsMysql, type MariadbServer } from '../support/mariadb.ts';
import { ownMariadb } from '../support/shared-mariadb.ts';
import { CommitTrap } from './commit-trap.ts';
import { insert, message, messages, reasons, room } from './rows.ts';

/** Long enough for a server that is well and busy, and short for whoever waits for one that is not. */
const limits: MysqlOptions['limits'] = { openMs: 2_000, graceMs: 2_000, commitMs: 3_000, lockMs: 1_000 };

describe.runIf(runsMysql)('faults of MySQL', () => {
  let server: MariadbServer;
  let url: string;
  let storage: Storage;

  beforeAll(async () => {
    server = await ownMariadb();
    url = await server.newDatabase();
    await migrate(url);
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    await server.sql('DELETE FROM chat_rooms', url);
    storage = await open();
    expect(await storage.commit([[insert('chat_rooms', room())]])).toEqual([null]);
  });
  afterEach(() => storage.close());

  const open = (port?: number) => {
    const location = parseMysqlUrl(url);
    return openMysql({ location: { ...location, port: port ?? location.port }, limits });
  };

  const headOf = async (store: Storage): Promise<number> => {
    const [head] = await store.query({ name: 'roomHead', args: { roomId: 'lobby' } });
    return head?.seq ?? -1;
  };

  /** The head as soon as the database can be asked. */
  async function headWhenBack(store: Storage): Promise<number> {
    for (;;) {
      try {
        return await headOf(store);
      } catch (error) {
        expect(error).toMatchObject({ reason: 'UNAVAILABLE' });
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  /**
   * Writes one message after the other as a room does, until `until` says so: after a commit that broke off it goes on
   * from what the database holds. What comes up later than that takes a place that is taken, which is CONSTRAINT.
   *
   * @returns how many commits were acknowledged, and how many broke off.
   */
  async function writeUntil(until: () => boolean): Promise<{ acked: number; broken: number }> {
    const counts = { acked: 0, broken: 0 };
    let seq = 0;
    while (!until()) {
      const writes = [message({ seq: seq + 1 }), message({ seq: seq + 2 })];
      const outcomes = reasons(await storage.commit(writes.map((row) => [insert('chat_messages', row)])));
      if (outcomes[0] === null) {
        expect(outcomes).toEqual([null, null]);
        seq += 2;
        counts.acked += 1;
        continue;
      }
      expect(outcomes).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
      counts.broken += 1;
      const head = await headWhenBack(storage);
      expect([seq, seq + 2]).toContain(head);
      seq = head;
    }
    expect(await headOf(storage)).toBe(seq);
    return counts;
  }

  /** What is done to the server while messages are written; they go on for a while when it is done. */
  async function writeDuring(fault: () => Promise<void>): Promise<{ acked: number; broken: number }> {
    let isOver = false;
    const over = fault().finally(() => (isOver = true));
    let more = 20;
    const counts = await writeUntil(() => isOver && (more -= 1) < 0);
    await over;
    const again = await storage.commit([[insert('chat_rooms', room({ room_id: 'again' }))]]);
    expect(again).toEqual([null]);
    return counts;
  }

  const sessions = async () => {
    const found = await server.sql<{ id: number }>(
      `SELECT id FROM information_schema.processlist WHERE db = '${parseMysqlUrl(url).database}' AND id <> CONNECTION_ID()`,
      url,
    );
    return found.map(({ id }) => id);
  };

  it('[STORE62] connections that are killed one after the other cost nothing', async () => {
    const { acked } = await writeDuring(async () => {
      for (let killed = 0; killed < 12;) {
        for (const id of await sessions()) {
          await server.sql(`KILL ${id}`).catch(() => undefined);
          killed += 1;
        }
        await headWhenBack(storage);
      }
    });
    expect(acked).toBeGreaterThan(0);
  });

  it('[STORE62] idle connections that the server has closed are not noticed', async () => {
    expect(await headOf(storage)).toBe(0);
    for (const id of await sessions()) await server.sql(`KILL ${id}`);
    expect(await storage.commit([messages(2)])).toEqual([null]);
    expect(await headOf(storage)).toBe(2);
  });

  it('[STORE62] a server that is stopped and started again is but a delay, or UNAVAILABLE', async () => {
    const { acked } = await writeDuring(async () => {
      await server.stop();
      await server.restart();
    });
    expect(acked).toBeGreaterThan(0);
  });

  it('[STORE62] a server that is killed has lost no commit that it acknowledged', async () => {
    for (let round = 0; round < 3; round += 1) {
      await server.sql('DELETE FROM chat_messages; DELETE FROM chat_rooms WHERE room_id <> "lobby"', url);
      const { acked } = await writeDuring(async () => {
        await server.kill();
        await server.restart();
      });
      expect(acked).toBeGreaterThan(0);
    }
  });

  it('[STORE63] while the server is away everything is UNAVAILABLE at once, and works when it is back', async () => {
    await server.stop();
    // The first to ask wait for it for a while, together.
    const first = await Promise.all([
      storage.commit([messages(1)]),
      headOf(storage).catch((error: unknown) => error),
    ]);
    expect(first).toMatchObject([[{ reason: 'UNAVAILABLE' }], { reason: 'UNAVAILABLE' }]);
    for (let count = 0; count < 100; count += 1) {
      expect(reasons(await storage.commit([messages(1)]))).toEqual(['UNAVAILABLE']);
    }
    await server.restart();
    expect(await headWhenBack(storage)).toBe(0);
    for (;;) {
      const [reason] = reasons(await storage.commit([messages(1)]));
      if (reason === null) break;
      expect(reason).toBe('UNAVAILABLE');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await headOf(storage)).toBe(1);
  });

  it('[STORE63] a server that hangs is UNAVAILABLE within bounds, and what it does later is known', async () => {
    process.kill(server.pid, 'SIGSTOP');
    const asked = await Promise.allSettled([storage.commit([messages(1)]), headOf(storage), headOf(storage)]);
    const unavailable = { reason: 'UNAVAILABLE' };
    expect(asked).toMatchObject([{ value: [unavailable] }, { reason: unavailable }, { reason: unavailable }]);
    process.kill(server.pid, 'SIGCONT');
    const head = await headWhenBack(storage);
    const { acked } = await writeDuring(async () => void (await headWhenBack(storage)));
    expect([acked > 0, [0, 1].includes(head)]).toEqual([true, true]);
  });

  it('[STORE64] a COMMIT that reaches the server after the store has given it up does nothing', async () => {
    const trap = await CommitTrap.start(parseMysqlUrl(url).port);
    const store = await open(trap.port);
    // A connection for queries is there, and could be asked at once.
    expect(await headOf(store)).toBe(0);
    const held = trap.hold('commit');
    const outcome = store.commit([messages(3)]);
    await held;
    expect(reasons(await outcome)).toEqual(['UNAVAILABLE']);
    // Asked before the server gets to see the COMMIT.
    expect(await headOf(store)).toBe(0);
    trap.open();
    expect(reasons(await store.commit([messages(1)]))).toEqual([null]);
    expect(await headOf(store)).toBe(1);
    await store.close();
    trap.close();
  });

  it('[STORE64] a COMMIT of which the answer is lost is there for the next query', async () => {
    const trap = await CommitTrap.start(parseMysqlUrl(url).port);
    const store = await open(trap.port);
    const held = trap.hold('answer');
    const outcome = store.commit([messages(3)]);
    await held;
    expect(reasons(await outcome)).toEqual(['UNAVAILABLE']);
    expect(await headOf(store)).toBe(3);
    await store.close();
    trap.close();
  });

  it('[STORE64] no query is answered while an earlier COMMIT can still be made', async () => {
    const trap = await CommitTrap.start(parseMysqlUrl(url).port);
    const store = await open(trap.port);
    const held = trap.hold('commit');
    const outcome = store.commit([messages(3)]);
    await held;
    const before = await sessions();
    process.kill(server.pid, 'SIGSTOP');
    // It will find the COMMIT when it goes on.
    trap.open();
    expect(reasons(await outcome)).toEqual(['UNAVAILABLE']);
    const asked = headWhenBack(store);
    process.kill(server.pid, 'SIGCONT');
    const head = await asked;
    expect([0, 3]).toContain(head);
    // The other connections of that time stay.
    while ((await sessions()).filter((id) => before.includes(id)).length === before.length);
    expect(await headOf(store)).toBe(head);
    await store.close();
    trap.close();
  });
});
