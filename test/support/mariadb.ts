// A private database server for tests: MariaDB, or MySQL where that is what the machine has. It listens on 127.0.0.1,
// keeps all it has in a temporary folder, and flushes as a real one does, with small buffers.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createConnection, type RowDataPacket } from 'mysql2/promise';

const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const find = (program: string) =>
  places.map((place) => join(place, program)).find((file) => existsSync(file));

const mariadbd = find('mariadbd');
const daemon = mariadbd ?? find('mysqld');

/** A server that is there already, on which databases are made and dropped instead; null to start private ones. */
export const givenMysqlUrl = process.env['STAGEWIRE_TEST_MYSQL_URL'] || null;

/** Whether tests of MySQL run: where all must run, a server that is missing is a failure. */
export const runsMysql = givenMysqlUrl !== null || daemon !== undefined || process.env['CI'] === 'true';

/** Whether tests run that stop and kill a server of their own. */
export const runsOwnMysql = daemon !== undefined || process.env['CI'] === 'true';

export const mysqlLeftOut =
  'Left out: the tests on MySQL and MariaDB. They need a server: apt-get install -y mariadb-server, or set ' +
  'STAGEWIRE_TEST_MYSQL_URL';

const memory = '/dev/shm';
const memoryBytesMin = 2 * 1024 ** 3;

/** In memory where there is room for it: a server flushes for each table that it makes, which disks take long for. */
function newFolder(name: string): string {
  const fits = existsSync(memory) && statfsSync(memory).bavail * statfsSync(memory).bsize >= memoryBytesMin;
  return mkdtempSync(join(fits ? memory : tmpdir(), `stagewire-${name}-`));
}

const user = 'stagewire';
const password = "p'a:s/s@w%rd";
const attemptsMax = 5;
const wordsKept = 40;

const settings = [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--character-set-server=utf8mb4',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=48M',
  '--max-connections=200',
  '--skip-log-bin',
  '--loose-performance-schema=0',
  '--loose-innodb-buffer-pool-dump-at-shutdown=0',
  '--loose-innodb-buffer-pool-load-at-startup=0',
  '--loose-mysqlx=0',
  ...(process.getuid?.() === 0 ? ['--user=root'] : []),
];

/** What tests ask of a server; databases of one that was given are dropped by `dropDatabases`. */
export class MysqlServer {
  readonly #root: string;
  readonly #made: string[] = [];

  /** @param root its URL, with a user who may do anything. */
  constructor(root: string) {
    this.#root = root;
  }

  url(database: string): string {
    const url = new URL(this.#root);
    url.pathname = `/${encodeURIComponent(database)}`;
    return url.href;
  }

  /** URL of a new, empty database. */
  async newDatabase(): Promise<string> {
    const name = `stagewire_test_${randomUUID().replaceAll('-', '')}`;
    await this.sql(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    this.#made.push(name);
    return this.url(name);
  }

  /** Runs statements, in a database or in none, on a connection of their own; the rows are those of the last one. */
  async sql<Row = Readonly<Record<string, unknown>>>(statements: string, url = this.url('')): Promise<Row[]> {
    const connection = await createConnection({ uri: url, multipleStatements: true, timezone: 'Z' });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(statements);
      const last: unknown = rows.at?.(-1);
      return (Array.isArray(last) ? last : rows) as Row[];
    } finally {
      await connection.end();
    }
  }

  /** Call when a test file ends. */
  async dropDatabases(): Promise<void> {
    for (const name of this.#made.splice(0)) await this.sql(`DROP DATABASE IF EXISTS ${name}`);
  }
}

/** A server of one's own, to be stopped and killed. */
export class MariadbServer extends MysqlServer {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess;
  readonly #removed = () => rmSync(this.#folder, { recursive: true, force: true });

  constructor(folder: string, port: number, child: ChildProcess) {
    super(`mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/`);
    this.port = port;
    this.#folder = folder;
    this.#child = child;
    process.once('exit', this.#removed);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether the process lives. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Lets it end in order, which closes every connection. */
  async stop(): Promise<void> {
    await end(this.#child, 'SIGTERM');
  }

  async kill(): Promise<void> {
    await end(this.#child, 'SIGKILL');
  }

  /** Starts it again on the same folder and port. @param more arguments for this time. */
  async restart(more: readonly string[] = []): Promise<void> {
    await this.stop();
    this.#child = await launch(this.#folder, this.port, more);
  }

  /** It keeps its connections and does nothing any more, until `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it for good and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    process.off('exit', this.#removed);
    this.#removed();
  }
}

/** An installed data folder, with a user who has a password: to be copied by each server that starts. */
export function installMariadb(): string {
  const folder = newFolder('mariadb-template');
  const data = `--datadir=${join(folder, 'data')}`;
  const [program, ...flags] = mariadbd
    ? [find('mariadb-install-db') ?? 'mariadb-install-db', '--no-defaults', data, '--skip-test-db']
    : [daemon ?? 'mysqld', '--no-defaults', data, '--initialize-insecure'];
  if (process.getuid?.() === 0) flags.push('--user=root');
  const { status, error, stderr, stdout } = spawnSync(program ?? '', flags, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Can't install a database: ${error?.message ?? `${stdout}\n${stderr}`}`);
  const quoted = password.replaceAll("'", "''");
  writeFileSync(
    join(folder, 'users.sql'),
    `CREATE USER IF NOT EXISTS '${user}'@'%' IDENTIFIED BY '${quoted}';\n` +
      `GRANT ALL ON *.* TO '${user}'@'%' WITH GRANT OPTION;\n`,
  );
  return folder;
}

/**
 * @param template a folder of `installMariadb`; it is left as it is.
 * @param folder where the server keeps all it has; a new one unless given.
 */
export async function startMariadb(template: string, folder = newFolder('mariadb')): Promise<MariadbServer> {
  cpSync(template, folder, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return new MariadbServer(folder, port, await launch(folder, port));
    } catch (error) {
      // Somebody else may have taken the port meanwhile.
      if (attempt === attemptsMax) throw error;
    }
  }
}

async function launch(folder: string, port: number, more: readonly string[] = []): Promise<ChildProcess> {
  const own = [
    `--datadir=${join(folder, 'data')}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--init-file=${join(folder, 'users.sql')}`,
    `--port=${port}`,
  ];
  const child = spawn(daemon ?? 'mariadbd', ['--no-defaults', ...settings, ...own, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  child.once('exit', () => process.off('exit', killed));
  const words: string[] = [];
  const lines = createInterface({ input: child.stderr });
  const ready = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`The database ended at once:\n${words.join('\n')}`)));
    lines.on('line', (line) => {
      words.push(line);
      if (words.length > wordsKept) words.shift();
      if (/(?:mariadbd|mysqld): ready for connections/.test(line)) resolve();
    });
  });
  await ready;
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
