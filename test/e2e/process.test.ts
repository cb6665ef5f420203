// The command line: what each command says, and how it says that it can't.
import { execFileSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { ConfigError, resolveConfig, settings, type Given } from '../../src/config.ts';
import { Authenticator } from '../../src/edge/auth.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { mainFile, runCommandLine, startServer, temporaryFolder, testSecret } from '../support/server.ts';
import type { CommandLineResult } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

/** One clear line for the operator, and nothing on standard output. */
function expectOneLine(result: CommandLineResult, code: number, line: RegExp): void {
  expect(result).toMatchObject({ code, signal: null, stdout: '' });
  expect(result.stderr).toMatch(/^stagewire: [^\n]+\n$/);
  expect(result.stderr).toMatch(line);
}

describe('help', () => {
  test('[PROC1] start --help names every setting with its unit, default and variable', async () => {
    const { code, stdout, stderr } = await runCommandLine(['start', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // One entry a flag, with its wrapped lines joined.
    const entries = stdout.replaceAll(/\n {10,}/g, ' ').split('\n');
    for (const { flag, argument, variable, help, fallback } of Object.values(settings)) {
      const entry = entries.find((one) => one.trim().startsWith(`${flag} `)) ?? '';
      expect(entry).toContain(argument);
      expect(entry).toContain(help);
      expect(entry).toContain(variable);
      if (fallback) expect(entry).toContain(`default ${fallback}`);
    }
  });

  test('[PROC1] the commands are listed, and no command at all is bad usage', async () => {
    const [help, none] = await Promise.all([runCommandLine(['--help']), runCommandLine([])]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const name of ['start', 'token', 'migrate', 'bench']) expect(help.stdout).toContain(`\n  ${name}`);
    expect(none).toMatchObject({ code: 2, stdout: '' });
  });

  test('[PROC27] what was built can be run by its name', () => {
    // As npx does, which makes it so when it first sees a package, and never again.
    expect(execFileSync(mainFile, ['--help'], { encoding: 'utf8' })).toContain('stagewire');
  });
});

describe('bad usage', () => {
  test.concurrent.each([
    [['start', '--redis-url', 'http://a:password@localhost'], /--redis-url: write redis:\/\/host:6379/],
    [['start', '--redis-url', 'redis://:password@localhost/a'], /--redis-url: write redis:\/\/host:6379/],
    [['start', '--price-interval', '10'], /--price-interval: write a duration from 50ms to 60s/],
    [['start', '--prot', '1'], /unknown option '--prot' \(Did you mean --port\?\)/],
    [['migrate', '--port', '1'], /unknown option '--port'/],
    [['start', 'now'], /too many arguments/],
    [['begin'], /unknown command 'begin'/],
    [['start', '--port'], /--port/],
    [['start', '--port', '80a'], /--port must be a whole number from 0 to 65535, not "80a"/],
    [['start', '--database-url', 'mysql://root:password@localhost/'], /--database-url: write .* mysql:/],
    [['migrate', '--database-url', 'postgres://a:password@b/c'], /--database-url/],
    [['token'], /--user/],
    [['token', '--user', 'a'.repeat(37)], /--user/],
    [['token', '--user', 'a\u0001'], /control character/],
    [['token', '--user', 'alice', '--expires', 'late'], /--expires: "late"/],
  ])('[PROC2] stagewire %j is refused with exit code 2 and one line', async (parameters, line) => {
    const result = await runCommandLine(parameters, { given: { jwtSecret: testSecret } });
    expectOneLine(result, 2, line);
    expect(result.stderr).not.toContain('password');
  });

  test.each<[Given, RegExp]>([
    [{ port: '70000' }, /^--port must be a whole number from 0 to 65535, not "70000"$/],
    [{ port: '' }, /^--port must be/],
    [{ edges: '0' }, /^--edges must be a whole number from 1 to 64/],
    [{ shards: '1.5' }, /^--shards must be/],
    [{ host: '' }, /^--host: /],
    [{ heartBeatMs: '10ms' }, /^--heart-beat: /],
    [{ rateLimit: 'many' }, /^--rate-limit: "many" is not a rate limit/],
    [{ frameBytesMax: '9' }, /^--frame-limit must be/],
    [{ drainWithinMs: 'soon' }, /^--drain-timeout: "soon" is not a duration/],
    [{ logLevel: 'loud' }, /^--log-level must be one of/],
    [{ jwtSecret: 'short' }, /^--jwt-secret: .*32 bytes/],
    [{ jwksUrl: 'keys' }, /^--jwks-url: /],
    [{ databaseUrl: 'stagewire.db' }, /^--database-url: write sqlite:PATH/],
    [{ databaseUrl: 'sqlite:' }, /^--database-url: write sqlite:PATH/],
    [{ databaseUrl: 'sqlite://a/b.db' }, /^--database-url: write sqlite:PATH/],
    [{ databaseUrl: 'sqlite::memory:' }, /^--database-url: .* memory:/],
    [{ databaseUrl: 'mysql://localhost/chat' }, /^--database-url: .* mysql:/],
    [{ databaseUrl: 'mysql://ann:secret@localhost/chat?ssl=1' }, /^--database-url: .* mysql:/],
  ])('[PROC2] the setting %j is refused, and the message names its flag', (given, message) => {
    expect(() => resolveConfig(given, {})).toThrow(ConfigError);
    expect(() => resolveConfig(given, {})).toThrow(message);
  });

  test('[PROC2] a wrong value in a variable is refused too, and a flag goes first', async () => {
    const given: Given = { port: 'x', rateLimit: '5/10s' };
    expectOneLine(await runCommandLine(['start'], { given }), 2, /--port must be .*"x"/);
    expectOneLine(await runCommandLine(['start', '--port', 'y'], { given }), 2, /--port must be .*"y"/);
  });
});

describe('what can not be had', () => {
  test('[PROC3] a port in use: exit code 1 and one line', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const result = await runCommandLine(['start', '--port', `${port}`, '--database-url', 'memory:']);
    holder.close();
    expectOneLine(result, 1, new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`));
  });

  test('[PROC3] a port that another stagewire listens on: the same, and the other goes on', async () => {
    const server = await startServer({ settings: { databaseUrl: 'memory:' } });
    const port = new URL(server.url).port;
    const result = await runCommandLine(['start', '--port', port, '--database-url', 'memory:']);
    expectOneLine(result, 1, /the port is in use/);
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.rest('GET', '/readyz')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('[PROC4] a database that can not be used: exit code 1 and one line', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'text.db'), 'this is no database, though it is long enough to look like one');
    writeFileSync(join(folder, 'file'), '');
    await runCommandLine(['migrate', '--database-url', 'sqlite:newer.db'], { folder });
    const newer = new Database(join(folder, 'newer.db'));
    newer.exec(`INSERT INTO schema_migrations VALUES (9999, 'later', '2099-01-01T00:00:00.000Z')`);
    newer.close();
    const cases: [file: string, line: RegExp][] = [
      ['text.db', /text\.db is not a SQLite database/],
      ['file/a.db', /file/],
      ['newer.db', /newer\.db has schema 9999, made by a newer version/],
    ];
    for (const command of ['start', 'migrate']) {
      for (const [file, line] of cases) {
        const parameters = [command, '--database-url', `sqlite:${file}`];
        expectOneLine(
          await runCommandLine(parameters, { folder, given: { jwtSecret: testSecret } }),
          1,
          line,
        );
      }
    }
  });
});

describe('token and migrate', () => {
  test('[PROC5] token prints a token as it was asked for, and nothing else', async () => {
    const beforeMs = systemClock.now();
    const result = await runCommandLine(
      ['token', '--user', 'alice', '--role', 'service', '--role', 'admin', '--expires', '90s'],
      { given: { jwtSecret: testSecret } },
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const token = result.stdout.trim();
    const authenticator = new Authenticator({ clock: systemClock, secret: testSecret });
    const identity = await authenticator.verify(token);
    expect(identity).toMatchObject({ user: 'alice', roles: ['service', 'admin'] });
    expect(identity.expiresAtMs).toBeGreaterThanOrEqual(beforeMs + 90_000);
    expect(identity.expiresAtMs).toBeLessThan(systemClock.now() + 91_000);
  });

  test('[PROC5] a token of the data folder is taken by the server of that folder', async () => {
    const folder = temporaryFolder();
    const { stdout } = await runCommandLine(['token', '--user', 'bob'], { folder });
    const file = join(folder, 'data', 'jwt-secret');
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(readFileSync(file, 'utf8').trim().length).toBeGreaterThanOrEqual(32);
    const { exp = 0, iat = 0 } = decodeJwt(stdout.trim());
    expect(exp - iat).toBeGreaterThanOrEqual(24 * 60 * 60);

    const server = await startServer({ folder, bare: true });
    const client = await connectStomp(server, { token: stdout.trim() });
    expect(client.frames[0]?.headers['user-name']).toBe('bob');
    await client.disconnect();
    await server.stop();
    expect(readFileSync(file, 'utf8')).not.toBe('');
  });

  test('[PROC6] a secret is made only for a loopback address; elsewhere one must be set', async () => {
    const folder = temporaryFolder();
    for (const command of [['start'], ['token', '--user', 'alice']]) {
      const result = await runCommandLine([...command, '--host', '0.0.0.0'], { folder });
      expectOneLine(result, 2, /0\.0\.0\.0 needs a secret: set --jwt-secret or STAGEWIRE_JWT_SECRET/);
    }
    expect(existsSync(join(folder, 'data'))).toBe(false);
    const server = await startServer({ settings: { host: '0.0.0.0' } });
    await server.stop();
  });

  test('[PROC7] migrate says what it did, and that there is nothing to do', async () => {
    const folder = temporaryFolder();
    const first = await runCommandLine(['migrate'], { folder });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^The schema went from version 0 to \d+: 0001_reference, 0002_\w+.*\.\n$/);
    const second = await runCommandLine(['migrate'], { folder });
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/^The schema is at version \d+: nothing to do\.\n$/);
    expect(existsSync(join(folder, 'data', 'stagewire.db'))).toBe(true);
    expect(existsSync(join(folder, 'data', 'jwt-secret'))).toBe(false);
  });

  test('[PROC26] migrate --dry-run prints SQL, and changes nothing', async () => {
    const folder = temporaryFolder();
    const dry = ['migrate', '--dry-run'];
    const first = await runCommandLine(dry, { folder });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /^-- The schema would go from version 0 to \d+\. Nothing was changed\.\n-- 0001_reference\n/,
    );
    expect(existsSync(join(folder, 'data'))).toBe(false);
    // All of it is SQL that makes what a run makes.
    const byHand = new Database(':memory:');
    byHand.exec(first.stdout);
    await runCommandLine(['migrate'], { folder });
    const made = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name';
    const migrated = new Database(join(folder, 'data', 'stagewire.db'), { readonly: true });
    expect(byHand.prepare(made).all()).toEqual(migrated.prepare(made).all());
    migrated.close();
    byHand.close();
    const second = await runCommandLine(dry, { folder });
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/^-- The schema is at version \d+: nothing to do\.\n$/);
  });

  test('[PROC8] settings come from the environment: host, port, database, log level', async () => {
    const holder = createServer().listen(0, '127.0.0.7');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    holder.close();
    await once(holder, 'close');
    const server = await startServer({
      settings: { host: '127.0.0.7', port: `${port}`, logLevel: 'silent', edges: '2', shards: '2' },
    });
    expect(server.url).toBe(`http://127.0.0.7:${port}`);
    const client = await connectStomp(server, { user: 'alice' });
    await client.send('/topic/a', 'kept');
    expect(existsSync(join(server.folder, 'stagewire.db'))).toBe(true);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(server.log).toEqual([]);
    expect(server.outputLines).toHaveLength(1);
  });
});
