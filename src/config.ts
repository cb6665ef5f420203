// Every setting: where it comes from, its unit, its default and its bounds. The only reader of the environment.
import { parseRateLimit, type RateLimit } from './edge/rate-limit.ts';
import { parseDuration } from './lib/duration.ts';
import { availableParallelism } from 'node:os';
import { locateRedis } from './storage/redis/location.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Config {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Threads that hold connections, and threads that hold actors. */
  readonly edges: number;
  readonly shards: number;
  readonly databaseUrl: string;
  /** Null: nothing is shared with other nodes. */
  readonly redisUrl: string | null;
  readonly jwtSecret: string | null;
  readonly jwksUrl: string | null;
  readonly rateLimit: RateLimit | null;
  /** How often prices are sent. */
  readonly priceIntervalMs: number;
  /** Browser origins that are welcome besides the server's own. */
  readonly origins: readonly string[];
  readonly heartBeatMs: number;
  readonly frameBytesMax: number;
  readonly drainWithinMs: number;
  readonly logLevel: LogLevel;
}

/** A setting that can't be used; the message names the flag. */
export class ConfigError extends Error {}

export interface Setting {
  readonly flag: string;
  readonly argument: string;
  readonly variable: string;
  readonly help: string;
  /** Text as it would be written on the command line; null when unset is a value. */
  readonly fallback: string | null;
}

const defaultThreads = Math.max(1, Math.floor((availableParallelism() - 1) / 2));

export const settings = {
  host: {
    flag: '--host',
    argument: '<address>',
    variable: 'STAGEWIRE_HOST',
    help: 'address to listen on',
    fallback: '127.0.0.1',
  },
  port: {
    flag: '--port',
    argument: '<number>',
    variable: 'STAGEWIRE_PORT',
    help: 'port to listen on; 0 picks a free one',
    fallback: '8080',
  },
  edges: {
    flag: '--edges',
    argument: '<threads>',
    variable: 'STAGEWIRE_EDGES',
    help: 'threads that hold connections',
    fallback: String(defaultThreads),
  },
  shards: {
    flag: '--shards',
    argument: '<threads>',
    variable: 'STAGEWIRE_SHARDS',
    help: 'threads that hold actors',
    fallback: String(defaultThreads),
  },
  databaseUrl: {
    flag: '--database-url',
    argument: '<url>',
    variable: 'STAGEWIRE_DATABASE_URL',
    help: 'where everything is stored: sqlite:<file>, mysql://user:pass@host:3306/db or memory: (lost at exit)',
    fallback: 'sqlite:./data/stagewire.db',
  },
  redisUrl: {
    flag: '--redis-url',
    argument: '<url>',
    variable: 'STAGEWIRE_REDIS_URL',
    help: 'what nodes share: redis://host:6379, rediss://… or redis://…?cluster=true; none unless given',
    fallback: null,
  },
  jwtSecret: {
    flag: '--jwt-secret',
    argument: '<text>',
    variable: 'STAGEWIRE_JWT_SECRET',
    help: 'secret of HS256 tokens, at least 32 bytes; on a loopback address one is made in the data folder',
    fallback: null,
  },
  jwksUrl: {
    flag: '--jwks-url',
    argument: '<url>',
    variable: 'STAGEWIRE_JWKS_URL',
    help: 'key set of RS256 and ES256 tokens',
    fallback: null,
  },
  rateLimit: {
    flag: '--rate-limit',
    argument: '<messages/duration>',
    variable: 'STAGEWIRE_RATE_LIMIT',
    help: 'messages per user, or off',
    fallback: '30/10s',
  },
  priceIntervalMs: {
    flag: '--price-interval',
    argument: '<duration>',
    variable: 'STAGEWIRE_PRICE_INTERVAL',
    help: 'how often prices that moved are sent, 50ms to 60s',
    fallback: '500ms',
  },
  origins: {
    flag: '--origin',
    argument: '<origins>',
    variable: 'STAGEWIRE_ORIGIN',
    help: 'allowed browser origins, separated by commas; the own origin always is',
    fallback: '',
  },
  heartBeatMs: {
    flag: '--heart-beat',
    argument: '<duration>',
    variable: 'STAGEWIRE_HEART_BEAT',
    help: 'STOMP heart-beats offered both ways, from 1s; 0 for none',
    fallback: '10s',
  },
  frameBytesMax: {
    flag: '--frame-limit',
    argument: '<bytes>',
    variable: 'STAGEWIRE_FRAME_LIMIT',
    help: 'largest frame a client may send, 1024 to 1048576',
    fallback: '65536',
  },
  drainWithinMs: {
    flag: '--drain-timeout',
    argument: '<duration>',
    variable: 'STAGEWIRE_DRAIN_TIMEOUT',
    help: 'time to finish in after SIGTERM or SIGINT',
    fallback: '10s',
  },
  logLevel: {
    flag: '--log-level',
    argument: '<level>',
    variable: 'STAGEWIRE_LOG_LEVEL',
    help: logLevels.join(', '),
    fallback: 'info',
  },
} as const satisfies Record<keyof Config, Setting>;

