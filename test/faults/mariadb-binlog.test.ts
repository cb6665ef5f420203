// A MariaDB whose binary log can't hold what the server writes.
import { afterAll, describe, expect, test } from 'vitest';
import { runsOwnMysql, type MariadbServer } from '../support/mariadb.ts';
import { runCommandLine, startServer, testSecret } from '../support/server.ts';
import { ownMariadb } from '../support/shared-mariadb.ts';
import { connectStomp } from '../support/stomp.ts';

const started: MariadbServer[] = [];

afterAll(async () => {
  await Promise.all(started.map((mariadb) => mariadb.remove()));
});

const byStatements = ['--log-bin=binlog', '--server-id=1', '--binlog-format=STATEMENT'];

describe.runIf(runsOwnMysql)('a MariaDB with a binary log', () => {
  test('[STORE71] by statements is refused in one line at the start, and taken with another form', async () => {
    const mariadb = await ownMariadb();
    started.push(mariadb);
    const databaseUrl = await mariadb.newDatabase();
    await mariadb.restart(byStatements);
    const given = { databaseUrl, jwtSecret: testSecret, port: '0' };
    const result = await runCommandLine(['start'], { given });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^stagewire: [^\n]*binlog_format=STATEMENT[^\n]*ROW[^\n]*\n$/);
    // So it would be with every commit.
    const write = "INSERT INTO topics (topic, epoch, created_at) VALUES ('a', 'e', NOW())";
    const committed = `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; ${write}`;
    await expect(mariadb.sql(committed, databaseUrl)).rejects.toMatchObject({ errno: 1665 });
    // Nobody who has the database has lost it by that.
    expect(await mariadb.sql('SELECT * FROM owners', databaseUrl)).toEqual([]);
    await mariadb.sql("SET GLOBAL binlog_format = 'MIXED'");
    const server = await startServer({ settings: { databaseUrl } });
    const client = await connectStomp(server, { user: 'alice' });
    await client.send('/topic/logged', 'by rows');
    await client.disconnect();
  }, 60_000);
});
