// A queue's state against a store and consumers that know everything: whatever happens in whatever order, each message
// is with one consumer at most, comes again until it is acknowledged and never after, in the order sent.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Held } from '../../src/actors/actor.ts';
import { heldOf, QueueState, triesMax, type Room } from '../../src/actors/kinds/queue-state.ts';
import type { QueueMessageRow } from '../../src/storage/tables.ts';

type Step =
  | { readonly do: 'send'; readonly bytes: number }
  | { readonly do: 'join'; readonly window: number }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'acknowledge' | 'giveBack'; readonly which: number; readonly message: number }
  | { readonly do: 'reload' };

interface Worker {
  readonly window: number;
  readonly held: Map<string, Held>;
  servedAt: number;
}

const small = 10;
/** Memory has room for few of these. */
const large = 500_000;
const body = Buffer.alloc(large);

class Model {
  readonly stored = new Map<string, QueueMessageRow>();
  readonly buried: QueueMessageRow[] = [];
  readonly workers = new Map<string, Worker>();
  readonly barred = new Map<string, string>();
  readonly max: Room;
  readonly hasDead: boolean;
  state: QueueState;
  now = 1_000;
  deliveries = 0;
  pages = 0;
  #ids = 0;

  constructor(max: Room, hasDead: boolean) {
    this.max = max;
    this.hasDead = hasDead;
    this.state = new QueueState({ count: 0, bytes: 0, newest: 0 }, hasDead);
  }

  apply(step: Step): void {
    this.now += 1;
    switch (step.do) {
      case 'send':
        this.#send(step.bytes);
        break;
      case 'join': {
        const key = this.#name('worker');
        const worker = { window: step.window, held: new Map(), servedAt: this.deliveries };
        this.workers.set(key, worker);
        this.state.join({ key, ...worker });
        break;
      }
      case 'leave': {
        const key = [...this.workers.keys()][step.which % Math.max(this.workers.size, 1)];
        if (key === undefined) break;
        this.workers.delete(key);
        this.state.leave(key, this.now);
        break;
      }
      case 'acknowledge':
      case 'giveBack':
        this.#settle(step.do === 'acknowledge', step.which, step.message);
        break;
      case 'reload':
        this.#reload();
    }
    this.#handOut();
    this.#checkNothingStands();
  }

  /** Messages that nobody holds, in their order. */
  waiting(): QueueMessageRow[] {
    const held = new Set([...this.workers.values()].flatMap((worker) => [...worker.held.keys()]));
    return [...this.stored.values()]
      .filter(({ message_id: id }) => !held.has(id))
      .toSorted((one, other) => one.position - other.position);
  }

