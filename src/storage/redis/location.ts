// Redis URLs: what they name, and what is wrong with them.

export interface RedisLocation {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Number of the database; a cluster has only 0. */
  readonly database: number;
  readonly isTls: boolean;
  readonly isCluster: boolean;
}

const form = 'write redis://host:6379, or rediss:// for TLS; a cluster is redis://host:6379?cluster=true';
const defaultPort = 6379;

/**
 * `redis://[user[:password]@]host[:port][/database][?cluster=true]`; `rediss:` for TLS.
 *
 * @throws Error that says how to write it and shows nothing of the URL, which may hold a password.
 */
export function locateRedis(text: string): RedisLocation {
  const url = URL.canParse(text) ? new URL(text) : null;
  const database = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '')?.[1];
  if (!url?.hostname || !/^rediss?:$/.test(url.protocol) || database === undefined) throw new Error(form);
  const { cluster = 'false', ...others } = Object.fromEntries(url.searchParams);
  const isCluster = cluster === 'true';
  if (Object.keys(others).length > 0 || !/^(?:true|false)$/.test(cluster)) throw new Error(form);
  if (isCluster && Number(database) !== 0) throw new Error('a cluster has no numbered databases');
  return {
    // An IPv6 address stands in brackets in a URL only.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? defaultPort : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    database: Number(database),
    isTls: url.protocol === 'rediss:',
    isCluster,
  };
}

function decoded(text: string): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text);
  } catch {
    throw new Error('in the user and the password of a Redis URL % is written %25');
  }
}
