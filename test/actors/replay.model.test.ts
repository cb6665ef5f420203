// Whatever happens to a shard, each subscriber of a stream sees its messages one after the other.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ToEdge, type SubscribedMessage, type ToEdgeMessage } from '../../src/link/messages.ts';
import { unavailable } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

type Step =
  | { readonly do: 'send'; readonly edge: number; readonly long: boolean }
  | { readonly do: 'subscribe'; readonly edge: number; readonly after: number | null }
  | { readonly do: 'unsubscribe' | 'askOn'; readonly which: number }
  | { readonly do: 'commit'; readonly fails: boolean }
  | { readonly do: 'read'; readonly fails: boolean }
  | { readonly do: 'fault' | 'idle' | 'holdQueries' | 'rest' };

const edge = fc.nat({ max: 1 });
const which = fc.nat({ max: 20 });
const fails = fc.integer({ min: 1, max: 4 }).map((number) => number === 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), edge, long: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      edge,
      after: fc.option(fc.nat({ max: 12 }), { freq: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('unsubscribe' as const, 'askOn' as const), which }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'read' as const), fails }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('fault' as const, 'idle' as const, 'holdQueries' as const, 'rest' as const),
    }),
  },
);

/** One subscription as a client would see it. */
interface Seen {
  readonly number: number;
  readonly edge: number;
  phase: 'starting' | 'paging' | 'live' | 'ended';
  epoch: string;
  /** The message it starts after, once known. */
  after: number | null;
  readonly messages: { seq: number; text: string }[];
}

/** A page ends with every second of them. */
const longText = 'x'.repeat(140_000);

class World {
  readonly shard = new TestShard({ faultsMax: 1_000, idleMs: 1_000 });
  readonly seen: Seen[] = [];
  readonly #read = [0, 0];
  #sent = 0;

  async apply(one: Step): Promise<void> {
    const { storage } = this.shard;
    switch (one.do) {
      case 'send':
        this.#sent += 1;
        this.shard.ask('write', { edge: one.edge, body: `${one.long ? longText : ''}${this.#sent}` });
        break;
      case 'subscribe':
        this.#subscribe(one.edge, one.after);
        break;
      case 'askOn':
        this.#askOn(this.#pick(one.which, 'paging'));
        break;
      case 'unsubscribe':
        this.#unsubscribe(this.#pick(one.which, 'live'));
        break;
      case 'commit':
        storage.heldCommits[0]?.settle(() => (one.fails ? unavailable() : null));
        break;
      case 'read':
        if (one.fails) storage.heldQueries[0]?.fail();
        else storage.heldQueries[0]?.answer();
        break;
      case 'fault':
        this.shard.ask('fault');
        break;
      case 'idle':
        this.shard.clock.advance(5_000);
        break;
      case 'holdQueries':
        storage.holdsQueries = !storage.holdsQueries;
        break;
      case 'rest':
        await rounds(2);
    }
    await rounds(1);
    this.receive();
  }

  /** Lets everything end well, and every subscription be live. */
  async finish(): Promise<void> {
    const { storage } = this.shard;
    storage.holdsCommits = false;
    storage.holdsQueries = false;
    for (let round = 0; round < 100; round += 1) {
      for (const held of [...storage.heldCommits]) held.settle();
      for (const held of [...storage.heldQueries]) held.answer();
      await rounds(3);
      this.receive();
      const paging = this.seen.filter(({ phase }) => phase === 'paging');
      if (paging.length === 0 && this.shard.shard.idle) return;
      for (const one of paging) this.#askOn(one);
    }
  }

  /** What came to the edges since the last time, in its order. */
  receive(): void {
    for (const [index, { messages }] of this.shard.edges.entries()) {
      for (const message of messages.slice(this.#read[index])) this.#take(index, message);
      this.#read[index] = messages.length;
    }
  }

  #take(index: number, message: ToEdgeMessage): void {
    const mine = this.seen.filter((one) => one.edge === index);
    if (message[0] === ToEdge.publish) {
      const [, , , [seq, , body]] = message;
      for (const one of mine) if (one.phase === 'live') this.#see(one, seq, body);
      return;
    }
    const one = mine.find(({ number }) => number === message[1]);
    if (!one) return;
    if (message[0] === ToEdge.refuseSubscription) one.phase = 'ended';
    if (message[0] === ToEdge.subscribed) this.#start(one, message);
  }

  #start(one: Seen, [, , live, recovered, epoch, head, page]: SubscribedMessage): void {
    one.epoch = epoch ?? '';
    if (recovered !== true) {
      // Told that it starts anew.
      one.messages.length = 0;
      one.after = head;
    }
    for (const [seq, , body] of page) this.#see(one, seq, body);
    one.phase = live ? 'live' : 'paging';
  }

  #see(one: Seen, seq: number, body: Uint8Array): void {
    one.messages.push({ seq, text: Buffer.from(body).toString() });
  }

  #subscribe(index: number, after: number | null): void {
    const epoch = this.seen.find((one) => one.epoch !== '')?.epoch ?? 'epoch-1';
    const from = after === null ? null : (['resume', epoch, after] as const);
    const number = this.shard.subscribe({ edge: index, from });
    this.seen.push({ number, edge: index, phase: 'starting', epoch: '', after, messages: [] });
  }

  #askOn(one: Seen | undefined): void {
    if (!one) return;
    one.phase = 'starting';
    this.shard.replay(one.number, one.epoch, one.messages.at(-1)?.seq ?? one.after ?? 0, one.edge);
  }

  #unsubscribe(one: Seen | undefined): void {
    if (!one) return;
    one.phase = 'ended';
    this.shard.unsubscribe(one.edge);
  }

  #pick(index: number, phase: Seen['phase']): Seen | undefined {
    const those = this.seen.filter((one) => one.phase === phase);
    return those[index % Math.max(those.length, 1)];
  }
}

test('[ACTOR14] each subscriber sees the stream without a gap, a repeat or a message that was not committed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
      const world = new World();
      // So that the epoch is the same for all that follows.
      await world.shard.written(3);
      world.shard.storage.holdsCommits = true;
      for (const one of steps) await world.apply(one);
      await world.finish();

      const args = { topic: 'a', after: 0, limit: 1_000 };
      const rows = await world.shard.storage.query({ name: 'topicMessagesAfter', args });
      const stored = new Map(rows.map(({ seq, body }) => [seq, Buffer.from(body).toString()]));
      expect(world.shard.storage.commitsAtOnceMax).toBeLessThanOrEqual(1);
      for (const { phase, after, messages } of world.seen) {
        if (after === null) continue;
        const seqs = messages.map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, index) => after + 1 + index));
        expect(messages.map(({ text }) => text)).toEqual(seqs.map((seq) => stored.get(seq)));
        if (phase === 'live') expect(after + seqs.length).toBe(stored.size);
        expect(phase).toMatch(/live|ended/);
      }
    }),
    { numRuns: 200 },
  );
});
