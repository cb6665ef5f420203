// One target in one round: a fresh server in a folder of its own, and runs of load against it.
import { randomBytes } from 'node:crypto';
import type { Target } from '../targets.ts';
import { nowUs, sleepUntil } from './clock.ts';
import { busySeconds, type Cores } from './cores.ts';
import { makeOutcome, type Outcome, type ServerUsage } from './figures.ts';
import { LoadGroup } from './load-group.ts';
import type { ChatPlan, Pace, Plan, RunOrder } from './plan.ts';
import { mysqlOn, sqliteIn, type Database } from './database.ts';
import { deleteScratch, makeScratch } from './scratch.ts';
import { Server } from './server.ts';

const leadUs = 100_000;
const settleMsMax = 10_000;

/** Servers that were given for this run. */
export interface ServerUrls {
  readonly mysql: string | undefined;
  readonly redis: string | undefined;
}

export interface StageOptions {
  readonly target: Target;
  readonly cores: Cores;
  /** Folder for the server's own temporary folder. */
  readonly dataFolder: string;
  readonly serverArgs: readonly string[];
  /** Of servers that some targets store or share in. */
  readonly urls: ServerUrls;
  readonly contentBytes: number;
}

/** Lengths of a run in seconds. */
export interface Timing {
  readonly warmup: number;
  readonly seconds: number;
}

type Draft<T> = T extends Plan ? Omit<T, 'port' | 'secret'> : never;
type ChatDraft<T> = T extends ChatPlan ? Omit<T, 'port' | 'secret' | 'protocol' | 'contentBytes'> : never;

interface Readings {
  readonly cpuSeconds: number;
  readonly coreSeconds: number;
  readonly atUs: number;
}

export class Stage {
  readonly target: Target;
  readonly server: Server;
  /** Where the server stores; null where nothing is stored. */
  readonly database: Database | null;
  readonly #options: StageOptions;
  readonly #secret: string;

  private constructor(
    options: StageOptions,
    server: Server,
    place: { database: Database | null; secret: string },
  ) {
    this.target = options.target;
    this.server = server;
    this.database = place.database;
    this.#options = options;
    this.#secret = place.secret;
  }

  /** Starts the target, hands it to `play`, and ends it and deletes its folder whatever happens. */
  static async with<T>(options: StageOptions, play: (stage: Stage) => Promise<T>): Promise<T> {
    const { target, urls, serverArgs } = options;
    const folder = makeScratch(options.dataFolder);
    const secret = randomBytes(32).toString('base64url');
    let database: Database | null = null;
    try {
      database = await databaseOf(target, folder, urls);
      const redisUrl = target.shares === true ? (urls.redis ?? null) : null;
      const databaseUrl = database?.url ?? null;
      const command = target.command({ folder, secret, databaseUrl, redisUrl, serverArgs });
      const server = await Server.start({ command, cwd: folder, cores: options.cores.server });
      try {
        return await play(new Stage(options, server, { database, secret }));
      } finally {
        await server.stop();
      }
    } finally {
      await database?.drop();
      deleteScratch(folder);
    }
  }

  /** Names of `count` fresh rooms. */
  rooms(count: number): Promise<readonly string[]> {
    return this.target.makeRooms(count, { port: this.server.port, secret: this.#secret });
  }

  /** Lets the load set up rooms and who is in them, hands it to `play`, and ends it whatever happens. */
  withChat<T>(draft: ChatDraft<ChatPlan>, play: (load: LoadGroup) => Promise<T>): Promise<T> {
    const { target, contentBytes } = this.#options;
    if (target.protocol === undefined) {
      throw new Error(`${target.name} has no rooms`);
    }
    return this.withLoad({ ...draft, protocol: target.protocol, contentBytes }, play);
  }

  /** Lets the load set up `draft`, hands it to `play`, and ends it whatever happens. */
  async withLoad<T>(draft: Draft<Plan>, play: (load: LoadGroup) => Promise<T>): Promise<T> {
    const plan: Plan = { ...draft, port: this.server.port, secret: this.#secret };
    const load = await LoadGroup.open(plan, this.#options.cores);
    try {
      return await play(load);
    } finally {
      await load.end();
    }
  }

  /** One run: warm-up, then the window in which everything is counted. */
  async run(load: LoadGroup, pace: Pace, timing: Timing): Promise<Outcome> {
    const startUs = nowUs() + leadUs;
    const fromUs = startUs + timing.warmup * 1e6;
    const order: RunOrder = { pace, startUs, fromUs, untilUs: fromUs + timing.seconds * 1e6 };
    const [loads, usage] = await Promise.all([load.run(order, settleMsMax), this.#usage(order)]);
    return makeOutcome(loads, usage);
  }

  /** One run without warm-up that ends when everybody has done it, at the latest after `limitSeconds`. */
  async runOnce(load: LoadGroup, act: 'join' | 'leave', limitSeconds: number): Promise<Outcome> {
    const startUs = nowUs();
    const order = { startUs, fromUs: startUs, untilUs: startUs + limitSeconds * 1e6 };
    const before = this.#readings();
    const loads = await load.run({ ...order, pace: { kind: 'once', act } }, settleMsMax);
    return makeOutcome(loads, this.#between(before, this.#readings()));
  }

  async #usage(order: RunOrder): Promise<ServerUsage> {
    await sleepUntil(order.fromUs);
    const before = this.#readings();
    await sleepUntil(order.untilUs);
    return this.#between(before, this.#readings());
  }

  #between(before: Readings, after: Readings): ServerUsage {
    const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
    return {
      cpuSeconds,
      othersCpuSeconds: Math.max(0, after.coreSeconds - before.coreSeconds - cpuSeconds),
      windowSeconds: (after.atUs - before.atUs) / 1e6,
      residentBytes: this.server.residentBytes(),
    };
  }

  #readings(): Readings {
    const core = this.#options.cores.server;
    return {
      cpuSeconds: this.server.cpuSeconds(),
      // Unpinned, there is no core of which the server's own share could be told.
      coreSeconds: core === undefined ? 0 : busySeconds(core),
      atUs: nowUs(),
    };
  }
}

async function databaseOf(
  { store }: Target,
  folder: string,
  { mysql }: ServerUrls,
): Promise<Database | null> {
  if (store === undefined) {
    return null;
  }
  return store === 'mysql' ? mysqlOn(mysql ?? '') : sqliteIn(folder);
}
