import { describe, expect, it } from 'vitest';
import { migrate, planMigration } from '../../src/storage/open.ts';
import { StorageError } from '../../src/storage/storage.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { startChild } from './storage-child-process.ts';
import { schemaOf } from './mysql-schema.ts';
import { referenceRows, referenceScript } from './reference-mysql.ts';

const all = ['0001_reference', '0002_stagewire', '0003_domains', '0004_owners'];

const statementsOf = async (url: string) =>
  (await planMigration(url)).pending.flatMap(({ statements }) => statements);

describe.runIf(runsMysql)('migrations of MySQL', () => {
  const server = useMariadb();

  /** One with the reference's tables and rows. */
  async function referenceDatabase(): Promise<string> {
    const url = await server().newDatabase();
    await server().sql(referenceScript + referenceRows, url);
    return url;
  }

  it('[STORE29] make a new database, once', async () => {
    const url = await server().newDatabase();
    expect(await migrate(url)).toEqual({ from: 0, to: 4, applied: all });
    const schema = await schemaOf(server(), url);
    expect(await migrate(url)).toEqual({ from: 4, to: 4, applied: [] });
    expect(await schemaOf(server(), url)).toEqual(schema);
    const rows = await server().sql('SELECT version, name, applied_at FROM schema_migrations', url);
    expect(rows).toEqual(
      ['reference', 'stagewire', 'domains', 'owners'].map((name, index) => ({
        version: index + 1,
        name,
        applied_at: expect.any(Date) as Date,
      })),
    );
  });

  it("[STORE50] a new database and one of the reference's script end with the same schema", async () => {
    const [made, taken] = [await server().newDatabase(), await referenceDatabase()];
    await migrate(made);
    await migrate(taken);
    const schema = await schemaOf(server(), taken);
    expect(schema).toEqual(await schemaOf(server(), made));
    const reference = await server().newDatabase();
    await server().sql(referenceScript, reference);
    for (const [table, sql] of Object.entries(await schemaOf(server(), reference))) {
      // All that the script made is there, but for the collation of the ids.
      const lines = sql.split('\n').map((line) => line.replace(/,$/, ''));
      const found = (schema[table] ?? '').replaceAll(/ CHARACTER SET utf8mb4 COLLATE utf8mb4_\w*bin/g, '');
      expect(found.split('\n').map((line) => line.replace(/,$/, ''))).toEqual(expect.arrayContaining(lines));
    }
  });

  it('[STORE51] a migration that broke off after any statement is gone on with, and loses nothing', async () => {
    const whole = await referenceDatabase();
    const statements = await statementsOf(whole);
    await migrate(whole);
    const schema = await schemaOf(server(), whole);
    const asked = 'SELECT message_id, room_id, seq FROM chat_messages ORDER BY message_id';
    const rows = await server().sql(asked, whole);
    expect(statements.length).toBeGreaterThan(30);
    for (let done = 1; done < statements.length; done += 1) {
      // Half of the statements make one more table, each like the others.
      if (statements[done - 1]?.startsWith('CREATE TABLE') && done % 5 !== 0) continue;
      const url = await referenceDatabase();
      await server().sql(statements.slice(0, done).join(';\n'), url);
      await migrate(url);
      expect(await schemaOf(server(), url), statements[done - 1]).toEqual(schema);
      expect(await server().sql(asked, url), statements[done - 1]).toEqual(rows);
      expect(await migrate(url)).toMatchObject({ from: 4, applied: [] });
    }
  }, 120_000);

  it('[STORE51] a statement that fails says which migration, and why', async () => {
    const url = await referenceDatabase();
    await server().sql('ALTER TABLE chat_messages DROP FOREIGN KEY chat_messages_ibfk_1', url);
    await server().sql("UPDATE chat_messages SET room_id = 'gone' WHERE message_id = 'a'", url);
    await expect(migrate(url)).rejects.toThrow(
      /^Migration 0002_stagewire of \w+ on [\w.:]+ failed: .*foreign key constraint fails.* goes on where it broke off\.$/,
    );
    await server().sql("DELETE FROM chat_messages WHERE room_id = 'gone'", url);
    expect(await migrate(url)).toEqual({ from: 1, to: 4, applied: all.slice(1) });
  });

  it('[STORE33] processes that migrate together apply each migration once, and all of them succeed', async () => {
    for (const url of [await server().newDatabase(), await referenceDatabase()]) {
      const children = [1, 2, 3, 4].map(() => startChild('migrate', url));
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

  const strange: [string, RegExp][] = [
    [
      "INSERT INTO schema_migrations VALUES (5, 'future', NOW())",
      /newer version of Stagewire.*Start the newer version/,
    ],
    ["UPDATE schema_migrations SET name = 'other' WHERE version = 2", /2 "other".*doesn't know/],
    ['DELETE FROM schema_migrations WHERE version = 1', /2 "stagewire".*doesn't know/],
    ['ALTER TABLE schema_migrations DROP COLUMN name', /table schema_migrations of another application/],
  ];
  it.each(strange)(
    '[STORE32] a schema of another version is refused and left alone: %s',
    async (change, words) => {
      const url = await server().newDatabase();
      await migrate(url);
      await server().sql(change, url);
      const before = await server().sql('SELECT * FROM schema_migrations', url);
      for (const attempt of [migrate, planMigration]) {
        const refusal = await attempt(url).catch((thrown: unknown) => thrown);
        expect(refusal).toBeInstanceOf(StorageError);
        expect((refusal as StorageError).message).toMatch(words);
      }
      expect(await server().sql('SELECT * FROM schema_migrations', url)).toEqual(before);
    },
  );

  const others: [string, RegExp][] = [
    ['CREATE TABLE orders (id INT PRIMARY KEY, total INT)', /table orders of another application/],
    [
      'CREATE TABLE notifications (id INT PRIMARY KEY)',
      /notifications without notification_id, user_id, .*another/,
    ],
    [
      `${referenceScript} CREATE TABLE likes (message VARCHAR(36) COLLATE utf8mb4_unicode_ci,
        CONSTRAINT fk_liked FOREIGN KEY (message) REFERENCES chat_messages (message_id)) CHARSET utf8mb4`,
      /foreign keys hold them as they are: fk_liked of \w+\.likes \(message\)\. Nothing was changed/,
    ],
    [
      `CREATE TABLE users (id VARCHAR(36) COLLATE utf8mb4_unicode_ci PRIMARY KEY) CHARSET utf8mb4; ${referenceScript}
        ALTER TABLE notifications ADD CONSTRAINT fk_user FOREIGN KEY (user_id) REFERENCES users (id)`,
      /as they are: fk_user of \w+\.notifications \(user_id\)/,
    ],
  ];
  it.each(others)(
    '[STORE52] tables of another application are refused and left alone: %s',
    async (sql, words) => {
      const url = await server().newDatabase();
      await server().sql(sql, url);
      const before = await schemaOf(server(), url);
      await expect(migrate(url)).rejects.toThrow(words);
      await expect(planMigration(url)).rejects.toThrow(words);
      expect(await schemaOf(server(), url)).toEqual(before);
    },
  );

  it('[STORE52] foreign keys of another database to these ids are found too', async () => {
    const url = await referenceDatabase();
    const other = await server().newDatabase();
    const database = new URL(url).pathname.slice(1);
    await server().sql(
      `CREATE TABLE likes (message VARCHAR(36) COLLATE utf8mb4_unicode_ci,
        CONSTRAINT fk_liked FOREIGN KEY (message) REFERENCES ${database}.chat_messages (message_id)) CHARSET utf8mb4`,
      other,
    );
    await expect(migrate(url)).rejects.toThrow(/fk_liked of \w+\.likes \(message\)\. Nothing was changed/);
    await server().sql('DROP TABLE likes', other);
    expect((await migrate(url)).applied).toEqual(all);
  });

  it('[STORE53] a dry run tells the statements that a run then makes, and changes nothing', async () => {
    for (const url of [await server().newDatabase(), await referenceDatabase()]) {
      const before = await schemaOf(server(), url);
      const plan = await planMigration(url);
      expect(plan).toMatchObject({ from: 0, to: 4 });
      expect(plan.pending.map(({ name }) => name)).toEqual(all);
      expect(await schemaOf(server(), url)).toEqual(before);
      // The same statements by hand, as by an operator who lets no server change a schema.
      const byHand = await server().newDatabase();
      if (Object.keys(before).length > 0) await server().sql(referenceScript + referenceRows, byHand);
      const statements = plan.pending.flatMap((migration) => migration.statements);
      await server().sql(statements.join(';\n'), byHand);
      await migrate(url);
      expect(await schemaOf(server(), byHand)).toEqual(await schemaOf(server(), url));
      expect(await planMigration(byHand)).toEqual({ from: 4, to: 4, pending: [] });
    }
  });
});
