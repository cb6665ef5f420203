import Driver from 'better-sqlite3';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toSegment } from '../../src/actors/route.ts';
import { migrateSqlite, planSqlite } from '../../src/storage/sqlite/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import { StorageError } from '../../src/storage/storage.ts';
import { newDatabase, newFile, removeFilesAfterwards } from './database-file.ts';
import { annsStream, notification } from './domain-rows.ts';
import { append, member, message, noon, room } from './rows.ts';
import { startChild } from './storage-child-process.ts';

removeFilesAfterwards();

const all = ['0001_reference', '0002_stagewire', '0003_domains', '0004_owners'];

/** The reference's tables as a person would bring them to SQLite, with a few rows. */
const referenceDatabase = `
  CREATE TABLE chat_rooms (room_id VARCHAR(36) NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL,
    created_by VARCHAR(36) NOT NULL, is_private TINYINT(1) NOT NULL DEFAULT 0, created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6));
  CREATE INDEX idx_created_at ON chat_rooms (created_at);
  CREATE TABLE chat_room_members (id INTEGER PRIMARY KEY AUTOINCREMENT, room_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL, role VARCHAR(20) NOT NULL DEFAULT 'MEMBER', joined_at DATETIME(6) NOT NULL,
    UNIQUE (room_id, user_id), FOREIGN KEY (room_id) REFERENCES chat_rooms (room_id) ON DELETE CASCADE);
  CREATE INDEX idx_user_id ON chat_room_members (user_id);
  CREATE TABLE chat_messages (message_id VARCHAR(36) NOT NULL PRIMARY KEY, room_id VARCHAR(36) NOT NULL,
    sender_id VARCHAR(36) NOT NULL, content TEXT NOT NULL, message_type VARCHAR(20) DEFAULT 'TEXT',
    status VARCHAR(20) DEFAULT 'SENT', created_at DATETIME(6) NOT NULL, updated_at DATETIME(6),
    FOREIGN KEY (room_id) REFERENCES chat_rooms (room_id) ON DELETE CASCADE);
  CREATE INDEX idx_room_created ON chat_messages (room_id, created_at DESC);
  CREATE INDEX idx_sender ON chat_messages (sender_id);
  CREATE TABLE notifications (notification_id VARCHAR(36) NOT NULL PRIMARY KEY, user_id VARCHAR(36) NOT NULL,
    type VARCHAR(50) NOT NULL, message TEXT NOT NULL, reference_id VARCHAR(36),
    is_read TINYINT(1) NOT NULL DEFAULT 0, created_at DATETIME(6) NOT NULL);
  CREATE INDEX idx_user_unread ON notifications (user_id, is_read, created_at DESC);
  INSERT INTO chat_rooms VALUES ('lobby', 'Lobby', 'ann', 1, '2024-05-01 12:00:00.000000', NULL),
    ('hall', 'Hall', 'bob', 0, ${noon}, '2024-05-01T12:00:00.001Z');
  INSERT INTO chat_room_members (id, room_id, user_id, role, joined_at)
    VALUES (7, 'lobby', 'ann', 'ADMIN', '2024-05-01 12:00:00');
  INSERT INTO chat_messages (message_id, room_id, sender_id, content, created_at) VALUES
    ('b', 'lobby', 'ann', 'third', '2024-05-01 12:00:00.002400'),
    ('c', 'lobby', 'ann', 'second', '2024-05-01 12:00:00.002100'),
    ('z', 'lobby', 'ann', 'first', '2024-05-01T12:00:00.001Z'),
    ('a', 'hall', 'bob', 'alone', '2024-05-01 12:00:00.5');
  INSERT INTO chat_messages VALUES ('d', 'lobby', 'bob', 'fourth', NULL, NULL, ${noon + 3}, ${noon + 4});
  INSERT INTO notifications VALUES
    ('b', 'ann', 'ORDER', 'third', 'o1', 0, '2024-05-01 12:00:00.002400'),
    ('c', 'ann', 'ORDER', 'second', NULL, 1, '2024-05-01 12:00:00.002100'),
    ('z', 'ann', 'ALERT', 'first', NULL, 0, ${noon + 1}),
    ('s', '50%/x%2F', 'ALERT', 'strange', NULL, 0, '2024-05-01T12:00:00.500Z');
`;

