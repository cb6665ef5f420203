// The command line on MySQL: what it says, and how it says that it can't.
import { describe, expect, test } from 'vitest';
import { runsMysql } from '../support/mariadb.ts';
import { runCommandLine, testSecret } from '../support/server.ts';
import { useMariadb } from '../support/shared-mariadb.ts';

describe.runIf(runsMysql)('the command line on MySQL', () => {
  const server = useMariadb();

  const run = (command: readonly string[], databaseUrl: string) =>
    runCommandLine(command, { given: { databaseUrl, jwtSecret: testSecret } });

  test('[PROC7] [PROC26] migrate makes the database, after a dry run that shows how', async () => {
    const url = await server().newDatabase();
    const name = new URL(url).pathname.slice(1);
    await server().sql(`DROP DATABASE ${name}`);
    const dry = await run(['migrate', '--dry-run'], url);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toContain(
      `CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4;
USE \`${name}\`;
-- 0001_reference
`,
    );
    expect(await server().sql(`SHOW DATABASES LIKE '${name}'`)).toEqual([]);
    const first = await run(['migrate'], url);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^The schema went from version 0 to \d+: 0001_reference, 0002_\w+.*\.\n$/);
    const second = await run(['migrate'], url);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/^The schema is at version \d+: nothing to do\.\n$/);
  });

  test('[PROC4] a database that can not be used: exit code 1 and one line without a password', async () => {
    const wrong = new URL(await server().newDatabase());
    wrong.password = 'secret';
    const nobody = 'mysql://root:secret@127.0.0.1:1/chat';
    for (const command of [['start'], ['migrate'], ['migrate', '--dry-run']]) {
      for (const url of [wrong.href, nobody]) {
        const result = await run(command, url);
        expect(result).toMatchObject({ code: 1, signal: null, stdout: '' });
        expect(result.stderr).toMatch(
          /^stagewire: (?:The database server .* lets no user|Can't reach the) [^\n]+\n$/,
        );
        expect(result.stderr).not.toContain('secret');
      }
    }
  });
});
