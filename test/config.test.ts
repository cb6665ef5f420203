// Settings: where they come from, what they may be, and what is said of those that may not.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError, isLoopback, resolveConfig, settings, type SettingName } from '../src/config.ts';

const names = Object.keys(settings) as SettingName[];
const secret = 's'.repeat(32);

/** A value for each setting that is not its default, and what it becomes. */
const others: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
  host: ['0.0.0.0', '0.0.0.0'],
  port: ['0', 0],
  edges: ['3', 3],
  shards: ['64', 64],
  databaseUrl: ['memory:', 'memory:'],
  redisUrl: ['rediss://:secret@cache:6380/1', 'rediss://:secret@cache:6380/1'],
  jwtSecret: [secret, secret],
  jwksUrl: ['https://id.example.org/keys', 'https://id.example.org/keys'],
  rateLimit: ['100/1m', { messages: 100, perMs: 60_000 }],
  priceIntervalMs: ['60s', 60_000],
  origins: [' https://a.example.org ,, http://localhost:* ', ['https://a.example.org', 'http://localhost:*']],
  heartBeatMs: ['1s', 1_000],
  frameBytesMax: ['1024', 1_024],
  drainWithinMs: ['1m', 60_000],
  logLevel: ['debug', 'debug'],
};

/** Values that each setting must refuse. */
const bad: Readonly<Record<string, readonly string[]>> = {
  host: [''],
  port: ['', '-1', '65536', '80.5', 'http', '0x50', ' 80', '８０', '1e3', '9'.repeat(30)],
  edges: ['', '0', '65', 'many', '1.5'],
  shards: ['', '0', '65', 'NaN'],
  databaseUrl: [
    '',
    'sqlite:',
    'mysql://u:p@h',
    'mysql://h/db',
    'postgres://h',
    './data.db',
    'sqlite::memory:',
  ],
  redisUrl: ['', 'cache:6379', 'http://cache', 'redis:'],
  jwtSecret: ['', 'short', 's'.repeat(31)],
  jwksUrl: ['', 'keys', 'ftp://h/keys', 'file:///etc/passwd', 'javascript:1'],
  rateLimit: ['', '30', '30/', '/10s', '0/10s', '30/10', 'on', '-1/1s', '30/10s/1'].filter(
    (text) => text !== '30/10',
  ),
  priceIntervalMs: ['', '49', '61s', '0', '-1s', 'often'],
  origins: [],
  heartBeatMs: ['', '999', '2h', '-1', '10 s', 'never'],
  frameBytesMax: ['', '1023', '1048577', '64k', '-5'],
  drainWithinMs: ['', '-1s', 'soon', '1.5s'],
  logLevel: ['', 'INFO', 'loud', 'toString'],
};

test('[CONFIG1] without flags and variables every setting has its default', () => {
  expect(resolveConfig({}, {})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    databaseUrl: 'sqlite:./data/stagewire.db',
    redisUrl: null,
    jwtSecret: null,
    jwksUrl: null,
    rateLimit: { messages: 30, perMs: 10_000 },
    priceIntervalMs: 500,
    origins: [],
    heartBeatMs: 10_000,
    frameBytesMax: 65_536,
    drainWithinMs: 10_000,
    logLevel: 'info',
  });
  expect(resolveConfig({}, {}).edges).toBeGreaterThanOrEqual(1);
  expect(resolveConfig({}, {}).shards).toBeGreaterThanOrEqual(1);
});

test('[CONFIG2] a flag goes before its variable, and a variable before the default', () => {
  expect(Object.keys(others).toSorted()).toEqual(names.toSorted());
  for (const name of names) {
    const [text = '', value] = others[name] ?? [];
    const { variable } = settings[name];
    expect(resolveConfig({}, { [variable]: text })[name], name).toEqual(value);
    expect(resolveConfig({ [name]: text }, { [variable]: 'nonsense' })[name], name).toEqual(value);
    expect(resolveConfig({ [name]: text }, {})[name], name).toEqual(value);
  }
});

test('[CONFIG2] what is off is null or nothing', () => {
  expect(resolveConfig({ rateLimit: 'off', heartBeatMs: '0', origins: '' }, {})).toMatchObject({
    rateLimit: null,
    heartBeatMs: 0,
    origins: [],
  });
});

test('[CONFIG3] a value that can not be used is refused, and the message names the flag', () => {
  expect(Object.keys(bad).toSorted()).toEqual(names.toSorted());
  for (const name of names) {
    const { flag, variable } = settings[name];
    for (const text of bad[name] ?? []) {
      for (const resolve of [
        () => resolveConfig({ [name]: text }, {}),
        () => resolveConfig({}, { [variable]: text }),
      ]) {
        expect(resolve, `${flag} ${text}`).toThrow(ConfigError);
        expect(resolve, `${flag} ${text}`).toThrow(new RegExp(`^${flag}\\b`));
      }
    }
  }
});

test('[CONFIG3] any text is a value or a ConfigError', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.oneof(fc.string(), fc.string({ unit: 'binary' })),
      (name, text) => {
        try {
          resolveConfig({ [name]: text }, {});
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ConfigError);
          expect((thrown as Error).message).toContain(settings[name].flag);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('[CONFIG3] a secret is never in a message, and neither is the password of a database', () => {
  for (const given of [{ jwtSecret: 'tell-nobody' }, { databaseUrl: 'postgres://u:tell-nobody@h/db' }]) {
    expect(() => resolveConfig(given, {})).toThrow(ConfigError);
    expect(() => resolveConfig(given, {})).not.toThrow(/tell-nobody/);
  }
});

test('[CONFIG4] a configuration can not be changed', () => {
  const config = resolveConfig({ origins: 'https://a.example.org' }, {});
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.origins)).toBe(true);
});

test('[CONFIG4] each setting has a flag, a variable and a help of its own', () => {
  const all = Object.values(settings);
  expect(new Set(all.map(({ flag }) => flag)).size).toBe(all.length);
  expect(new Set(all.map(({ variable }) => variable)).size).toBe(all.length);
  for (const { flag, variable, argument, help } of all) {
    expect(flag).toMatch(/^--[a-z]+(-[a-z]+)*$/);
    expect(variable).toMatch(/^STAGEWIRE_[A-Z_]+$/);
    expect(argument).toMatch(/^<.+>$/);
    expect(help).not.toBe('');
  }
});

test('[CONFIG5] only addresses of this machine are loopback', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1'])
    expect(isLoopback(host), host).toBe(true);
  const reachable = [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '',
    '127.0.0.1.example.org',
    'localhost.example.org',
    '1127.0.0.1',
  ];
  for (const host of reachable) expect(isLoopback(host), host).toBe(false);
});