describe('migrations of SQLite', () => {
  it('[STORE29] make a new database, once', () => {
    const file = newFile();
    expect(migrateSqlite(file)).toEqual({ from: 0, to: 4, applied: all });
    expect(migrateSqlite(file)).toEqual({ from: 4, to: 4, applied: [] });
    const database = new Driver(file, { readonly: true });
    expect(database.prepare('SELECT version, name FROM schema_migrations').all()).toEqual([
      { version: 1, name: 'reference' },
      { version: 2, name: 'stagewire' },
      { version: 3, name: 'domains' },
      { version: 4, name: 'owners' },
    ]);
    expect(database.prepare('SELECT applied_at FROM schema_migrations').pluck().get()).toMatch(/^\d{4}-.*Z$/);
    database.close();
  });

  it("[STORE30] keep the rows of a database with the reference's tables, and number its messages", async () => {
    const file = newFile();
    const database = new Driver(file);
    database.exec(referenceDatabase);
    database.close();
    expect(migrateSqlite(file)).toEqual({ from: 0, to: 4, applied: all });

    const storage = openSqlite({ file });
    const ask = async (roomId: string) =>
      storage.query({ name: 'roomMessagesAfter', args: { roomId, after: 0, limit: 9 } });
    expect(await ask('lobby')).toEqual([
      message({ message_id: 'z', content: 'first', created_at: noon + 1, seq: 1 }),
      message({ message_id: 'c', content: 'second', created_at: noon + 2, seq: 2 }),
      message({ message_id: 'b', content: 'third', created_at: noon + 2, seq: 3 }),
      message({
        message_id: 'd',
        sender_id: 'bob',
        content: 'fourth',
        created_at: noon + 3,
        updated_at: noon + 4,
        seq: 4,
      }),
    ]);
    expect(await ask('hall')).toEqual([
      message({
        message_id: 'a',
        room_id: 'hall',
        sender_id: 'bob',
        content: 'alone',
        created_at: noon + 500,
      }),
    ]);
    const [lobby] = await storage.query({ name: 'room', args: { roomId: 'lobby' } });
    const [hall] = await storage.query({ name: 'room', args: { roomId: 'hall' } });
    expect(lobby).toEqual(room({ is_private: true, epoch: lobby?.epoch ?? '' }));
    expect(hall).toMatchObject({ is_private: false, created_at: noon, updated_at: noon + 1 });
    expect(lobby?.epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(hall?.epoch).not.toBe(lobby?.epoch);
    const members = await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } });
    expect(members).toEqual([member({ role: 'ADMIN' })]);
    await storage.close();

    const after = new Driver(file, { readonly: true });
    expect(after.prepare('SELECT id FROM chat_room_members').pluck().all()).toEqual([7]);
    expect(after.pragma('foreign_key_check')).toEqual([]);
    expect(after.pragma('integrity_check', { simple: true })).toBe('ok');
    after.close();
  });

  it("[STORE30] keep the reference's notifications, numbered by time, each user's as a stream of its own", async () => {
    const file = newFile();
    const database = new Driver(file);
    database.exec(referenceDatabase);
    database.close();
    migrateSqlite(file);

    const storage = openSqlite({ file });
    const ask = (userId: string) =>
      storage.query({ name: 'notificationsAfter', args: { userId, after: 0, limit: 9 } });
    expect(await ask('ann')).toEqual([
      notification({ notification_id: 'z', type: 'ALERT', message: 'first', created_at: noon + 1, seq: 1 }),
      notification({ notification_id: 'c', message: 'second', is_read: true, created_at: noon + 2, seq: 2 }),
      notification({
        notification_id: 'b',
        message: 'third',
        reference_id: 'o1',
        created_at: noon + 2,
        seq: 3,
      }),
    ]);
    const strange = { user_id: '50%/x%2F', notification_id: 's', type: 'ALERT', message: 'strange' };
    expect(await ask('50%/x%2F')).toEqual([notification({ ...strange, created_at: noon + 500 })]);
    const head = async (userId: string) => {
      const stream = `/user/${toSegment(userId)}/queue/notifications`;
      return (await storage.query({ name: 'notificationsHead', args: { stream, userId } }))[0];
    };
    const [anns, stranges] = [await head('ann'), await head('50%/x%2F')];
    expect(anns).toMatchObject({ oldest: 1, newest: 3 });
    expect(stranges).toMatchObject({ oldest: 1, newest: 1 });
    expect(anns?.epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(stranges?.epoch).not.toBe(anns?.epoch);
    const next = append('notifications', annsStream, notification({ notification_id: 'new' }));
    expect(await storage.commit([[next]])).toEqual([null]);
    expect(await head('ann')).toEqual({ ...anns, newest: 4 });
    await storage.close();
  });

  it('[STORE53] a dry run tells the statements that a run then makes, and changes nothing', () => {
    const missing = newFile();
    expect(planSqlite(missing)).toMatchObject({ from: 0, to: 4 });
    expect(existsSync(missing)).toBe(false);

    const file = newFile();
    const database = new Driver(file);
    database.exec(referenceDatabase);
    const made = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name";
    const before = database.prepare(made).all();
    const { pending } = planSqlite(file);
    expect(pending.map(({ name }) => name)).toEqual(all);
    expect(database.prepare(made).all()).toEqual(before);
    for (const sql of pending.flatMap(({ statements }) => statements)) database.exec(sql);
    const byHand = database.prepare(made).all();
    expect(planSqlite(file)).toEqual({ from: 4, to: 4, pending: [] });
    database.close();

    migrateSqlite(missing);
    const migrated = new Driver(missing, { readonly: true });
    const names = (rows: unknown[]) => (rows as { name: string }[]).map(({ name }) => name);
    expect(names(byHand)).toEqual(expect.arrayContaining(names(migrated.prepare(made).all())));
    migrated.close();
  });

  it('[STORE31] a migration that fails leaves nothing of itself, and says what was wrong', () => {
    const file = newFile();
    const database = new Driver(file);
    database.exec(referenceDatabase);
    database.exec("UPDATE chat_rooms SET created_at = 'yesterday' WHERE room_id = 'hall'");
    database.close();
    expect(() => migrateSqlite(file)).toThrow(
      /^Migration 0002_stagewire of .* failed and changed nothing: .*created_at\.$/,
    );
    const after = new Driver(file);
    expect(after.prepare('SELECT max(version) FROM schema_migrations').pluck().get()).toBe(1);
    expect(after.prepare('SELECT count(*) FROM chat_messages').pluck().get()).toBe(5);
    after.exec(`UPDATE chat_rooms SET created_at = ${noon} WHERE room_id = 'hall'`);
    after.close();
    expect(migrateSqlite(file)).toEqual({ from: 1, to: 4, applied: all.slice(1) });
  });

  const strange: [string, RegExp][] = [
    [
      "INSERT INTO schema_migrations VALUES (5, 'future', '')",
      /newer version of Stagewire.*Start the newer version/,
    ],
    ["UPDATE schema_migrations SET name = 'other' WHERE version = 2", /2 "other".*doesn't know/],
    ['DELETE FROM schema_migrations WHERE version = 1', /2 "stagewire".*doesn't know/],
    ["INSERT INTO schema_migrations VALUES (0, 'zero', '')", /0 "zero".*doesn't know/],
  ];
  it.each(strange)('[STORE32] a schema of another version is refused and left alone: %s', (change, words) => {
    const file = newDatabase();
    const database = new Driver(file);
    database.exec(change);
    const before = database.prepare('SELECT * FROM schema_migrations').all();
    for (const attempt of [() => migrateSqlite(file), () => planSqlite(file), () => openSqlite({ file })]) {
      expect(attempt).toThrow(StorageError);
      expect(attempt).toThrow(words);
    }
    expect(database.prepare('SELECT * FROM schema_migrations').all()).toEqual(before);
    database.close();
  });

  it('[STORE32] a file that is no database is refused in one line and left alone', () => {
    const file = newFile();
    writeFileSync(file, 'these are notes, not a database. '.repeat(100));
    expect(() => migrateSqlite(file)).toThrow(`${file} is not a SQLite database.`);
  });

  it('[STORE33] processes that migrate together apply each migration once, and all of them succeed', async () => {
    for (let round = 0; round < 3; round += 1) {
      const file = newFile();
      const children = [1, 2, 3, 4].map(() => startChild('migrate', `sqlite:${file}`));
      await Promise.all(children.map((child) => child.line()));
      for (const child of children) child.say('go');
      const reports = await Promise.all(
        children.map(async (child) => JSON.parse(await child.line()) as { to?: number; applied?: string[] }),
      );
      expect(reports.map(({ to }) => to)).toEqual([4, 4, 4, 4]);
      const applied = reports.flatMap((report) => report.applied ?? []);
      expect(applied.toSorted((one, other) => one.localeCompare(other))).toEqual(all);
      await Promise.all(children.map((child) => child.ended()));
    }
  });
});
