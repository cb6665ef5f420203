// Where the tests of Redis find one: a redis-server of this machine, or a URL that somebody gave.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const folders = (process.env['PATH'] ?? '').split(delimiter);

export const redisServerFile = folders.map((folder) => join(folder, 'redis-server')).find(existsSync);

/** A server that may be emptied. It stands in for a private one where nothing has to go wrong. */
export const givenRedisUrl = process.env['STAGEWIRE_TEST_REDIS_URL'];

const mustRun = process.env['CI'] === 'true';

/** Whether tests run that start and stop a Redis of their own. */
export const runsPrivateRedis = redisServerFile !== undefined || mustRun;

/** Whether tests run that need some Redis: where all must run, one that is missing is a failure. */
export const runsRedis = runsPrivateRedis || givenRedisUrl !== undefined;

export const redisLeftOut =
  'Left out: the tests with Redis. They need redis-server: apt-get install -y redis-server\n' +
  '(or STAGEWIRE_TEST_REDIS_URL, of a server that may be emptied; what stops and starts Redis is left out then)';
