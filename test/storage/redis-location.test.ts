// Redis URLs: what they name, and which are none.
import { expect, test } from 'vitest';
import { locateRedis } from '../../src/storage/redis/location.ts';

test.each([
  ['redis://cache', { host: 'cache', port: 6379, database: 0, isTls: false, isCluster: false }],
  ['redis://cache:6380/2', { port: 6380, database: 2 }],
  ['redis://cache/', { database: 0 }],
  ['rediss://cache', { host: 'cache', port: 6379, isTls: true }],
  ['redis://[::1]:6380', { host: '::1', port: 6380 }],
  ['redis://cache?cluster=true', { host: 'cache', isCluster: true }],
  ['rediss://cache:7000/0?cluster=true', { port: 7000, isTls: true, isCluster: true }],
  ['redis://cache?cluster=false', { isCluster: false }],
  ['redis://:p%40ss@cache', { username: undefined, password: 'p@ss' }],
  ['redis://alice:secret@cache', { username: 'alice', password: 'secret' }],
])('[REDIS18] %s names a Redis', (url, location) => {
  expect(locateRedis(url)).toMatchObject(location);
});

test.each([
  'cache:6379',
  'http://:secret@cache',
  'redis://',
  'redis://:secret@cache/first',
  'redis://:secret@cache/0/1',
  'redis://:secret@cache?cluster=secret',
  'redis://:secret@cache?commandTimeout=1',
  'redis://:secret@cache/1?cluster=true',
  'redis://:secret%@cache',
])('[REDIS18] %s is refused, and no password is shown', (url) => {
  expect(() => locateRedis(url)).toThrow(/^(?:write|a cluster|in the user) /);
  expect(() => locateRedis(url)).not.toThrow(/secret/);
});
