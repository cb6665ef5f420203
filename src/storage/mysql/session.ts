// One connection for what is done once: migrations and claims. Says in words for the operator what is wrong with a
// server that can't be used.
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { StorageError } from '../storage.ts';
import { describe, encryptionOf, type MysqlLocation } from './location.ts';

export interface SessionOptions {
  /** How long to wait for the locks of others. */
  readonly lockTimeoutMs: number;
  /** Whether the server is to be used without the database, which may not be there. */
  readonly withoutDatabase?: boolean;
}

const connectTimeoutMs = 10_000;
/** Error numbers of the servers. */
export const unknownDatabase = 1049;
export const lockTimeout = 1205;
const accessDenied = [1045, 1698, 3118];
const databaseDenied = 1044;
const missingTable = 1146;

/** What a mode of the server would make of a statement differs; the migrations are written for this one. */
const modes = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';

export class Session {
  readonly #connection: Connection;
  readonly #location: MysqlLocation;

  private constructor(connection: Connection, location: MysqlLocation) {
    this.#connection = connection;
    this.#location = location;
  }

  /** @throws StorageError with reason UNAVAILABLE. */
  static async open(location: MysqlLocation, options: SessionOptions): Promise<Session> {
    const { host, port, user, password, database } = location;
    let connection: Connection | undefined;
    try {
      connection = await createConnection({
        host,
        port,
        user,
        password,
        ...(options.withoutDatabase ? {} : { database }),
        ...encryptionOf(location),
        // A server must not ask for files of this machine.
        flags: ['-LOCAL_FILES'],
        charset: 'utf8mb4',
        timezone: 'Z',
        connectTimeout: connectTimeoutMs,
        enableKeepAlive: true,
      });
      // Without a listener a connection that breaks while nobody asks would end the process.
      connection.on('error', () => undefined);
      const seconds = Math.ceil(options.lockTimeoutMs / 1000);
      await connection.query(
        `SET SESSION sql_mode = '${modes}', time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, ` +
          `unique_checks = 1, lock_wait_timeout = ${seconds}, innodb_lock_wait_timeout = ${seconds}`,
      );
      return new Session(connection, location);
    } catch (error) {
      connection?.destroy();
      throw unavailable(error, location);
    }
  }

  /** @throws StorageError with reason UNAVAILABLE. */
  async rows<Row>(sql: string, values: readonly (string | number | Date)[] = []): Promise<Row[]> {
    try {
      const [rows] = await this.#connection.query<RowDataPacket[]>(sql, [...values]);
      return rows as unknown as Row[];
    } catch (error) {
      throw unavailable(error, this.#location);
    }
  }

  /** @throws StorageError with reason UNAVAILABLE. */
  async run(sql: string, values: readonly (string | number | Date)[] = []): Promise<void> {
    await this.rows(sql, values);
  }

  /** Ends the connection, and with it its locks and a transaction that is left open. */
  close(): void {
    this.#connection.destroy();
  }
}

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
}

/** The number of the server's error behind a StorageError; 0 when it did not come from the server. */
export function errorNumber(error: unknown): number {
  const { errno } = ((error as Error | undefined)?.cause ?? {}) as DriverError;
  return typeof errno === 'number' && errno > 0 ? errno : 0;
}

/** What went wrong on a connection, in one line without a password. */
function unavailable(cause: unknown, location: MysqlLocation): StorageError {
  if (cause instanceof StorageError) return cause;
  return new StorageError('UNAVAILABLE', wordsFor(cause as DriverError, location), { cause });
}

function wordsFor({ code, errno, message }: DriverError, location: MysqlLocation): string {
  const { host, port, user, database } = location;
  const number = typeof errno === 'number' ? errno : 0;
  if (accessDenied.includes(number)) {
    return `The database server ${host}:${port} lets no user "${user}" with this password in.`;
  }
  if (number === databaseDenied) return `User "${user}" has no rights on the database ${describe(location)}.`;
  if (number === unknownDatabase || number === missingTable) {
    return `There is no Stagewire database ${describe(location)}: run \`stagewire migrate\`.`;
  }
  // Errors of the network come without a number of the server, those of several addresses without a message.
  if (number <= 0) {
    const reason = typeof code === 'string' ? code : String(message);
    return `Can't reach the database server ${host}:${port} for ${database} (${reason}).`;
  }
  return `${String(message).replaceAll(/\s+/g, ' ').replace(/\.$/, '')}.`;
}
