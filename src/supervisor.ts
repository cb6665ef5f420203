// The main thread's part: starts the threads, joins them with links, starts again what dies, and ends them in order.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Logger } from 'pino';
import { createRateTable } from './edge/rate-limit.ts';
import { asError } from './lib/as-error.ts';
import type { Clock } from './lib/clock.ts';
import { createLink, type LinkEnd } from './link/link.ts';
import { nodeBoard } from './node-metrics.ts';
import {
  hasStorageThread,
  type NodeSettings,
  type Order,
  type Report,
  type ThreadTask,
} from './thread-tasks.ts';

type Role = ThreadTask['role'];

interface Thread {
  readonly role: Role;
  readonly index: number;
  readonly control: MessagePort;
  /** Resolves when the thread can take links; rejects when it could not start. */
  readonly ready: Promise<void>;
  /** Resolves when the thread has drained; rejects when it died. */
  readonly ended: Promise<void>;
}

/** A thread that dies sooner than this after its start is started again only after a pause. */
const shortLifeMs = 5_000;
const restartPauseMs = 1_000;

export interface SupervisorEvents {
  /** A thread that nothing can go on without has died. */
  died(error: Error): void;
  /** Another server has claimed the database; called once. */
  fenced(message: string): void;
}

export class Supervisor {
  readonly #settings: NodeSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pool: Piscina<ThreadTask, void>;
  readonly #edges: Thread[] = [];
  readonly #shards: Thread[] = [];
  #storage: Thread | null = null;
  readonly #rateTable = createRateTable();
  readonly #metrics: SharedArrayBuffer;
  #port = 0;
  #draining = false;
  #fencedBy: string | null = null;
  #isStarted = false;
  readonly #events: SupervisorEvents;

