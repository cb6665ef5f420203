// Where the servers of tests keep what they know: SQLite in the server's folder or, where the run says so, a database
// of the run's MySQL or MariaDB, with a Redis beside it.
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Given } from '../../src/config.ts';
import type { MysqlServer } from './mariadb.ts';
import { givenRedisUrl, runsRedis } from './redis-file.ts';
import { redisView, startRedis, type RedisServer } from './redis.ts';
import { sharedMariadb } from './shared-mariadb.ts';

/** Set by the project of vitest.config.ts. */
export const isMysql = process.env['STAGEWIRE_TEST_STORE'] === 'mysql';

const redisDatabases = 1_024;
/** Of a Redis that was given, which has 16 unless told otherwise: two workers share it, and number 0 is not ours. */
const givenDatabases = 7;

export type StoreSettings = Pick<Given, 'redisUrl'> & { readonly databaseUrl: string };

const stores = new Map<string, Promise<StoreSettings>>();
let mysql: Promise<MysqlServer> | undefined;
let redis: Promise<RedisServer> | undefined;
let redisUrls = 0;

afterAll(async () => {
  await (await mysql)?.dropDatabases();
});

/**
 * How often a proof by killing ends the server, of so many times on SQLite. What is proved of the server itself is proved
 * there; a start on a database server takes longer, and it loses nothing by our end.
 */
export function killsOf(times: number): number {
  return isMysql ? Math.ceil(times / 3) : times;
}

/** The settings of a server that works in this folder: the first one gets empty stores, those after it the same. */
export function storeOf(folder: string): Promise<StoreSettings> {
  let store = stores.get(folder);
  if (!store) {
    store = isMysql
      ? mysqlStore()
      : Promise.resolve({ databaseUrl: `sqlite:${join(folder, 'stagewire.db')}` });
    stores.set(folder, store);
  }
  return store;
}

async function mysqlStore(): Promise<StoreSettings> {
  mysql ??= sharedMariadb();
  const databaseUrl = await (await mysql).newDatabase();
  return runsRedis ? { databaseUrl, redisUrl: await newRedisUrl() } : { databaseUrl };
}

/** Keys have fixed names, so each server has a Redis database of its own: those of a file one Redis. */
async function newRedisUrl(): Promise<string> {
  redisUrls += 1;
  if (givenRedisUrl === undefined) {
    redis ??= startRedis({ settings: ['--databases', String(redisDatabases)] });
    return `${(await redis).url}/${redisUrls}`;
  }
  // Workers are numbered from 1 on. Those of a file are used again: it has few servers at a time.
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 1);
  const url = new URL(givenRedisUrl);
  url.pathname = String((worker - 1) * givenDatabases + (redisUrls % givenDatabases) + 1);
  await redisView(url.href).flushdb();
  return url.href;
}