export type SettingName = keyof typeof settings;
/** Settings as text, from flags; what is left out comes from the environment or is the default. */
export type Given = Partial<Record<SettingName, string>>;

const threadsMax = 64;

function wholeNumber(name: SettingName, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new ConfigError(`${settings[name].flag} must be a whole number from ${min} to ${max}, not "${text}"`);
}

function parsed<Value>(name: SettingName, text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text);
  } catch (thrown) {
    throw new ConfigError(`${settings[name].flag}: ${(thrown as Error).message}`, { cause: thrown });
  }
}

function oneOf<Value extends string>(name: SettingName, text: string, values: readonly Value[]): Value {
  const value = values.find((candidate) => candidate === text);
  if (value !== undefined) return value;
  throw new ConfigError(`${settings[name].flag} must be one of ${values.join(', ')}, not "${text}"`);
}

function heartBeat(text: string): number {
  const ms = parseDuration(text);
  if (ms === 0 || (ms >= 1_000 && ms <= 3_600_000)) return ms;
  throw new Error('write 0, or a duration from 1s to 1h');
}

function priceInterval(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 50 && ms <= 60_000) return ms;
  throw new Error('write a duration from 50ms to 60s');
}

function secret(text: string): string {
  if (Buffer.byteLength(text) >= 32) return text;
  throw new Error('the secret must have at least 32 bytes');
}

function address(text: string): string {
  // To a socket an empty address means every address.
  if (text !== '') return text;
  throw new Error('write an address or a name');
}

function databaseUrl(text: string): string {
  if (text === 'memory:' || /^sqlite:(?!:memory:$|\/\/(?!\/))./is.test(text)) return text;
  const url = /^(?:mysql|mariadb):/i.test(text) && URL.canParse(text) ? new URL(text) : null;
  const isWhole = url?.hostname && url.username && /^\/[^/]+$/.test(url.pathname);
  if (isWhole && /^(?:\?ssl=(?:true|false))?$/.test(url.search)) return text;
  // The text itself is not shown: it may hold a password.
  throw new Error(
    'write sqlite:PATH (without // before the path), mysql://user:pass@host:3306/db or memory:',
  );
}

function redisUrl(text: string): string {
  locateRedis(text);
  return text;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new Error(`"${text}" is not an http(s) URL`);
}

/** The one place where settings become a Config. @throws ConfigError */
export function resolveConfig(given: Given, environment: NodeJS.ProcessEnv = process.env): Config {
  const text = (name: SettingName): string | null =>
    given[name] ?? environment[settings[name].variable] ?? settings[name].fallback;
  const required = (name: SettingName): string => text(name) ?? '';
  const optional = (name: SettingName, parse: (text: string) => string): string | null => {
    const value = text(name);
    return value === null ? null : parsed(name, value, parse);
  };
  return Object.freeze({
    host: parsed('host', required('host'), address),
    port: wholeNumber('port', required('port'), 0, 65_535),
    edges: wholeNumber('edges', required('edges'), 1, threadsMax),
    shards: wholeNumber('shards', required('shards'), 1, threadsMax),
    databaseUrl: parsed('databaseUrl', required('databaseUrl'), databaseUrl),
    redisUrl: optional('redisUrl', redisUrl),
    jwtSecret: optional('jwtSecret', secret),
    jwksUrl: optional('jwksUrl', httpUrl),
    rateLimit: parsed('rateLimit', required('rateLimit'), parseRateLimit),
    priceIntervalMs: parsed('priceIntervalMs', required('priceIntervalMs'), priceInterval),
    origins: Object.freeze(
      required('origins')
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
    ),
    heartBeatMs: parsed('heartBeatMs', required('heartBeatMs'), heartBeat),
    frameBytesMax: wholeNumber('frameBytesMax', required('frameBytesMax'), 1_024, 1_048_576),
    drainWithinMs: parsed('drainWithinMs', required('drainWithinMs'), parseDuration),
    logLevel: oneOf('logLevel', required('logLevel'), logLevels),
  });
}

/** Whether `npm start` is what runs this: npm hands on signals that a terminal has sent to both. */
export function isNpmStart(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment['npm_lifecycle_event'] === 'start';
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
