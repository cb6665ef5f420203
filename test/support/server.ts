// A real server for tests that come in by the users' doors: a process of its own, in a temporary folder, on a free
// port. Import it in a test file and whatever that file started is ended after its last test.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { settings, type Given, type SettingName } from '../../src/config.ts';
import { signToken } from '../../src/edge/auth.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { storeOf } from './store.ts';
import { Watch } from './watch.ts';

/** What `npx stagewire` runs. */
export const mainFile = fileURLToPath(new URL('../../server/main.js', import.meta.url));
const otherKindsMainFile = fileURLToPath(new URL('./faulty-server.js', import.meta.url));

export const testSecret = 'a secret for tests that is long enough to be taken';
const startWithinMs = 60_000;
const exitWithinMs = 30_000;

export interface ServerOptions {
  /** Settings by their name in src/config.ts, as text: `{ rateLimit: 'off', edges: '2' }`. */
  readonly settings?: Given;
  /** Leaves every setting that `settings` does not name at its own default, except the port. */
  readonly bare?: boolean;
  /** Where the process works; a new temporary one unless given. Servers of one folder have one database. */
  readonly folder?: string;
  /** URL of a built module that exports `kinds`, instead of the built-in list. */
  readonly kindsUrl?: string;
  /** Another way to the database than the server's, for a `DatabaseView`. */
  readonly viewUrl?: string;
}

/** How a process ended: with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One line of the log, as the server wrote it. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The decoded JSON, or the text where it is none; null without a body. */
  readonly body: unknown;
}

interface RestRequest {
  /** Signs in as this user; without one there is no Authorization header. */
  readonly user?: string;
  readonly roles?: readonly string[];
  /** Sent as JSON; a string or bytes are sent as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map((child) => once(child, 'close')));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder that goes away after the last test of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stagewire-'));
  folders.add(folder);
  return folder;
}

/** The environment of this process without the settings somebody may have in it, and with these. */
function environment(given: Given): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('STAGEWIRE_'));
  const variables = Object.entries(given).map(([name, text]) => [
    settings[name as SettingName].variable,
    text,
  ]);
  return { ...Object.fromEntries(others), ...Object.fromEntries(variables) } as NodeJS.ProcessEnv;
}

/** Starts a server and waits until it listens. Rate limits are off and the log level is info unless given. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const server = await spawnServer(options);
  await server.listening();
  return server;
}

/** Starts a server and does not wait until it listens. */
export async function spawnServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = options.folder ?? temporaryFolder();
  const isStoreGiven = options.bare || options.settings?.databaseUrl !== undefined;
  const given: Given = {
    port: '0',
    ...(isStoreGiven ? {} : await storeOf(folder)),
    ...(options.bare ? {} : { jwtSecret: testSecret, rateLimit: 'off' }),
    ...options.settings,
  };
  const command = options.kindsUrl ? [otherKindsMainFile, options.kindsUrl] : [mainFile, 'start'];
  const child = spawn(process.execPath, command, { cwd: folder, env: environment(given) });
  running.add(child);
  return new TestServer(child, { ...options, folder }, options.viewUrl ?? given.databaseUrl ?? '');
}

