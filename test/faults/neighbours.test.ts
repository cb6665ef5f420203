// One transaction of a group that the database refuses, and its neighbours.
import { expect, test } from 'vitest';
import Driver from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { createRoom, range } from '../support/rooms.ts';
import { startServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';

const mariadb = useMariadb();

/** Makes a message that the room's actor does not know of. */
type Intrude = (databaseUrl: string, roomId: string, seq: number) => Promise<void>;

const insert = `INSERT INTO chat_messages (message_id, room_id, sender_id, content, message_type, status, created_at, seq)
  VALUES (?, ?, 'intruder', 'first', 'TEXT', 'SENT', ?, ?)`;

const intoSqlite: Intrude = async (databaseUrl, roomId, seq) => {
  const database = new Driver(databaseUrl.replace('sqlite:', ''));
  database.prepare(insert).run(`intruder-${seq}`, roomId, '2026-01-01T00:00:00.000Z', seq);
  database.close();
};

const intoMysql: Intrude = async (databaseUrl, roomId, seq) => {
  const connection = await createConnection(databaseUrl);
  await connection.execute(insert, [`intruder-${seq}`, roomId, '2026-01-01 00:00:00.000', seq]);
  await connection.end();
};

const stores = [
  { name: 'SQLite', runs: true, settings: async () => ({}), intrude: intoSqlite },
  {
    name: 'MySQL',
    runs: runsMysql,
    settings: async () => ({ databaseUrl: await mariadb().newDatabase() }),
    intrude: intoMysql,
  },
].filter(({ runs }) => runs);

test.each(stores)(
  '[FAULT10] what the database refuses is CONFLICT for whoever asked, its neighbours are done, and its actor heals: $name',
  async ({ settings, intrude }) => {
    const server = await startServer({ settings: { shards: '1', ...(await settings()) } });
    const owner = await connectStomp(server, { user: 'owner' });
    const rooms = await Promise.all(range(1, 8).map((number) => createRoom(server, `room ${number}`)));
    const [bad = '', ...others] = rooms;
    for (const room of rooms) await owner.send(`/app/chat.send/${room}`, '{"content":"0"}');
    await intrude(server.databaseUrl, bad, 2);
    // Sent at once, so that they share commits.
    const sent = range(1, 20).flatMap((number) =>
      rooms.map((room) =>
        owner.send(`/app/chat.send/${room}`, JSON.stringify({ content: String(number) })).then(
          () => ({ room, code: 'stored' }),
          ({ refusal }: { refusal: { code: string } }) => ({ room, code: refusal.code }),
        ),
      ),
    );
    const outcomes = await Promise.all(sent);
    for (const room of others) {
      expect(outcomes.filter((one) => one.room === room && one.code === 'stored')).toHaveLength(20);
    }
    const codes = outcomes.filter((one) => one.room === bad).map(({ code }) => code);
    expect(codes).toContain('CONFLICT');
    expect(new Set(codes).size, codes.join()).toBeLessThanOrEqual(2);
    await owner.send(`/app/chat.send/${bad}`, '{"content":"healed"}');
    for (const room of rooms) {
      const { body } = await server.rest('GET', `/api/rooms/${room}/messages?limit=100`, { user: 'owner' });
      const seqs = (body as { seq: number }[]).map(({ seq }) => seq);
      expect(seqs).toEqual(range(1, seqs.length).toReversed());
      const stored = outcomes.filter((one) => one.room === room && one.code === 'stored').length;
      expect(seqs.length).toBe(room === bad ? stored + 3 : 21);
    }
    await owner.disconnect();
  },
);
