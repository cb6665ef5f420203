// One connection to the server, made when it is needed and again when it broke.
import { createConnection, type Connection, type ExecuteValues } from 'mysql2/promise';
import { StorageError } from '../storage.ts';
import { describe, type MysqlLocation } from './location.ts';

const connectTimeoutMs = 5_000;
/** Of one statement; a server that hangs longer is left. */
const statementTimeoutMs = 10_000;
/** How often it is asked whether what a broken connection left is gone. */
const killedRounds = 50;

const settings =
  "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', " +
  'innodb_lock_wait_timeout = 5, foreign_key_checks = 1, unique_checks = 1, autocommit = 1';

export interface Result {
  readonly rows: readonly Record<string, unknown>[];
  /** Rows that were found, whether they changed or not. */
  readonly affected: number;
}

export class MysqlLink {
  readonly #location: MysqlLocation;
  #connection: Connection | null = null;
  #connecting: Promise<Connection> | null = null;
  /** The server's number of a connection that broke in the middle of a transaction. */
  #broken: number | null = null;
  #isClosed = false;

  constructor(location: MysqlLocation) {
    this.#location = location;
  }

  /** @throws the driver's error, or StorageError when closed. */
  async execute(sql: string, values: ExecuteValues = []): Promise<Result> {
    const connection = this.#connection ?? (await this.#connected());
    const [result] = await connection.execute({ sql, timeout: statementTimeoutMs }, values);
    if (Array.isArray(result)) return { rows: result as Record<string, unknown>[], affected: 0 };
    return { rows: [], affected: (result as { affectedRows: number }).affectedRows };
  }

  /** For what can't be prepared. */
  async run(sql: string): Promise<void> {
    const connection = this.#connection ?? (await this.#connected());
    await connection.query({ sql, timeout: statementTimeoutMs });
  }

  /** Leaves the connection; whatever it was doing there is over before the next one is used. */
  break(): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#broken = connection.threadId ?? null;
    this.#connection = null;
    connection.destroy();
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.destroy();
    this.#connection = null;
  }

  async #connected(): Promise<Connection> {
    if (this.#isClosed) throw new StorageError('UNAVAILABLE', 'The store is closed.');
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async #connect(): Promise<Connection> {
    const { host, port, user, password, database, ssl } = this.#location;
    const connection = await createConnection({
      host,
      port,
      user,
      password,
      database,
      ...(ssl ? { ssl: {} } : {}),
      charset: 'utf8mb4',
      dateStrings: true,
      supportBigNumbers: true,
      connectTimeout: connectTimeoutMs,
      enableKeepAlive: true,
    });
    connection.on('error', () => {
      if (this.#connection === connection) this.#connection = null;
    });
    try {
      await connection.query(settings);
      await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
      await this.#bury(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  /** What a transaction that broke off has become must be known before anybody reads: until then it may still happen. */
  async #bury(connection: Connection): Promise<void> {
    if (this.#broken === null) return;
    const id = this.#broken;
    for (let round = 0; round < killedRounds; round += 1) {
      await connection.query(`KILL CONNECTION ${id}`).catch(() => undefined);
      const [rows] = await connection.query('SELECT id FROM information_schema.processlist WHERE id = ?', [
        id,
      ]);
      if ((rows as unknown[]).length === 0) {
        this.#broken = null;
        return;
      }
      await connection.query('DO SLEEP(0.1)');
    }
    throw new StorageError('UNAVAILABLE', `A transaction on ${describe(this.#location)} does not end.`);
  }
}
