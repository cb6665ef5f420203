import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimerWheel } from '../../src/lib/wheel.ts';
import type { WheelNode } from '../../src/lib/wheel.ts';

class Item implements WheelNode {
  wheelNext: WheelNode | null = null;
  wheelPrevious: WheelNode | null = null;
  wheelAtMs = 0;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

function items(count: number): Item[] {
  return Array.from({ length: count }, (_, name) => new Item(name));
}

/** The names of what one `advance` calls, sorted. */
function dueAt(wheel: TimerWheel<Item>, nowMs: number): number[] {
  const due: number[] = [];
  wheel.advance(nowMs, (item) => due.push(item.name));
  return due.toSorted((a, b) => a - b);
}

/** What the wheel stands for: a list of times. */
class Model {
  readonly #times = new Map<number, number>();

  schedule(name: number, atMs: number): void {
    this.#times.set(name, atMs);
  }

  cancel(name: number): void {
    this.#times.delete(name);
  }

  dueAt(nowMs: number): number[] {
    const due = [...this.#times].filter(([, atMs]) => atMs <= nowMs).map(([name]) => name);
    for (const name of due) this.#times.delete(name);
    return due.toSorted((a, b) => a - b);
  }

  get size(): number {
    return this.#times.size;
  }
}

type Step =
  | { readonly do: 'schedule'; readonly name: number; readonly inMs: number }
  | { readonly do: 'cancel'; readonly name: number }
  | { readonly do: 'advance'; readonly byMs: number };

const name = fc.nat({ max: 7 });
const inMs = fc.oneof(fc.integer({ min: -50, max: 20 }), fc.integer({ min: 0, max: 500 }));
// By parts of a tick, by several turns, and back as a clock that is set.
const byMs = fc.oneof(
  fc.integer({ min: -60, max: 0 }),
  fc.integer({ min: 0, max: 30 }),
  fc.nat({ max: 300 }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('schedule' as const), name, inMs }),
  fc.record({ do: fc.constant('cancel' as const), name }),
  fc.record({ do: fc.constant('advance' as const), byMs }),
);

test('[WHEEL1] each advance calls what a sorted list of times would call', () => {
  const wheels = fc.record({ tickMs: fc.constantFrom(1, 7, 10), slots: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(wheels, fc.array(step, { maxLength: 60 }), (options, steps) => {
      const wheel = new TimerWheel<Item>(options);
      const model = new Model();
      const all = items(8);
      let nowMs = 1_000;
      for (const taken of steps) {
        if (taken.do === 'schedule') {
          wheel.schedule(all[taken.name] as Item, nowMs + taken.inMs);
          model.schedule(taken.name, nowMs + taken.inMs);
        } else if (taken.do === 'cancel') {
          wheel.cancel(all[taken.name] as Item);
          model.cancel(taken.name);
        } else {
          nowMs += taken.byMs;
          expect(dueAt(wheel, nowMs)).toEqual(model.dueAt(nowMs));
        }
        expect(wheel.size).toBe(model.size);
      }
      expect(dueAt(wheel, nowMs + 10_000)).toEqual(model.dueAt(nowMs + 10_000));
    }),
    { numRuns: 1_000 },
  );
});

test('[WHEEL2] an item has one pending time: scheduling it again moves it', () => {
  const wheel = new TimerWheel<Item>({ tickMs: 10, slots: 8 });
  const [item] = items(1) as [Item];
  wheel.schedule(item, 100);
  wheel.schedule(item, 300);
  expect(dueAt(wheel, 299)).toEqual([]);
  expect(dueAt(wheel, 300)).toEqual([0]);
  expect(dueAt(wheel, 1_000)).toEqual([]);
});

test('[WHEEL2] an item further away than one turn waits for its own turn', () => {
  const wheel = new TimerWheel<Item>({ tickMs: 10, slots: 4 });
  const [item] = items(1) as [Item];
  wheel.schedule(item, 1_000);
  for (let nowMs = 0; nowMs < 1_000; nowMs += 5) expect(dueAt(wheel, nowMs)).toEqual([]);
  expect(dueAt(wheel, 1_000)).toEqual([0]);
});

test('[WHEEL3] onDue may schedule and cancel any item: one that is due in the same advance too', () => {
  const wheel = new TimerWheel<Item>({ tickMs: 10, slots: 8 });
  const [first, second, third] = items(3) as [Item, Item, Item];
  wheel.schedule(first, 10);
  wheel.schedule(second, 15);
  const called: number[] = [];
  wheel.advance(20, (item) => {
    called.push(item.name);
    wheel.cancel(item === first ? second : first);
    wheel.schedule(third, 40);
  });
  expect(called).toHaveLength(1);
  expect(dueAt(wheel, 39)).toEqual([]);
  expect(dueAt(wheel, 40)).toEqual([2]);
  expect(wheel.size).toBe(0);
});

test('[WHEEL3] what onDue schedules for now is called by the next advance, so an advance always ends', () => {
  const wheel = new TimerWheel<Item>({ tickMs: 10, slots: 8 });
  const [item] = items(1) as [Item];
  wheel.schedule(item, 10);
  let calls = 0;
  const again = (due: Item): void => {
    calls += 1;
    wheel.schedule(due, 10);
  };
  wheel.advance(10, again);
  expect(calls).toBe(1);
  wheel.advance(10, again);
  expect(calls).toBe(2);
});

test('[WHEEL3] when onDue throws, the items it had not come to are called by the next advance', () => {
  const wheel = new TimerWheel<Item>({ tickMs: 10, slots: 8 });
  for (const item of items(3)) wheel.schedule(item, 10);
  const called: number[] = [];
  expect(() =>
    wheel.advance(10, (item) => {
      called.push(item.name);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(called).toHaveLength(1);
  wheel.advance(10, (item) => called.push(item.name));
  expect(called.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
});

test('[WHEEL4] a time or a size that makes no sense is refused at once', () => {
  const wheel = new TimerWheel<Item>({ tickMs: 10, slots: 8 });
  const [item] = items(1) as [Item];
  for (const atMs of [Number.NaN, Infinity, -Infinity])
    expect(() => wheel.schedule(item, atMs)).toThrow(RangeError);
  expect(wheel.size).toBe(0);
  expect(() => new TimerWheel({ tickMs: 0, slots: 8 })).toThrow(RangeError);
  expect(() => new TimerWheel({ tickMs: 10, slots: 0 })).toThrow(RangeError);
  expect(() => new TimerWheel({ tickMs: 10, slots: 1.5 })).toThrow(RangeError);
});
