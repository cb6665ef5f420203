// One actor of any kind, for the suites that run over all of them, and samples of what it takes.
import fc from 'fast-check';
import type { AnyKind } from '../../src/actors/actor.ts';
import { actorKey } from '../../src/actors/route.ts';
import type { Params, StreamMessage } from '../../src/link/messages.ts';
import type { Transaction } from '../../src/storage/storage.ts';
import type { FakeShared } from '../support/fake-shared.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { TestShard, type Asked } from './test-shard.ts';

/** A command that the kind takes, at least when its actor is in the right state. */
export interface CommandSample extends Omit<Asked, 'actor' | 'edge' | 'key'> {
  /** JSON of the body, where it is not given as bytes. */
  readonly json?: unknown;
}

export interface StreamSample {
  readonly user: string;
  readonly roles?: readonly string[];
  readonly params?: Params;
}

export interface KindSamples {
  readonly id: string;
  /** What others have written before. */
  readonly stored?: Transaction;
  /** Commands by name that bring a new actor into a state in which the others can succeed. */
  readonly setup: fc.Arbitrary<readonly (readonly [command: string, sample: CommandSample])[]>;
  readonly commands: Readonly<Record<string, fc.Arbitrary<CommandSample>>>;
  /** A subscription that is admitted after the setup, for each stream. */
  readonly streams: Readonly<Record<string, StreamSample>>;
  /** The state as plain data, where it holds objects with insides of their own. */
  plain?(state: never): unknown;
  /** The part of the (plain) state that must outlive a reload; all of it unless given. */
  durable?(state: never): unknown;
  /** A message as it must be the same when it is replayed; its bytes unless given. */
  lasting?(message: StreamMessage): unknown;
}

export type Step = readonly [command: string, sample: CommandSample];

export const idleMs = 60_000;

/** A store that others have used before, and what is shared. */
export interface Around {
  readonly storage?: FakeStorage;
  readonly shared?: FakeShared;
}

/** One actor of the kind on a shard, with its state in view. */
export class Actor {
  readonly shard: TestShard;
  readonly key: string;
  readonly succeeded = new Set<string>();
  loads = 0;
  /** Those of them from a snapshot. */
  shortLoads = 0;
  readonly #samples: KindSamples;
  #state: unknown;

  constructor(kind: AnyKind, samples: KindSamples, around: Around = {}) {
    const { storage = new FakeStorage(), shared } = around;
    this.key = actorKey(kind.name, samples.id);
    this.#samples = samples;
    const { snapshot } = kind;
    const loaded = (state: never, isShort: boolean): never => {
      this.loads += 1;
      if (isShort) this.shortLoads += 1;
      this.#state = state;
      return state;
    };
    const watched: AnyKind = {
      ...kind,
      start: (...args) => loaded(kind.start(...args), false),
      ...(snapshot && {
        snapshot: { ...snapshot, start: (...args) => loaded(snapshot.start(...args), true) },
      }),
    };
    if (!around.storage && samples.stored) void storage.commit([samples.stored]);
    const limits = { idleMs, faultsMax: 1_000_000 };
    this.shard = new TestShard(limits, { storage, kinds: [watched], ...(shared && { shared }) });
  }

  /** @returns `ok…` or the code of the refusal. */
  async ask([command, { json, ...asked }]: Step): Promise<string> {
    const body = asked.body ?? (json === undefined ? '' : JSON.stringify(json));
    const answer = await this.shard.answerOf(command, { ...asked, body, actor: this.key });
    if (answer?.startsWith('ok')) this.succeeded.add(command);
    return answer ?? 'no answer';
  }

  /** The state as it is now: one that was lost is loaded again first. */
  async state(): Promise<unknown> {
    await this.shard.answerOf('nothing handles this', { actor: this.key });
    return this.#samples.plain ? this.#samples.plain(this.#state as never) : this.#state;
  }

  async copyOfState(): Promise<unknown> {
    return structuredClone(await this.state());
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.ask(step);
  }
}

/** Commands in any order and number. */
export function stepsOf(samples: KindSamples): fc.Arbitrary<readonly Step[]> {
  const all = Object.entries(samples.commands).map(([name, sample]) =>
    sample.map((one): Step => [name, one]),
  );
  return fc
    .tuple(samples.setup, fc.array(fc.oneof(...all), { maxLength: 25, size: 'max' }))
    .map(([setup, rest]) => [...setup, ...rest]);
}

export function durableOf(samples: KindSamples): (state: unknown) => unknown {
  return (state) => (samples.durable ? samples.durable(state as never) : state);
}
