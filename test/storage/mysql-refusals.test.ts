// What an operator is told of a MySQL server that can't be used.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { claimStorage, migrate, planMigration } from '../../src/storage/open.ts';
import { StorageError } from '../../src/storage/storage.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { noon } from './rows.ts';

const attempts: readonly ((url: string) => Promise<unknown>)[] = [
  migrate,
  planMigration,
  async (url) => claimStorage(url, 'me', noon),
];

async function expectLine(url: string, words: RegExp, tried = attempts): Promise<void> {
  for (const attempt of tried) {
    const refusal = await attempt(url).catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(StorageError);
    const { reason, message } = refusal as StorageError;
    expect(reason).toBe('UNAVAILABLE');
    expect(message).toMatch(words);
    expect(message).toMatch(/^[^\n]+\.$/);
    expect(message).not.toContain('secret');
  }
}

describe('a server that is none', () => {
  const servers: (() => void)[] = [];

  afterEach(() => {
    for (const close of servers.splice(0)) close();
  });

  /** URL of a port on which something else listens. */
  async function listening(onSocket: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      onSocket(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(() => server.close());
    return `mysql://root:secret@127.0.0.1:${(server.address() as AddressInfo).port}/chat`;
  }

  it('[STORE58] nobody at the port', async () => {
    const url = await listening(() => undefined);
    servers.splice(0).forEach((close) => close());
    await expectLine(url, /^Can't reach the database server 127\.0\.0\.1:\d+ for chat \(ECONNREFUSED\)\.$/);
  });

  it('[STORE58] somebody who hangs up, or speaks something else', async () => {
    const hangsUp = await listening((socket) => socket.end());
    await expectLine(hangsUp, /^Can't reach the database server 127\.0\.0\.1:\d+ for chat \(/);
    const other = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expectLine(other, /^Can't reach the database server 127\.0\.0\.1:\d+ for chat \(/);
  });
});

describe.runIf(runsMysql)('a server that refuses', () => {
  const server = useMariadb();
  const users: string[] = [];

  afterAll(async () => {
    for (const user of users.splice(0)) await server().sql(`DROP USER ${user}`);
  });

  /** The same URL with another user, whose rights are these. */
  async function as(url: string, grant: (database: string, user: string) => string): Promise<string> {
    const other = new URL(url);
    other.username = `user${process.pid}x${users.length}`;
    other.password = 'secret';
    const user = `'${other.username}'@'%'`;
    users.push(user);
    const database = other.pathname.slice(1);
    await server().sql(`CREATE USER ${user} IDENTIFIED BY 'secret'; ${grant(database, user)}`);
    return other.href;
  }

  it('[STORE58] a wrong password, and a user whom it does not know', async () => {
    const url = new URL(await server().newDatabase());
    url.password = 'secret';
    await expectLine(url.href, /^The database server [\w.:]+ lets no user "\w+" with this password in\.$/);
    url.username = 'nobody';
    await expectLine(url.href, /lets no user "nobody" with/);
  });

  it('[STORE58] a user without rights on the database, or with too few to make its tables', async () => {
    const url = await server().newDatabase();
    await expectLine(await as(url, () => ''), /^User "\w+" has no rights on the database \w+ on [\w.:]+\.$/);
    const reader = await as(url, (database, user) => `GRANT SELECT ON ${database}.* TO ${user}`);
    await expectLine(reader, /^Migration 0001_reference of .* failed: CREATE command denied to user .*\.$/, [
      migrate,
    ]);
  });

  it('[STORE58] a database that is not there: made by migrate where the user may', async () => {
    const there = new URL(await server().newDatabase());
    const name = there.pathname.slice(1);
    await server().sql(`DROP DATABASE ${name}`);
    const reader = await as(there.href, (database, user) => `GRANT SELECT ON ${database}.* TO ${user}`);
    const noRights = new RegExp(
      `^There is no database ${name} on [\\w.:]+, and user "\\w+" can't make it\\. ` +
        `Have it made: CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4\\.$`,
    );
    await expectLine(reader, noRights, [migrate]);
    await expectLine(there.href, /^There is no Stagewire database .*: run `stagewire migrate`\.$/, [
      async (url) => claimStorage(url, 'me', noon),
    ]);
    const { pending } = await planMigration(there.href);
    expect(pending[0]?.statements[0]).toContain(`CREATE DATABASE IF NOT EXISTS \`${name}\``);
    expect(await server().sql(`SHOW DATABASES LIKE '${name}'`)).toEqual([]);
    const maker = await as(there.href, (database, user) => `GRANT ALL ON ${database}.* TO ${user}`);
    expect(await migrate(maker)).toMatchObject({ from: 0, to: 4 });
    expect(await claimStorage(maker, 'me', noon)).toMatchObject({ epoch: 1 });
  });

  it('[STORE58] a database that is not migrated can not be claimed', async () => {
    const url = await server().newDatabase();
    await expectLine(url, /^There is no Stagewire database .*: run `stagewire migrate`\.$/, [
      async (there) => claimStorage(there, 'me', noon),
    ]);
  });
});