  constructor(settings: NodeSettings, clock: Clock, log: Logger, events: SupervisorEvents) {
    this.#settings = settings;
    this.#metrics = nodeBoard(settings.config).memory;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    const { edges, shards } = settings.config;
    const threads = edges + shards + (hasStorageThread(settings.config) ? 1 : 0);
    this.#pool = new Piscina({
      filename: new URL('./thread.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // A waiting thread must not block in its event loop: all of ours live by it.
      atomics: 'disabled',
    });
    this.#pool.on('error', (error: Error) => this.#log.error({ err: error }, 'thread error'));
  }

  /**
   * Starts everything.
   *
   * @param port to listen on.
   * @throws Error with a message for the operator; everything is stopped again then.
   */
  async start(port: number): Promise<void> {
    const { config } = this.#settings;
    this.#port = port;
    try {
      // Edges load their modules meanwhile. Who comes before they are joined waits, and is told that they start.
      for (let index = 0; index < config.edges; index += 1) this.#edges[index] = this.#run('edge', index);
      if (hasStorageThread(config)) {
        this.#storage = this.#run('storage', 0);
        await this.#storage.ready;
      }
      for (let index = 0; index < config.shards; index += 1) this.#shards[index] = this.#run('shard', index);
      await Promise.all([...this.#shards, ...this.#edges].map(({ ready }) => ready));
      for (const edge of this.#edges) for (const shard of this.#shards) this.#join(edge, shard);
      for (const threads of [this.#edges, this.#shards]) {
        for (const thread of threads) this.#joinPeers(thread, threads.slice(0, thread.index));
      }
      for (const thread of [...this.#edges, ...this.#shards]) this.#watch(thread);
      this.#storage?.ended.catch((error: unknown) => this.#events.died(asError(error)));
      if (this.#fencedBy !== null) throw new Error(this.#fencedBy);
      this.#isStarted = true;
    } catch (error) {
      await this.drain();
      throw error;
    }
  }

  /** Ends the threads in the order of a message's life, each after it has finished what it was given. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#end(this.#edges);
    await this.#end(this.#shards);
    if (this.#storage) await this.#end([this.#storage]);
    await this.#pool.destroy();
  }

  async #end(threads: readonly Thread[]): Promise<void> {
    for (const thread of threads) thread.control.postMessage({ type: 'drain' } satisfies Order);
    await Promise.allSettled(threads.map((thread) => thread.ended));
  }

  #run(role: Role, index: number): Thread {
    const { port1: control, port2 } = new MessageChannel();
    const base = { settings: this.#settings, metrics: this.#metrics, control: port2, index };
    const transferList = [port2];
    let task: ThreadTask;
    if (role === 'edge') task = { ...base, role, port: this.#port, rateTable: this.#rateTable };
    else if (role === 'storage') task = { ...base, role };
    else {
      const storage = this.#toStorage('connect', index);
      const shared = this.#settings.config.redisUrl === null ? null : this.#toStorage('share', index);
      for (const end of [storage, shared]) if (end) transferList.push(end.port);
      task = { ...base, role, storage, shared };
    }
    const closed = new Promise<void>((resolve) => control.once('close', resolve));
    // What a thread reported last is sure to have come when its port closes, not when its task ends.
    const ended = this.#pool.run(task, { transferList }).then(() => closed);
    const ready = new Promise<void>((resolve, reject) => {
      control.on('message', (report: Report) => {
        if (report.type === 'ready') resolve();
        else this.#fenced(report.message);
      });
      ended.then(() => reject(new Error(`the ${role} thread ended before it was ready`)), reject);
    });
    // Whoever waits for these is told; nobody may be waiting yet.
    ready.catch(() => undefined);
    ended.catch(() => undefined);
    return { role, index, control, ready, ended };
  }

  /** Each shard finds it out by itself. */
  #fenced(message: string): void {
    if (this.#fencedBy !== null) return;
    this.#fencedBy = message;
    if (this.#isStarted) this.#events.fenced(message);
  }

  /** A shard's end of a new link to the storage thread; null without one. */
  #toStorage(type: 'connect' | 'share', index: number): LinkEnd | null {
    if (!this.#storage) return null;
    const [ours, theirs] = createLink();
    this.#storage.control.postMessage({ type, index, end: ours } satisfies Order, [ours.port]);
    return theirs;
  }

  #join(edge: Thread, shard: Thread): void {
    const [edgeEnd, shardEnd] = createLink();
    const toEdge: Order = { type: 'connect', index: shard.index, end: edgeEnd };
    const toShard: Order = { type: 'connect', index: edge.index, end: shardEnd };
    shard.control.postMessage(toShard, [shardEnd.port]);
    edge.control.postMessage(toEdge, [edgeEnd.port]);
  }

  /** Joins a shard or an edge with others of its kind. */
  #joinPeers(thread: Thread, others: readonly Thread[]): void {
    for (const other of others) {
      const [end, otherEnd] = createLink();
      const order: Order = { type: 'peer', index: other.index, end };
      const otherOrder: Order = { type: 'peer', index: thread.index, end: otherEnd };
      thread.control.postMessage(order, [end.port]);
      other.control.postMessage(otherOrder, [otherEnd.port]);
    }
  }

  #watch(thread: Thread): void {
    const startedAtMs = this.#clock.now();
    thread.ended.then(
      () => undefined,
      (error: unknown) => {
        if (this.#draining) return;
        const { role, index } = thread;
        this.#log.error({ err: asError(error), role, index }, 'thread died, it is started again');
        const short = this.#clock.now() - startedAtMs < shortLifeMs;
        this.#clock.after(short ? restartPauseMs : 0, () => void this.#restart(thread));
      },
    );
  }

  async #restart({ role, index, control }: Thread): Promise<void> {
    if (this.#draining) return;
    control.close();
    const thread = this.#run(role, index);
    const peers = role === 'edge' ? this.#shards : this.#edges;
    const siblings = role === 'edge' ? this.#edges : this.#shards;
    siblings[index] = thread;
    this.#watch(thread);
    try {
      await thread.ready;
    } catch {
      return; // Its end is being watched.
    }
    for (const peer of peers) {
      if (role === 'edge') this.#join(thread, peer);
      else this.#join(peer, thread);
    }
    this.#joinPeers(
      thread,
      siblings.filter((other) => other !== thread),
    );
    this.#log.info({ role, index }, 'thread is back');
  }
}