  #send(bytes: number): void {
    const row: QueueMessageRow = {
      message_id: this.#name('message'),
      queue: 'q',
      position: this.state.newest + 2,
      sender_id: 'alice',
      headers: null,
      body: body.subarray(0, bytes),
      is_text: true,
      tries: 0,
      created_at: this.now,
    };
    this.stored.set(row.message_id, row);
    this.state.add(row);
  }

  #settle(isAcknowledged: boolean, which: number, message: number): void {
    const holders = [...this.workers].filter(([, { held }]) => held.size > 0);
    const [key, worker] = holders[which % Math.max(holders.length, 1)] ?? [];
    const held = [...(worker?.held.values() ?? [])][message % Math.max(worker?.held.size ?? 0, 1)];
    if (key === undefined || !held) return;
    worker?.held.delete(held[0]);
    if (isAcknowledged) {
      this.stored.delete(held[0]);
      this.state.acknowledge(held);
    } else {
      this.barred.set(held[0], key);
      this.state.giveBack(key, held, this.now);
    }
  }

  #reload(): void {
    const rows = [...this.stored.values()];
    const newest = Math.max(0, ...rows.map(({ position }) => position));
    const bytes = rows.reduce((sum, row) => sum + row.body.length, 0);
    this.state = new QueueState({ count: rows.length, bytes, newest }, this.hasDead);
    for (const [key, worker] of this.workers) this.state.join({ key, ...worker });
    for (const worker of this.workers.values()) worker.servedAt = 0;
    this.deliveries = 0;
    this.barred.clear();
  }

  #handOut(): void {
    for (let round = 0; ; round += 1) {
      for (let handed = this.state.next(); handed; handed = this.state.next()) {
        this.#deliver(handed.consumer, handed.row);
      }
      this.state.trim();
      expect(this.state.waiting.bytes).toBeLessThan(3 * 1024 * 1024);
      const want = this.state.wants();
      if (!want) return;
      expect(round).toBeLessThan(2 * this.stored.size + 10);
      this.#give(want);
    }
  }

  #give(want: NonNullable<ReturnType<QueueState['wants']>>): void {
    if (want.what === 'page') {
      this.pages += 1;
      const rows = [...this.stored.values()]
        .filter(({ position }) => position > want.after)
        .toSorted((one, other) => one.position - other.position)
        .slice(0, want.limit);
      return this.state.tookPage(rows, want.limit, this.now);
    }
    const bytes = this.buried.reduce((sum, row) => sum + row.body.length, 0);
    for (const row of this.state.tookDead({ count: this.buried.length, bytes }, this.max, this.now)) {
      expect(row.tries).toBeGreaterThanOrEqual(triesMax);
      expect(this.stored.delete(row.message_id)).toBe(true);
      this.buried.push(row);
    }
    expect(this.buried.length).toBeLessThanOrEqual(this.max.count);
  }

  #deliver(key: string, row: QueueMessageRow): void {
    const { message_id: id } = row;
    const stored = this.stored.get(id);
    // Neither acknowledged nor with another.
    expect(this.waiting().map((one) => one.message_id)).toContain(id);
    expect(heldOf(row)).toEqual([id, stored?.position, (stored?.tries ?? 0) + 1, stored?.body.length]);
    // Nothing would move when memory is full of messages that were given back.
    const isFull = this.state.waiting.rowBytes + large > 1024 * 1024;
    const isBarred = (message: string, worker: string): boolean =>
      this.workers.size > 1 && this.barred.get(message) === worker;
    const free = [...this.workers].filter(([, { held, window }]) => held.size < window);
    const able = free.filter(([name]) => !isBarred(id, name) || (isFull && name === key));
    const [least] = able.toSorted(
      ([, one], [, other]) => one.held.size - other.held.size || one.servedAt - other.servedAt,
    );
    expect(key).toBe(least?.[0]);
    // All before it wait for somebody who is not the one that gave them back, or are dead letters.
    const before = this.waiting().filter(({ position }) => position < row.position);
    for (const one of before) {
      const isDead = one.tries >= triesMax && this.state.dying.has(one.message_id);
      expect(isDead || free.every(([name]) => isBarred(one.message_id, name))).toBe(true);
    }
    this.deliveries += 1;
    this.barred.delete(id);
    this.stored.set(id, row);
    const worker = this.workers.get(key) as Worker;
    worker.servedAt = this.deliveries;
    worker.held.set(id, heldOf(row));
  }

  /** Nobody has room for a message that waits. */
  #checkNothingStands(): void {
    const free = [...this.workers].filter(([, { held, window }]) => held.size < window);
    for (const { message_id: id } of this.waiting()) {
      const others = free.filter(([name]) => this.workers.size === 1 || this.barred.get(id) !== name);
      expect(others).toEqual([]);
    }
    expect(this.state.count).toBe(this.stored.size);
    expect(this.state.held.size).toBe(
      [...this.workers.values()].reduce((sum, { held }) => sum + held.size, 0),
    );
  }

  #name(what: string): string {
    this.#ids += 1;
    return `${what} ${this.#ids}`;
  }
}

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send'), bytes: fc.constantFrom(0, small, large) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join'), window: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave'), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acknowledge'), which, message: which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('giveBack'), which, message: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload') }) },
);
const max = fc.constantFrom<Room>({ count: 1_000, bytes: 1e9 }, { count: 1, bytes: 1e9 });

test('[QUEUES1] [QUEUES3] [QUEUES4] [QUEUES6] no message is lost, with two, delivered after its ACK or out of order', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120, size: 'max' }),
      max,
      fc.boolean(),
      (steps, room, hasDead) => {
        const model = new Model(room, hasDead);
        for (const one of steps) model.apply(one);
        if (hasDead) return;
        expect(model.buried).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
});

test('[QUEUES6] when the queue of dead letters is full they keep coming back, and go there when there is room', () => {
  const model = new Model({ count: 0, bytes: 1e9 }, true);
  model.apply({ do: 'send', bytes: small });
  model.apply({ do: 'join', window: 1 });
  for (let time = 0; time < 9; time += 1) model.apply({ do: 'giveBack', which: 0, message: 0 });
  expect(model.stored.size).toBe(1);
  expect(model.buried).toEqual([]);
  Object.assign(model.max, { count: 1 });
  model.now += 60_000;
  model.apply({ do: 'giveBack', which: 0, message: 0 });
  expect(model.stored.size).toBe(0);
  expect(model.buried).toHaveLength(1);
});

test('[QUEUES2] what memory does not hold is read once, and given in the order sent', () => {
  const model = new Model({ count: 1_000, bytes: 1e9 }, true);
  for (let index = 0; index < 60; index += 1) model.apply({ do: 'send', bytes: large / 10 });
  model.apply({ do: 'join', window: 7 });
  for (let index = 0; index < 60; index += 1) model.apply({ do: 'acknowledge', which: 0, message: 0 });
  expect(model.stored.size).toBe(0);
  expect(model.deliveries).toBe(60);
  expect(model.pages).toBeLessThan(8);
});
