// A kind that does one thing per command, and a shard with edges that only write down what they get.
import { pino } from 'pino';
import { command, defineActor, type AnyKind } from '../../src/actors/actor.ts';
import { jsonBody, nothing, raw } from '../../src/actors/body.ts';
import { Shard, type ShardLimits } from '../../src/actors/shard.ts';
import { Refusal } from '../../src/errors.ts';
import {
  ToEdge,
  ToShard,
  type From,
  type PublishMessage,
  type SubscribedMessage,
  type ToEdgeMessage,
} from '../../src/link/messages.ts';
import type { TopicMessageRow } from '../../src/storage/tables.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeStorage } from '../support/fake-storage.ts';

interface Probe {
  epoch: string;
  stored: boolean;
  newest: number;
}

/** Text that no client may see. */
export const faultText = 'a stack, a path, a secret';

export const probe = defineActor({
  name: 'probe',
  load: (id) => ({ head: { name: 'topicHead', args: { topic: id } } }),
  start(_id, rows, source): Probe {
    const [head] = rows.head;
    return { epoch: head?.epoch ?? source.newEpoch(), stored: head !== undefined, newest: head?.newest ?? 0 };
  },
  refusalDetail: (id) => ({ probeId: id }),
  streams: {
    log: {
      destination: '/probe/{id}',
      plain: true,
      log: {
        head: (state) => ({ epoch: state.epoch, oldest: 1, newest: state.newest }),
        after: (id, after, limit) => ({ name: 'topicMessagesAfter', args: { topic: id, after, limit } }),
        message: (row: TopicMessageRow) => [row.seq, null, row.body, row.is_text],
        keep(state, ctx) {
          if (state.stored) return;
          state.stored = true;
          const row = { topic: ctx.id, epoch: state.epoch, created_at: ctx.now };
          ctx.write({ op: 'insert', table: 'topics', row });
        },
      },
    },
    news: { destination: '/probe/{id}.news' },
    closed: {
      destination: '/probe/{id}.closed',
      admit: () => {
        throw new Refusal('FORBIDDEN', 'This is closed.');
      },
    },
  },
  commands: {
    /** One message of the log. */
    write: command({
      routes: ['SEND /probe/{id}'],
      decode: raw,
      receive(state: Probe, body, ctx) {
        if (!state.stored) {
          const row = { topic: ctx.id, epoch: state.epoch, created_at: ctx.now };
          ctx.write({ op: 'insert', table: 'topics', row });
          state.stored = true;
        }
        state.newest += 1;
        const row: TopicMessageRow = {
          topic: ctx.id,
          seq: state.newest,
          sender_id: ctx.user,
          headers: null,
          body: body.bytes,
          is_text: true,
          created_at: ctx.now,
        };
        ctx.write({ op: 'insert', table: 'topic_messages', row });
        ctx.publish('log', body, { seq: state.newest });
      },
    }),
    /** Something that needs no commit. */
    tell: command({
      routes: [],
      decode: raw,
      receive: (_state: Probe, body, ctx) => ctx.publish('news', body) as undefined,
    }),
    newest: command({
      routes: [],
      decode: nothing,
      receive: (state: Probe, _body, ctx) => ctx.reply(state.newest) as undefined,
    }),
    /** The seqs of the log as the store has them. */
    stored: command({
      routes: [],
      decode: nothing,
      query: (_state: Probe, _body, ctx) => ({
        name: 'topicMessagesAfter',
        args: { topic: ctx.id, after: 0, limit: 1_000 },
      }),
      receive: (_state, _body, ctx, rows) => ctx.reply(rows.map(({ seq }) => seq)) as undefined,
    }),
    refuse: command({
      routes: [],
      decode: nothing,
      receive(_state: Probe) {
        throw new Refusal('FORBIDDEN', 'Not you.', { more: 7 });
      },
    }),
    /** Changes the state, asks for a write, and breaks. */
    fault: command({
      routes: [],
      decode: nothing,
      receive(state: Probe, _body, ctx) {
        state.newest += 100;
        ctx.publish('news', jsonBody('never'));
        ctx.write({ op: 'trim_topic', topic: ctx.id, upto: 1_000 });
        throw new Error(faultText);
      },
    }),
    /** Rings after so many milliseconds. */
    ring: command({
      routes: [],
      decode: ({ bytes }) => Number(Buffer.from(bytes).toString()),
      receive: (_state: Probe, delayMs, ctx) => ctx.after(delayMs, 'ring') as undefined,
    }),
    /** As `ring`, with a write that may fail. */
    writeAndRing: command({
      routes: [],
      decode: ({ bytes }) => Number(Buffer.from(bytes).toString()),
      receive(_state: Probe, delayMs, ctx) {
        ctx.write({ op: 'trim_topic', topic: ctx.id, upto: 0 });
        ctx.after(delayMs, 'ring');
      },
    }),
  },
  timers: {
    ring: (_state: Probe, ctx) => ctx.publish('news', jsonBody('ring')) as undefined,
  },
});

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

export interface Asked {
  readonly edge?: number;
  readonly actor?: string;
  readonly user?: string;
  readonly body?: string;
  readonly key?: string;
}

export interface Subscribing {
  readonly edge?: number;
  readonly actor?: string;
  readonly stream?: string;
  readonly user?: string;
  readonly from?: From;
}

/** A shard with edges 0 and 1, a store and a clock that a test holds in its hands. */
export class TestShard {
  readonly clock = new FakeClock();
  readonly storage: FakeStorage;
  readonly edges = [new RecordingEdge(), new RecordingEdge()] as const;
  readonly shard: Shard;
  #requests = 0;
  #ids = 0;

  constructor(
    limits: Partial<ShardLimits> = {},
    options: { storage?: FakeStorage; kinds?: readonly AnyKind[] } = {},
  ) {
    this.storage = options.storage ?? new FakeStorage();
    this.shard = new Shard({
      kinds: options.kinds ?? [probe],
      storage: this.storage,
      clock: this.clock,
      ids: { newId: () => this.#name('id'), newEpoch: () => this.#name('epoch') },
      limits: { ...defaultLimits, ...limits },
      log: pino({ level: 'silent' }),
    });
    for (const [index, edge] of this.edges.entries()) this.shard.addEdge(index, edge);
  }

  get edge(): RecordingEdge {
    return this.edges[0];
  }

  /** @returns the request number. */
  ask(command: string, asked: Asked = {}): number {
    const { edge = 0, actor = 'probe/a', user = 'alice', body = '', key = null } = asked;
    this.#requests += 1;
    const asker = [user, []] as const;
    const bytes = Buffer.from(body);
    const from = [this.#requests, actor, command, asker, null, key, null] as const;
    this.shard.receive(edge, [ToShard.command, ...from, bytes, true]);
    return this.#requests;
  }

  /** @returns the number of the subscription. */
  subscribe(options: Subscribing = {}): number {
    const { edge = 0, actor = 'probe/a', stream = 'log', user = 'alice', from = null } = options;
    this.#requests += 1;
    const to = [actor, stream, destinationOf(actor, stream), [user, []], null] as const;
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
