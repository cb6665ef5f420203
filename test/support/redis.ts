// A private Redis for tests: a process of its own, in a temporary folder, on a free port. Import it in a test file and
// whatever that file started is ended after its last test. Guard such tests with `describe.runIf(runsPrivateRedis)`,
// or with `runsRedis` where `someRedis` is enough.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterAll } from 'vitest';
import { givenRedisUrl, redisServerFile } from './redis-file.ts';
import { Watch } from './watch.ts';

export interface RedisServerOptions {
  /** More arguments of redis-server, such as `['--maxmemory', '2mb']`. */
  readonly settings?: readonly string[];
  readonly password?: string;
  /** A cluster of this one node, which has all slots. */
  readonly cluster?: boolean;
}

const startWithinMs = 60_000;
const portsTried = 5;
const slotMax = 16_383;

const servers = new Set<RedisServer>();
const clients = new Set<Redis>();

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all([...servers].map((server) => server.end()));
});

/** Starts a private Redis, empty, which keeps nothing on disk. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let tried = 1; ; tried += 1) {
    const server = new RedisServer(await freePort(), options);
    servers.add(server);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Somebody else may have taken the port between asking for it and listening on it.
      if (tried === portsTried) throw error;
    }
  }
}

/** URL of an empty Redis that is not to be stopped: the given one, or a private one. */
export async function someRedis(): Promise<string> {
  if (givenRedisUrl === undefined) return (await startRedis()).url;
  // Test files run side by side, each in a worker with a number of its own from 1 on.
  const url = new URL(givenRedisUrl);
  url.pathname = process.env['VITEST_POOL_ID'] ?? '1';
  await redisView(url.href).flushdb();
  return url.href;
}

/** A client to look and to write with, for this file's tests; it connects when it is first used. */
export function redisView(url: string): Redis {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 });
  // What goes wrong is told by the command that is waited for.
  client.on('error', () => undefined);
  clients.add(client);
  return client;
}

export class RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:PORT`, with the password if there is one. */
  readonly url: string;
  readonly #options: RedisServerOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'stagewire-redis-'));
  #child: ChildProcess | null = null;
  #view: Redis | null = null;

  constructor(port: number, options: RedisServerOptions) {
    this.port = port;
    this.#options = options;
    const { password, cluster } = options;
    const signIn = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    this.url = `redis://${signIn}127.0.0.1:${port}${cluster ? '?cluster=true' : ''}`;
  }

  /** A client of this server; after a restart it connects again by itself. */
  get view(): Redis {
    this.#view ??= redisView(this.url.replace(/\?.*/, ''));
    return this.#view;
  }

  /** Starts the server, empty, and waits until it takes connections. @param more arguments for this time. */
  async start(more: readonly string[] = []): Promise<void> {
    const { settings = [], password, cluster } = this.#options;
    const child = spawn(
      redisServerFile ?? 'redis-server',
      [
        ...['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#folder],
        ...['--save', '', '--appendonly', 'no', '--loglevel', 'notice'],
        ...(password === undefined ? [] : ['--requirepass', password]),
        ...(cluster ? await clusterSettings() : []),
        ...settings,
        ...more,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    const lines: string[] = [];
    const watch = new Watch(() => `redis-server: ${lines.join('\n')}`);
    child.on('error', (error) => watch.end(error.message));
    child.on('exit', () => watch.end('redis-server has ended'));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line);
        watch.changed();
      });
    }
    const listens = (): boolean => lines.some((line) => line.includes('Ready to accept connections'));
    await watch.until(listens, 'redis-server listens', startWithinMs);
    if (cluster) await this.#takeAllSlots();
  }

  /** Ends the server as an operator would, and waits for its end. Everything in it is lost. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends the server as a crash would. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Ends the server and starts it again on the same port, empty. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** The server keeps its connections and does nothing any more, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Kills the server if it runs and removes its folder. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await exit;
  }

  async #takeAllSlots(): Promise<void> {
    const { view } = this;
    // Which slots it has is the one thing that a node of a cluster writes down.
    const hasSlots = (await view.cluster('INFO')).includes(`cluster_slots_assigned:${slotMax + 1}`);
    if (!hasSlots) await view.call('CLUSTER', 'ADDSLOTSRANGE', '0', `${slotMax}`);
    while (!(await view.cluster('INFO')).includes('cluster_state:ok')) {
      // Each look is a round trip, so this does not spin.
    }
  }
}

/** A node that has met no other does not know its own address; its second port is by default out of range. */
async function clusterSettings(): Promise<readonly string[]> {
  const address = ['--cluster-announce-ip', '127.0.0.1', '--cluster-port', `${await freePort()}`];
  return ['--cluster-enabled', 'yes', ...address];
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host: '127.0.0.1', port: 0 }, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
