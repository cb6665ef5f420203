// URLs of MySQL and MariaDB databases.
import { StorageError } from '../storage.ts';

export interface MysqlLocation {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Whether the connection is encrypted and the server's certificate checked. */
  readonly ssl: boolean;
}

const portDefault = 3306;
const nameCharactersMax = 64;
const form = 'mysql://USER:PASSWORD@HOST:PORT/DATABASE';

/**
 * Reads `mysql://user:password@host:3306/database`, with `?ssl=true` for an encrypted connection. What has a meaning in
 * a URL is written as `%2F` and the like.
 *
 * @throws StorageError with reason UNAVAILABLE, which does not show the URL: it may hold a password.
 */
export function parseMysqlUrl(text: string): MysqlLocation {
  if (!URL.canParse(text)) throw refused(`A URL of MySQL is ${form}.`);
  const url = new URL(text);
  const database = decoded(url.pathname.slice(1));
  if (url.hostname === '' || url.username === '' || database === '') {
    throw refused(`A URL of MySQL needs a host, a user and a database: ${form}.`);
  }
  if (database.length > nameCharactersMax || database.includes('\0')) {
    throw refused(`The name of a MySQL database has at most ${nameCharactersMax} characters.`);
  }
  for (const [name, value] of url.searchParams) {
    if (name === 'ssl' && (value === 'true' || value === 'false')) continue;
    throw refused('A URL of MySQL may end in ?ssl=true or ?ssl=false, and in nothing else.');
  }
  return {
    host: decoded(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: url.port === '' ? portDefault : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database,
    ssl: url.searchParams.get('ssl') === 'true',
  };
}

/** What the driver is told of encryption. */
export const encryptionOf = ({ ssl }: MysqlLocation) =>
  // Both: without the second any certificate of a known authority would do, whoever it was given to.
  ssl ? { ssl: { rejectUnauthorized: true, verifyIdentity: true } } : {};

/** The database in words for the operator, without the password. */
export function describe({ database, host, port }: MysqlLocation): string {
  return `${database} on ${host}:${port}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new StorageError('UNAVAILABLE', 'The URL of MySQL has a % that is not written as %25.', { cause });
  }
}

function refused(message: string): StorageError {
  return new StorageError('UNAVAILABLE', message);
}
