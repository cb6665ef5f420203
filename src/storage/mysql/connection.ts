// The one user of the MySQL driver while the store runs: one connection, whose every use has a time limit, and of which
// it is always known whether it is still there.
import { createConnection, type Connection as Driver } from 'mysql2';
import { connect as connectSocket, type Socket } from 'node:net';
import { asError } from '../../lib/as-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { MysqlLimits } from './limits.ts';
import { encryptionOf, type MysqlLocation } from './location.ts';
import { ConnectionLost, endsConnection } from './server-error.ts';
import type { Value } from '../sql/value.ts';

export type ServerRow = Record<string, unknown>;

export interface ConnectionOptions {
  readonly location: MysqlLocation;
  readonly clock: Clock;
  readonly limits: Pick<MysqlLimits, 'openMs'>;
  /** How many statements stay prepared; the least used one makes room. */
  readonly statementsMax: number;
  /** Statements that make the session what it is to be, given what the server is. */
  readonly settings: (isMariadb: boolean) => readonly string[];
}

const closeLimitMs = 1_000;
// A peer that is gone without a word is found after this and a few more times of silence.
const keepAliveMs = 15_000;

type Callback = (error: unknown, rows?: unknown) => void;

export class Connection {
  /** The longest statement or row that the server takes. */
  packetBytesMax = 0;
  /** Called once, when the connection is gone although nobody has closed it. */
  onLost: (() => void) | null = null;
  readonly #driver: Driver;
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** What waits for an answer of the server. */
  readonly #pending = new Set<(error: unknown) => void>();
  #lost: ConnectionLost | null = null;
  #isClosing = false;

  private constructor({ location, clock, limits, statementsMax }: ConnectionOptions) {
    const { host, port, user, password, database } = location;
    this.#clock = clock;
    // An own socket, because the driver ends its socket in order even where the other side does not answer any more.
    this.#socket = connectSocket(port, host);
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, keepAliveMs);
    this.#driver = createConnection({
      stream: () => this.#socket,
      host,
      port,
      user,
      password,
      database,
      ...encryptionOf(location),
      charset: 'utf8mb4',
      // Times are read from their texts: the driver's own way goes through the time zone of this machine.
      dateStrings: true,
      // A server must not ask for files of this machine.
      flags: ['-LOCAL_FILES'],
      connectTimeout: limits.openMs,
      maxPreparedStatements: statementsMax,
    });
    this.#driver.on('error', (error: unknown) => this.#lose('The connection broke', error));
    this.#driver.on('end', () => this.#lose('The server closed the connection'));
    this.#socket.on('close', () => this.#lose('The connection was closed'));
  }

  /** @throws ConnectionLost, or the server's error. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    const { openMs } = options.limits;
    try {
      await connection.#ask(openMs, (answered) => connection.#driver.connect(answered));
      const [server] = await connection.run(
        'SELECT VERSION() AS version, @@max_allowed_packet AS packetBytesMax',
        openMs,
      );
      connection.packetBytesMax = Number(server?.['packetBytesMax']);
      for (const setting of options.settings(/mariadb/i.test(String(server?.['version'])))) {
        await connection.run(setting, openMs);
      }
      return connection;
    } catch (error) {
      connection.abandon('It could not be opened');
      throw error;
    }
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  get isIdle(): boolean {
    return this.#pending.size === 0;
  }

  /** Runs a prepared statement. @throws ConnectionLost, or the server's error. */
  async execute(sql: string, values: readonly Value[], limitMs: number): Promise<ServerRow[]> {
    return rowsOf(
      await this.#ask(limitMs, (answered) => this.#driver.execute(sql, values as Value[], answered)),
    );
  }

  /** Runs a prepared statement that changes rows, and tells how many. @throws as `execute` does. */
  async change(sql: string, values: readonly Value[], limitMs: number): Promise<number> {
    const answer = await this.#ask(limitMs, (answered) =>
      this.#driver.execute(sql, values as Value[], answered),
    );
    return Number((answer as { affectedRows?: unknown }).affectedRows);
  }

  /** Runs a statement without values, which not every server can prepare. @throws as `execute` does. */
  async run(sql: string, limitMs: number): Promise<ServerRow[]> {
    return rowsOf(await this.#ask(limitMs, (answered) => this.#driver.query(sql, answered)));
  }

  /** @throws ConnectionLost. */
  async ping(limitMs: number): Promise<void> {
    await this.#ask(limitMs, (answered) => this.#driver.ping(answered));
  }

  /** Lets go of the connection at once; what waits for an answer is told that it is lost. */
  abandon(reason: string): void {
    this.#lose(reason);
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    if (this.#lost) return;
    this.#isClosing = true;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(closeLimitMs, resolve);
      this.#socket.once('close', () => {
        timer.cancel();
        resolve();
      });
      this.#driver.end();
    });
    this.#lose('The connection is closed');
  }

  #ask(limitMs: number, start: (answered: Callback) => void): Promise<unknown> {
    if (this.#lost) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(limitMs, () => {
        this.#lose(`The server did not answer for ${Math.round(limitMs)} ms`);
      });
      const fail = (error: unknown) => {
        timer.cancel();
        this.#pending.delete(fail);
        reject(asError(error));
      };
      this.#pending.add(fail);
      const answered: Callback = (error, rows) => {
        if (!this.#pending.has(fail)) return;
        if (error && endsConnection(error)) {
          this.#lose('The connection broke', error);
        } else if (error) fail(error);
        else {
          timer.cancel();
          this.#pending.delete(fail);
          resolve(rows);
        }
      };
      try {
        start(answered);
      } catch (error) {
        // A value that the driver can't bind.
        fail(error);
      }
    });
  }

  #lose(reason: string, cause?: unknown): void {
    if (this.#lost) return;
    const words = cause instanceof Error ? `${reason}: ${cause.message}` : `${reason}.`;
    this.#lost = new ConnectionLost(words, { cause });
    this.#driver.destroy();
    this.#socket.destroy();
    for (const fail of this.#pending) fail(this.#lost);
    if (!this.#isClosing) this.onLost?.();
  }
}

function rowsOf(answer: unknown): ServerRow[] {
  return Array.isArray(answer) ? (answer as ServerRow[]) : [];
}