export interface CommandLineResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `stagewire` with these arguments to its end; `given` goes through environment variables. */
export async function runCommandLine(
  parameters: readonly string[],
  options: { readonly folder?: string; readonly given?: Given } = {},
): Promise<CommandLineResult> {
  const child = spawn(process.execPath, [mainFile, ...parameters], {
    cwd: options.folder ?? temporaryFolder(),
    env: environment(options.given ?? {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  running.delete(child);
  return { code, signal, stdout, stderr };
}

export class TestServer {
  readonly folder: string;
  readonly pid: number;
  /** Of the database, for a `DatabaseView`; '' where the server makes up its own. */
  readonly databaseUrl: string;
  /** Everything on standard output, line by line. */
  readonly outputLines: string[] = [];
  /** The log; a line on standard error that is not JSON stands as `{ text }`. */
  readonly log: LogLine[] = [];
  /** Resolves when the process is gone. */
  readonly ended: Promise<Exit>;
  /** `http://127.0.0.1:PORT` */
  url = '';
  readonly #child: ChildProcess;
  readonly #options: ServerOptions;
  #ended = false;
  readonly #watch = new Watch(() => `server log: ${this.log.map((line) => JSON.stringify(line)).join('\n')}`);

  constructor(
    child: ChildProcess,
    options: ServerOptions & { readonly folder: string },
    databaseUrl: string,
  ) {
    this.#child = child;
    this.#options = options;
    this.databaseUrl = databaseUrl;
    this.folder = options.folder;
    this.pid = child.pid ?? 0;
    this.ended = once(child, 'close').then(([code, signal]) => {
      running.delete(child);
      this.#ended = true;
      this.#watch.end('the server has ended');
      return { code, signal };
    });
    if (child.stdout) createInterface(child.stdout).on('line', (line) => this.#outputLine(line));
    if (child.stderr) createInterface(child.stderr).on('line', (line) => this.#logLine(line));
  }

  /** `ws://127.0.0.1:PORT/ws` */
  get wsUrl(): string {
    return `${this.url.replace('http', 'ws')}/ws`;
  }

  async listening(): Promise<void> {
    await this.#watch.until(() => this.url !== '', 'the server listens', startWithinMs);
  }

  /** A token of the server's secret; it lasts an hour unless `expiresInMs` is given. */
  token(user: string, roles: readonly string[] = [], expiresInMs = 3_600_000): Promise<string> {
    return signToken(testSecret, { user, roles, expiresInMs }, systemClock.now());
  }

  /** Waits for a line of the log, written before or after this call. */
  async logged(matches: (line: LogLine) => boolean, what = 'a log line'): Promise<LogLine> {
    await this.#watch.until(() => this.log.some(matches), what);
    return this.log.find(matches) as LogLine;
  }

  /** Sends a signal and returns at once. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    return this.exit();
  }

  /** Ends the process as a crash would. */
  kill(): Promise<Exit> {
    return this.stop('SIGKILL');
  }

  /** Waits for the end; rejects when it does not come. */
  async exit(): Promise<Exit> {
    await this.#watch.until(() => this.#ended, 'the server ends', exitWithinMs);
    return this.ended;
  }

  /** Starts a server on the same folder, and so on the same database, after this one has ended. */
  async restart(changed: Given = {}): Promise<TestServer> {
    await this.exit();
    return startServer({ ...this.#options, settings: { ...this.#options.settings, ...changed } });
  }

  /** Starts a server on the same folder while this one runs, as it was started but for what is changed. */
  async beside(changed: Given = {}): Promise<TestServer> {
    return spawnServer({
      ...this.#options,
      folder: this.folder,
      settings: { ...this.#options.settings, ...changed },
    });
  }

  /** Resident memory in bytes. */
  memoryBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** One REST request: `rest('POST', '/api/rooms', { user: 'alice', body: { name: 'a', isPrivate: false } })`. */
  async rest(method: string, path: string, request: RestRequest = {}): Promise<RestAnswer> {
    const { user, roles = [], body } = request;
    const asIs = typeof body === 'string' || body instanceof Uint8Array;
    const signedIn = user === undefined ? {} : { authorization: `Bearer ${await this.token(user, roles)}` };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...signedIn, ...request.headers },
      ...(body === undefined ? {} : { body: asIs ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' || !isJson ? text || null : JSON.parse(text),
    };
  }

  #outputLine(line: string): void {
    this.outputLines.push(line);
    this.url ||= /listening on (http:\S+)$/.exec(line)?.[1] ?? '';
    this.#watch.changed();
  }

  #logLine(line: string): void {
    this.log.push(parseLogLine(line));
    this.#watch.changed();
  }
}

function parseLogLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { text: line };
  }
}
