// What MySQL and MariaDB do as all stores do, and beyond it: locks, claims, limits, readable rows.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimMysql } from '../../src/storage/mysql/claim.ts';
import { parseMysqlUrl, type MysqlLocation } from '../../src/storage/mysql/location.ts';
import { openMysql } from '../../src/storage/mysql/mysql.ts';
import { Session } from '../../src/storage/mysql/session.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage, Write } from '../../src/storage/storage.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { CommitTrap } from './commit-trap.ts';
import { actorSnapshot, annsStream, notification } from './domain-rows.ts';
import { emptyDatabases } from './mysql-database.ts';
import {
  append,
  insert,
  key,
  message,
  messages,
  noon,
  reasons,
  room,
  topic,
  topicMessage,
  upsert,
} from './rows.ts';
import { storageContract } from './storage.contract.ts';

describe.runIf(runsMysql)('mysql', () => {
  const server = useMariadb();
  const emptyDatabase = emptyDatabases(server);

  storageContract('mysql', async () => {
    const url = await emptyDatabase();
    const storage = await openStorage(url);
    return {
      storage,
      async reopen() {
        await storage.close();
        return openStorage(url);
      },
    };
  });

  const location = async () => parseMysqlUrl(await emptyDatabase());
  const headOf = async (storage: Storage) =>
    (await storage.query({ name: 'roomHead', args: { roomId: 'lobby' } }))[0]?.seq;

  describe('mysql only', () => {
    let storage: Storage;
    let at: MysqlLocation;
    /** Another user of the same database, with transactions of its own. */
    let other: Session;

    beforeEach(async () => {
      at = await location();
      other = await Session.open(at, { lockTimeoutMs: 20_000 });
      storage = await openMysql({ location: at, limits: { lockMs: 1_000, commitMs: 3_000 } });
      const rooms = ['lobby', 'a', 'b'].map((room_id) => insert('chat_rooms', room({ room_id })));
      expect(await storage.commit([rooms])).toEqual([null]);
    });
    afterEach(async () => {
      other.close();
      await storage.close();
    });

    /** Resolves when a transaction waits for a lock. */
    async function waitsForLock(): Promise<void> {
      for (;;) {
        const [found] = await server().sql<{ Value: string }>(
          "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'",
        );
        if (Number(found?.Value) > 0) return;
      }
    }

    const renamed = (room_id: string, name: string) => upsert('chat_rooms', room({ room_id, name }));

    it('[STORE65] a commit that ends in a deadlock is made again, all of it', async () => {
      await other.run('START TRANSACTION');
      // The server ends the transaction that has changed less.
      for (let count = 0; count < 50; count += 1) {
        await other.run('INSERT INTO products VALUES (?, NULL, 1, 1, UTC_TIMESTAMP())', [`p${count}`]);
      }
      await other.run("UPDATE chat_rooms SET name = 'theirs' WHERE room_id = 'b'");
      const asked = storage.commit([messages(2), [renamed('a', 'ours')], [renamed('b', 'ours')]]);
      await waitsForLock();
      await other.run("UPDATE chat_rooms SET name = 'theirs' WHERE room_id = 'a'");
      await other.run('COMMIT');
      expect(await asked).toEqual([null, null, null]);
      const names = await other.rows<{ name: string }>(
        "SELECT name FROM chat_rooms WHERE room_id IN ('a', 'b')",
      );
      expect(names.map(({ name }) => name)).toEqual(['ours', 'ours']);
      expect(await headOf(storage)).toBe(2);
    });

    it('[STORE65] a row that another holds is waited for, and for a bounded time', async () => {
      await other.run('START TRANSACTION');
      await other.run("UPDATE chat_rooms SET name = 'theirs' WHERE room_id = 'a'");
      const outcomes = await storage.commit([messages(2), [renamed('a', 'ours')]]);
      expect(reasons(outcomes)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
      expect(await headOf(storage)).toBe(0);
      const asked = storage.commit([messages(2), [renamed('a', 'ours')]]);
      await waitsForLock();
      await other.run('COMMIT');
      expect(await asked).toEqual([null, null]);
    });

    it('[STORE66] one that has lost its claim commits nothing, from the moment of the next claim', async () => {
      const first = await claimMysql(at, 'first', noon);
      const owner = await openMysql({ location: at, claim: first });
      expect(await owner.commit([messages(1)])).toEqual([null]);
      const claim = await claimMysql(at, 'second', noon);
      const next = await openMysql({ location: at, claim });
      const stray = insert('chat_messages', message({ room_id: 'none' }));
      expect(reasons(await owner.commit([messages(2), [stray]]))).toEqual(['FENCED', 'FENCED']);
      expect(await headOf(owner)).toBe(1);
      expect(reasons(await next.commit([[insert('chat_messages', message({ seq: 2 }))], [stray]]))).toEqual([
        null,
        'CONSTRAINT',
      ]);
      await owner.close();
      await next.close();
    });

    it('[STORE66] a claim waits for a commit that is on its way, which then was made before it', async () => {
      const owner = await openMysql({ location: at, claim: await claimMysql(at, 'first', noon) });
      await other.run('START TRANSACTION');
      await other.run("UPDATE chat_rooms SET name = 'theirs' WHERE room_id = 'a'");
      const asked = owner.commit([messages(1), [renamed('a', 'ours')]]);
      await waitsForLock();
      const claimed = claimMysql(at, 'second', noon);
      await other.run('COMMIT');
      expect(await asked).toEqual([null, null]);
      await claimed;
      expect(reasons(await owner.commit([messages(1)]))).toEqual(['FENCED']);
      await owner.close();
    });

    it('[STORE67] a text that is too long for its column is refused, its neighbours are not', async () => {
      const long = insert('chat_rooms', room({ room_id: 'r'.repeat(37) }));
      const wide = upsert('chat_rooms', room({ room_id: 'a', name: '\u{1F600}'.repeat(256) }));
      const outcomes = await storage.commit([messages(1), [long], [wide], [renamed('b', 'x'.repeat(255))]]);
      expect(reasons(outcomes)).toEqual([null, 'CONSTRAINT', 'CONSTRAINT', null]);
    });

    it('[STORE67] a row that is longer than what the server takes is refused, its neighbours are not', async () => {
      const [found] = await other.rows<{ bytes: number }>('SELECT @@max_allowed_packet AS bytes');
      const body = Buffer.alloc(found?.bytes ?? 0, 1);
      const made = (actor: string, bytes: number) =>
        insert('actor_snapshots', actorSnapshot({ actor, body: body.subarray(0, bytes) }));
      const half = Math.floor(body.length / 2);
      const outcomes = await storage.commit([
        [made('a', half)],
        [made('b', body.length)],
        [made('c', half), made('d', 1)],
      ]);
      expect(reasons(outcomes)).toEqual([null, 'CONSTRAINT', null]);
      const [kept] = await storage.query({ name: 'actorSnapshot', args: { actor: 'c' } });
      expect(kept?.body.length).toBe(half);
    });

    it('[STORE68] one bad transaction of many is found without making each alone', async () => {
      const rows = Array.from({ length: 500 }, (_, index) => [
        insert('chat_messages', message({ seq: index + 1, room_id: index === 321 ? 'none' : 'lobby' })),
      ]);
      const proxy = await CommitTrap.start(at.port);
      const store = await openMysql({ location: { ...at, port: proxy.port } });
      const before = proxy.requests;
      const outcomes = reasons(await store.commit(rows));
      expect(outcomes.flatMap((reason, index) => (reason === null ? [] : [index]))).toEqual([321]);
      expect(proxy.requests - before).toBeLessThan(150);
      expect(await headOf(store)).toBe(500);
      await store.close();
      proxy.close();
    });

    it('[STORE68] commits that wait for the same one share the next', async () => {
      const proxy = await CommitTrap.start(at.port);
      const store = await openMysql({ location: { ...at, port: proxy.port } });
      const asked = Array.from({ length: 20 }, (_, index) =>
        store.commit([[insert('chat_messages', message({ seq: index + 1 }))]]),
      );
      expect(await Promise.all(asked)).toEqual(asked.map(() => [null]));
      expect(proxy.commits).toBe(2);
      await store.close();
      proxy.close();
    });

    it('[STORE70] very many keys expire in small steps, and nobody waits for the end of that', async () => {
      const old = Array.from({ length: 11_000 }, (_, index) =>
        insert('idempotency_keys', key({ idempotency_key: `k${10_000 + index}`, created_at: noon - 1 })),
      );
      const young = insert('idempotency_keys', key({ idempotency_key: 'young' }));
      expect(await storage.commit([old, [young]])).toEqual([null, null]);
      const left = async () => (await other.rows('SELECT 1 FROM idempotency_keys')).length;
      const expire: Write = { op: 'expire', keysBefore: noon, topicsBefore: -Infinity };
      const late = await openMysql({ location: at, claim: { territory: '*', epoch: 0 } });
      expect(reasons(await late.commit([[expire]]))).toEqual(['FENCED']);
      await late.close();
      expect(await left()).toBe(11_001);

      // What somebody else holds is in the third step.
      await other.run('START TRANSACTION');
      const held =
        "actor = 'room/lobby' AND idempotency_key = 'k20999' AND user_id = 'ann' AND command = 'send'";
      await other.run(`SELECT 1 FROM idempotency_keys WHERE ${held} FOR UPDATE`);
      const asked = storage.commit([[expire]]);
      const looking = await Session.open(at, { lockTimeoutMs: 1_000 });
      for (;;) {
        const rows = await looking.rows('SELECT 1 FROM idempotency_keys');
        if (rows.length === 1_001) break;
      }
      looking.close();
      expect(await storage.commit([messages(1)])).toEqual([null]);
      await other.run('COMMIT');
      expect(await asked).toEqual([null]);
      expect(await left()).toBe(1);
    });

    it('[STORE69] rows can be read, and entered by hand, at the mysql shell', async () => {
      const writes = [
        insert('chat_messages', message({ updated_at: noon + 1 })),
        append('notifications', annsStream, notification({ read_at: noon })),
        insert('topics', topic()),
        insert('topic_messages', topicMessage({ is_text: true })),
      ];
      expect(await storage.commit([writes])).toEqual([null]);
      const seen = await other.rows(
        `SELECT content, seq, CAST(created_at AS CHAR) AS created, CAST(updated_at AS CHAR) AS updated FROM chat_messages`,
      );
      const created = '2024-05-01 12:00:00.000000';
      expect(seen).toEqual([{ content: 'hello', seq: 1, created, updated: '2024-05-01 12:00:00.001000' }]);
      expect(await other.rows('SELECT seq, is_read FROM notifications')).toEqual([{ seq: 1, is_read: 0 }]);
      expect(await other.rows('SELECT CAST(body AS CHAR) AS body, is_text FROM topic_messages')).toEqual([
        { body: 'hello', is_text: 1 },
      ]);
      await other.run(
        `INSERT INTO chat_rooms (room_id, name, created_by, created_at)
          VALUES ('hall', 'Hall', 'ann', '2024-05-01 12:00:00.123456')`,
      );
      const [hall] = await storage.query({ name: 'room', args: { roomId: 'hall' } });
      expect(hall).toEqual(
        room({ room_id: 'hall', name: 'Hall', created_at: noon + 123, epoch: hall?.epoch ?? '' }),
      );
      expect(hall?.epoch).toMatch(/^[0-9a-f]{12}$/);
    });

    it('[STORE27] a database that is missing, not migrated or not to be had is refused in one line', async () => {
      const empty = parseMysqlUrl(await server().newDatabase());
      await expect(openMysql({ location: empty })).rejects.toThrow(
        /has schema 0 .* run `stagewire migrate`\.$/,
      );
      const missing = { ...empty, database: 'stagewire_none' };
      await expect(openMysql({ location: missing })).rejects.toThrow(
        /^There is no .* run `stagewire migrate`\.$/,
      );
      await expect(openMysql({ location: { ...empty, password: 'wrong' } })).rejects.toThrow(
        / lets no user /,
      );
      await expect(openMysql({ location: { ...empty, port: 1 } })).rejects.toThrow(
        /^Can't reach .*\(ECONNREFUSED\)\.$/,
      );
    });
  });
});
