// A MariaDB of one's own, for a Stagewire server that reaches it through a proxy, as a user who may do nothing but use
// its database. Import it in a test file and it ends after that file's last test.
import { createConnection, type Connection } from 'mysql2/promise';
import { afterAll } from 'vitest';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { heartBeatMs } from './fault-rounds.ts';
import { twoEach } from './layouts.ts';
import type { MariadbServer } from './mariadb.ts';
import { startServer, type TestServer } from './server.ts';
import { ownMariadb } from './shared-mariadb.ts';

const user = 'app';
const password = 'app';

const started: MariadbServer[] = [];

afterAll(async () => {
  await Promise.all(started.map((mariadb) => mariadb.remove()));
});

export interface Stage {
  readonly mariadb: MariadbServer;
  readonly proxy: FaultProxy;
  readonly server: TestServer;
  /** The database, past the proxy, for a user who may do anything. */
  readonly url: string;
  /** A connection of somebody else to the same database, past the proxy; it may do anything. */
  readonly connect: () => Promise<Connection>;
}

/**
 * Starts all three.
 *
 * @param folder where MariaDB keeps all it has; a new one unless given.
 */
export async function openStage(folder?: string): Promise<Stage> {
  const mariadb = await ownMariadb(folder);
  started.push(mariadb);
  const proxy = await startFaultProxy(mariadb.port);
  const url = new URL(await mariadb.newDatabase());
  const database = url.pathname.slice(1);
  await mariadb.sql(
    `CREATE USER ${user} IDENTIFIED BY '${password}'; GRANT ALL ON \`${database}\`.* TO ${user}`,
  );
  const connect = () => createConnection(url.href);
  const databaseUrl = `mysql://${user}:${password}@127.0.0.1:${proxy.port}/${database}`;
  const { settings } = twoEach;
  // A view waits for its answers without a turn of the event loop, and the proxy is in this process.
  const server = await startServer({
    settings: { ...settings, heartBeatMs, databaseUrl },
    viewUrl: url.href,
  });
  return { mariadb, proxy, server, url: url.href, connect };
}
