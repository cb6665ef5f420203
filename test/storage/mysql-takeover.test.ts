// A database of the reference's application, taken over while that application may still be there.
import { describe, expect, it } from 'vitest';
import { toSegment } from '../../src/actors/route.ts';
import { claimStorage, migrate, openStorage } from '../../src/storage/open.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { annsStream, notification } from './domain-rows.ts';
import { append, insert, member, message, noon, room } from './rows.ts';
import { referenceQueries, referenceRows, referenceScript } from './reference-mysql.ts';

describe.runIf(runsMysql)("a database of the reference's script", () => {
  const server = useMariadb();

  async function takenOver(rows = referenceRows): Promise<string> {
    const url = await server().newDatabase();
    await server().sql(referenceScript + rows, url);
    await migrate(url);
    return url;
  }

  const ask = async (sql: string, url: string) => server().sql<Record<string, string>>(sql, url);

  it("[STORE54] answers the reference's own queries as it did before", async () => {
    const url = await server().newDatabase();
    await server().sql(referenceScript + referenceRows, url);
    const before = await Promise.all(referenceQueries.map(async (sql) => ask(sql, url)));
    await migrate(url);
    expect(await Promise.all(referenceQueries.map(async (sql) => ask(sql, url)))).toEqual(before);
    expect(before.every((rows) => rows.length > 0)).toBe(true);
  });

  it('[STORE30] numbers the messages of each room by time, down to the microsecond, then by id', async () => {
    const url = await takenOver();
    const rows = await ask('SELECT room_id, message_id, seq FROM chat_messages ORDER BY room_id, seq', url);
    expect(rows.map((row) => `${row.room_id} ${row.seq} ${row.message_id}`)).toEqual([
      'hall 1 a',
      'lobby 1 z',
      'lobby 2 c',
      'lobby 3 b',
      'lobby 4 d',
      'lobby 5 e',
    ]);
    const rooms = await ask('SELECT epoch FROM chat_rooms', url);
    for (const { epoch } of rooms) expect(epoch).toMatch(/^[0-9a-f]{12}$/);
    expect(new Set(rooms.map(({ epoch }) => epoch)).size).toBe(3);
  });

  it('[STORE30] numbers the notifications of each user, whose stream goes on from there', async () => {
    const url = await takenOver();
    const rows = await ask(
      'SELECT user_id, notification_id, seq, read_at FROM notifications ORDER BY user_id, seq',
      url,
    );
    expect(rows.map((row) => `${row.user_id} ${row.seq} ${row.notification_id} ${row.read_at}`)).toEqual([
      '50%/x%2F 1 s null',
      'ann 1 z null',
      'ann 2 c null',
      'ann 3 b null',
    ]);
    const streams = await ask('SELECT stream, epoch, seq FROM streams ORDER BY seq', url);
    expect(streams).toEqual([
      { stream: `/user/${toSegment('50%/x%2F')}/queue/notifications`, epoch: expect.any(String), seq: 1 },
      { stream: '/user/ann/queue/notifications', epoch: expect.stringMatching(/^[0-9a-f]{12}$/), seq: 3 },
    ]);
    expect(streams[0]?.['epoch']).not.toBe(streams[1]?.['epoch']);
  });

  it('[STORE30] fills in what a variant of the reference left open', async () => {
    const url = await server().newDatabase();
    const loose = referenceScript.replaceAll(
      /(message_type|status) VARCHAR\(20\) NOT NULL/g,
      '$1 VARCHAR(20)',
    );
    const rows = referenceRows.replace("'first', 'TEXT', 'SENT'", "'first', NULL, NULL");
    expect(loose + rows).not.toBe(referenceScript + referenceRows);
    await server().sql(loose + rows, url);
    await migrate(url);
    expect(await ask("SELECT message_type, status FROM chat_messages WHERE message_id = 'z'", url)).toEqual([
      { message_type: 'TEXT', status: 'SENT' },
    ]);
  });

  it('[STORE55] ids are one only when they are the same characters, and come in the order of code points', async () => {
    const url = await takenOver();
    const names = ['alice', 'Alice', 'alic\u00E9', 'alice ', 'ALICE', '\u{1F600}', '\uFF5E', ''];
    const values = names.map((name) => `('lobby', '${name}', NOW())`).join(', ');
    await server().sql(`INSERT INTO chat_room_members (room_id, user_id, joined_at) VALUES ${values}`, url);
    for (const name of names) {
      expect(await ask(`SELECT user_id FROM chat_room_members WHERE user_id = '${name}'`, url)).toEqual([
        { user_id: name },
      ]);
    }
    const sorted = await ask(
      "SELECT user_id FROM chat_room_members WHERE room_id = 'lobby' ORDER BY user_id",
      url,
    );
    const codePoints = [...names, 'ann'].toSorted((one, other) =>
      Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    expect(sorted.map(({ user_id }) => user_id)).toEqual(codePoints);
    await server().sql("INSERT INTO chat_rooms VALUES ('Lobby', 'x', 'a', 0, NOW(), NULL, 'e')", url);
    expect(await ask("SELECT room_id FROM chat_rooms WHERE room_id = 'LOBBY'", url)).toEqual([]);
    const columns = await ask(
      `SELECT table_name AS t, column_name AS c, collation_name AS l FROM information_schema.columns
        WHERE table_schema = DATABASE() AND collation_name NOT LIKE 'utf8mb4\\_%bin'`,
      url,
    );
    expect(columns.map(({ t, c }) => `${t}.${c}`).toSorted((one, other) => one.localeCompare(other))).toEqual(
      [
        'chat_messages.content',
        'chat_messages.message_type',
        'chat_messages.status',
        'chat_room_members.role',
        'chat_rooms.name',
        'notifications.message',
        'notifications.type',
      ],
    );
  });

  it("[STORE56] the reference's application may go on making rooms and members, not messages", async () => {
    const url = await takenOver();
    await server().sql(
      `INSERT INTO chat_rooms (room_id, name, created_by, is_private, created_at) VALUES
        ('r1', 'One', 'ann', 0, NOW()), ('r2', 'Two', 'ann', 0, NOW());
      INSERT INTO chat_room_members (room_id, user_id, role, joined_at) VALUES ('r1', 'ann', 'ADMIN', NOW())`,
      url,
    );
    const made = await ask("SELECT epoch FROM chat_rooms WHERE room_id LIKE 'r_'", url);
    expect(made[0]?.['epoch']).toMatch(/^[0-9a-f]{12}$/);
    expect(made[1]?.['epoch']).not.toBe(made[0]?.['epoch']);
    const refused = [
      `INSERT INTO chat_messages (message_id, room_id, sender_id, content, created_at)
        VALUES ('m1', 'r1', 'ann', 'hello', NOW())`,
      `INSERT INTO notifications (notification_id, user_id, type, message, created_at)
        VALUES ('n1', 'ann', 'ORDER', 'hello', NOW())`,
    ];
    for (const sql of refused)
      await expect(server().sql(sql, url)).rejects.toThrow(/'seq' doesn't have a default/);
  });

  it('[STORE5] messages and members of a room go with it, as the script has it', async () => {
    const url = await takenOver();
    await server().sql("DELETE FROM chat_rooms WHERE room_id = 'lobby'", url);
    expect(await ask('SELECT message_id FROM chat_messages', url)).toEqual([{ message_id: 'a' }]);
    expect(await ask('SELECT id FROM chat_room_members ORDER BY id', url)).toEqual([{ id: 9 }, { id: 10 }]);
    const orphan = `INSERT INTO chat_messages VALUES ('x', 'lobby', 'a', '', 'TEXT', 'SENT', NOW(), NULL, 1)`;
    await expect(server().sql(orphan, url)).rejects.toThrow(/foreign key/);
  });

  it('[STORE30] goes on through the store: its rows are read, and the next ones follow them', async () => {
    const url = await takenOver();
    const storage = await openStorage(url, { claim: await claimStorage(url, 'me', noon) });
    const after = async (roomId: string) =>
      storage.query({ name: 'roomMessagesAfter', args: { roomId, after: 2, limit: 9 } });
    expect((await after('lobby'))[0]).toEqual(
      message({
        message_id: 'b',
        content: 'third \u{1F44B}\u{1F3FD} caf\u00E9',
        created_at: noon + 2,
        seq: 3,
      }),
    );
    const members = await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } });
    expect(members).toEqual([member({ role: 'ADMIN' })]);
    const [lobby] = await storage.query({ name: 'room', args: { roomId: 'lobby' } });
    expect(lobby).toEqual(room({ name: 'Lobby \u{1F600}', is_private: true, epoch: lobby?.epoch ?? '' }));
    const head = async () =>
      (await storage.query({ name: 'notificationsHead', args: { stream: annsStream, userId: 'ann' } }))[0];
    const before = await head();
    expect(before).toMatchObject({ oldest: 1, newest: 3 });
    const writes = [
      insert('chat_messages', message({ message_id: 'new', seq: 6 })),
      append('notifications', annsStream, notification({ notification_id: 'new' })),
    ];
    expect(await storage.commit([writes])).toEqual([null]);
    expect((await after('lobby')).map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    expect(await head()).toEqual({ ...before, newest: 4 });
    await storage.close();
  });

  it('[STORE45] what was missed comes page after page, also where times of a millisecond differ', async () => {
    const url = await server().newDatabase();
    const times = ['00.002900', '00.002100', '00.002500', '00.002999', '00.003000', '00.002000'];
    const rows = times.map(
      (time, index) =>
        `('m${index}', '${index % 2 === 0 ? 'hall' : 'lobby'}', 'bob', '', 'TEXT', 'SENT', '2024-05-01 12:00:${time}', NULL)`,
    );
    await server().sql(
      `${referenceScript} ${referenceRows} DELETE FROM chat_messages; INSERT INTO chat_messages VALUES ${rows.join(', ')}`,
      url,
    );
    await migrate(url);
    const storage = await openStorage(url);
    const found: string[] = [];
    let place = { since: noon + 2, afterRoom: '', afterSeq: 0 };
    for (let page = 0; page <= times.length; page += 1) {
      const args = { userId: 'ann', roomId: '', limit: 1, ...place };
      const [next] = await storage.query({ name: 'missedSince', args });
      if (!next) break;
      found.push(`${next.created_at - noon} ${next.room_id} ${next.seq}`);
      place = { since: next.created_at, afterRoom: next.room_id, afterSeq: next.seq };
    }
    await storage.close();
    expect(found).toEqual(['2 hall 1', '2 hall 2', '2 lobby 1', '2 lobby 2', '2 lobby 3', '3 hall 3']);
  });
});
