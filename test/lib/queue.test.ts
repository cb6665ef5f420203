import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from '../../src/lib/queue.ts';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant('push' as const) },
  { weight: 3, arbitrary: fc.constant('shift' as const) },
  { weight: 1, arbitrary: fc.constant('unshift' as const) },
);

test('[QUEUE1] whatever is pushed, put back and taken, it is what a list would give', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const queue = new Queue<number>();
      const list: number[] = [];
      for (const [index, what] of steps.entries()) {
        if (what === 'shift') expect(queue.shift()).toBe(list.shift());
        else {
          queue[what](index);
          list[what](index);
        }
        expect(queue.length).toBe(list.length);
      }
      while (list.length > 0) expect(queue.shift()).toBe(list.shift());
      expect(queue.shift()).toBeUndefined();
      expect(queue.length).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('[QUEUE1] an empty one gives nothing, and takes again', () => {
  const queue = new Queue<string>();
  expect(queue.shift()).toBeUndefined();
  queue.unshift('a');
  expect([queue.shift(), queue.shift()]).toEqual(['a', undefined]);
  queue.push('b');
  expect(queue.length).toBe(1);
});
