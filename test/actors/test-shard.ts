// A shard with a store and a clock that a test holds in its hands, and edges that only write down what they get.
import { isUtf8 } from 'node:buffer';
import { pino } from 'pino';
import type { AnyKind } from '../../src/actors/actor.ts';
import { Shard, type ShardLimits } from '../../src/actors/shard.ts';
import {
  ToEdge,
  ToShard,
  type From,
  type Headers,
  type Params,
  type PublishMessage,
  type SubscribedMessage,
  type ToEdgeMessage,
} from '../../src/link/messages.ts';
import { FakeClock } from '../support/fake-clock.ts';
import type { FakeShared } from '../support/fake-shared.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { probe } from './probe.ts';

/** An edge that reads nothing and forgets nothing. */
export class RecordingEdge {
  readonly messages: ToEdgeMessage[] = [];
  full = false;

  send(message: ToEdgeMessage): void {
    this.messages.push(message);
  }

  flush(): void {
    // Everything is there already.
  }

  /** `ok`, `ok: <answer>` or the code of the refusal; null while there is no answer. */
  answer(request: number): string | null {
    for (const message of this.messages) {
      if (message[0] !== ToEdge.reply && message[0] !== ToEdge.refuse) continue;
      if (message[1] !== request) continue;
      if (message[0] === ToEdge.refuse) return message[2];
      return message[2] ? `ok: ${Buffer.from(message[2]).toString()}` : 'ok';
    }
    return null;
  }

  /** What a subscription got: its pages, or the code of the refusal. */
  starts(subscription: number): (SubscribedMessage | string)[] {
    const starts: (SubscribedMessage | string)[] = [];
    for (const message of this.messages) {
      if (message[1] !== subscription) continue;
      if (message[0] === ToEdge.refuseSubscription) starts.push(message[2]);
      else if (message[0] === ToEdge.subscribed) starts.push(message);
    }
    return starts;
  }

  published(destination: string): PublishMessage[] {
    return this.messages.filter(
      (message): message is PublishMessage => message[0] === ToEdge.publish && message[1] === destination,
    );
  }

  /** Bodies published to a destination. */
  texts(destination: string): string[] {
    return this.published(destination).map(([, , , message]) => Buffer.from(message[2]).toString());
  }

  seqs(destination: string): number[] {
    return this.published(destination).map(([, , , message]) => message[0]);
  }
}

const defaultLimits: ShardLimits = {
  mailboxMax: 1_000,
  actorsMax: 1_000,
  idleMs: 60_000,
  faultsMax: 3,
  stopMs: 1_000,
  writesMax: 10_000,
  bytesMax: 1024 * 1024,
};

/** A command; by default of user alice for actor a of the probe. */
export interface Asked {
  readonly edge?: number;
  readonly actor?: string;
  readonly user?: string;
  readonly roles?: readonly string[];
  readonly session?: string;
  readonly params?: Params | null;
  readonly headers?: Headers | null;
  readonly body?: string | Uint8Array;
  readonly key?: string;
}

export interface Subscribing {
  readonly edge?: number;
  readonly actor?: string;
  readonly stream?: string;
  readonly destination?: string;
  readonly user?: string;
  readonly roles?: readonly string[];
  readonly params?: Params | null;
  readonly from?: From;
}

export interface TestShardOptions {
  readonly storage?: FakeStorage;
  readonly shared?: FakeShared;
  readonly kinds?: readonly AnyKind[];
  /** How many ids others have made before, on the same store. */
  readonly ids?: number;
}

/** A shard with edges 0 and 1, a store and a clock that a test holds in its hands. */
export class TestShard {
  readonly clock = new FakeClock();
  readonly storage: FakeStorage;
  /** What the shard has warned of. */
  readonly warnings: Readonly<Record<string, unknown>>[] = [];
  readonly edges = [new RecordingEdge(), new RecordingEdge()] as const;
  readonly shard: Shard;
  #requests = 0;
  #ids: number;

  constructor(limits: Partial<ShardLimits> = {}, options: TestShardOptions = {}) {
    this.storage = options.storage ?? new FakeStorage();
    this.#ids = options.ids ?? 0;
    this.shard = new Shard({
      kinds: options.kinds ?? [probe],
      storage: this.storage,
      shared: options.shared ?? null,
      clock: this.clock,
      ids: { newId: () => this.#name('id'), newEpoch: () => this.#name('epoch') },
      settings: { priceIntervalMs: 500 },
      limits: { ...defaultLimits, ...limits },
      log: pino({ level: 'warn' }, { write: (line) => this.#logged(line) }),
    });
    for (const [index, edge] of this.edges.entries()) this.shard.addEdge(index, edge);
  }

  get edge(): RecordingEdge {
    return this.edges[0];
  }

  /** @returns the request number. */
  ask(command: string, asked: Asked = {}): number {
    const { edge = 0, actor = 'probe/a', user = 'alice', roles = [], key = null } = asked;
    const { params = null, headers = null, body = '', session = '' } = asked;
    this.#requests += 1;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const asker = [user, roles, session] as const;
    const to = [this.#requests, actor, command, asker, params, key, headers] as const;
    this.shard.receive(edge, [ToShard.command, ...to, bytes, isUtf8(bytes)]);
    return this.#requests;
  }

  /** @returns the number of the subscription. */
  subscribe(options: Subscribing = {}): number {
    const { edge = 0, actor = 'probe/a', stream = 'log', user = 'alice', from = null } = options;
    const { destination = destinationOf(actor, stream), roles = [], params = null } = options;
    this.#requests += 1;
    const to = [actor, stream, destination, [user, roles], params] as const;
    this.shard.receive(edge, [ToShard.subscribe, this.#requests, ...to, from]);
    return this.#requests;
  }

  /** Asks for the next page. */
  replay(subscription: number, epoch: string, after: number, edge = 0): void {
    const to = ['probe/a', 'log', '/probe/a', ['alice', []], null] as const;
    this.shard.receive(edge, [ToShard.replay, subscription, ...to, epoch, after]);
  }

  unsubscribe(edge = 0, destination = '/probe/a'): void {
    this.shard.receive(edge, [ToShard.unsubscribe, 'probe/a', destination]);
  }

  rejoin(edge: number, count: number, epoch: string | null, after: number): void {
    this.shard.receive(edge, [ToShard.rejoin, 'probe/a', 'log', '/probe/a', null, count, epoch, after]);
  }

  /** Asks, and waits for the answer. */
  async answerOf(command: string, asked: Asked = {}): Promise<string | null> {
    const request = this.ask(command, asked);
    await rounds();
    return this.edges[asked.edge ?? 0]?.answer(request) ?? null;
  }

  /** Writes so many messages and waits until they are stored. */
  async written(count: number, body = 'm'): Promise<void> {
    for (let index = 1; index <= count; index += 1) this.ask('write', { body: `${body}${index}` });
    await rounds();
  }

  #logged(line: string): void {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['level'] === pino.levels.values['warn']) this.warnings.push(entry);
  }

  #name(what: string): string {
    this.#ids += 1;
    return `${what}-${this.#ids}`;
  }
}

function destinationOf(actor: string, stream: string): string {
  const id = actor.slice(actor.indexOf('/') + 1);
  return stream === 'log' ? `/probe/${id}` : `/probe/${id}.${stream}`;
}

/** Lets everything happen that needs nothing from outside any more. */
export async function rounds(count = 6): Promise<void> {
  for (let round = 0; round < count; round += 1) await new Promise(setImmediate);
}
