// What one subscription knows of its deliveries and acknowledgements.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Session } from '../../src/edge/session.ts';
import {
  isWildcard,
  Subscription,
  unacknowledgedMax,
  type AckMode,
  type SubscriptionOptions,
} from '../../src/edge/subscription.ts';

const source = {
  type: 'stream',
  destination: '/topic/a',
  shown: '/topic/a',
  actor: 'topic/a',
  stream: 's',
  params: null,
} as const;

function subscription(ack: AckMode, more: Partial<SubscriptionOptions> = {}): Subscription {
  const session = { id: 'tag' } as Session;
  return new Subscription({ number: 7, session, id: '0', source, ack, from: null, receipt: null, ...more });
}

test('[SUBSCRIPTION1] with ack:client an acknowledgement counts for all before it, and never backwards', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 })), (deliveries) => {
      const one = subscription('client');
      let highest = 0;
      for (const delivery of deliveries) {
        expect(one.acknowledge(delivery)).toBe(delivery > highest ? delivery : null);
        highest = Math.max(highest, delivery);
        expect(one.acknowledged).toBe(highest);
      }
    }),
  );
});

test('[SUBSCRIPTION1] with client-individual the position is the last one below which all is acknowledged', () => {
  const deliveries = fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 40 });
  fc.assert(
    fc.property(deliveries, fc.integer({ min: 0, max: 5 }), (all, start) => {
      const one = subscription('client-individual');
      one.acknowledged = start;
      const seen = new Set<number>();
      let position = start;
      for (const delivery of all) {
        seen.add(delivery);
        const before = position;
        while (seen.has(position + 1)) position += 1;
        expect(one.acknowledge(delivery)).toBe(position > before ? position : null);
        expect(one.acknowledged).toBe(position);
      }
    }),
  );
});

test('[SUBSCRIPTION1] more acknowledgements out of order than are kept track of are an overrun', () => {
  const one = subscription('client-individual');
  for (let delivery = 2; delivery <= unacknowledgedMax + 1; delivery += 1) one.acknowledge(delivery);
  expect(one.overrun).toBe(false);
  one.acknowledge(unacknowledgedMax + 2);
  expect(one.overrun).toBe(true);
  // The missing one makes up for all of them.
  expect(one.acknowledge(1)).toBe(unacknowledgedMax + 2);
  expect(one.overrun).toBe(false);
});

test('[SUBSCRIPTION2] an acknowledgement names its session, subscription and delivery: the seq, or a count without one', () => {
  const resumable = subscription('client');
  resumable.epoch = 'e';
  expect(resumable.own(17)).toEqual({ ack: '7-17-tag', recovered: null, redelivered: false });
  const volatile = subscription('client');
  expect([0, 0, 0].map((seq) => volatile.own(seq)?.ack)).toEqual(['7-1-tag', '7-2-tag', '7-3-tag']);
  // A pattern's messages are of many streams, each with seqs of its own.
  const wild = subscription('client', { source: { ...source, type: 'wildcard', actor: '' } });
  expect(isWildcard(wild.source)).toBe(true);
  expect([9, 2, 9].map((seq) => wild.own(seq)?.ack)).toEqual(['7-1-tag', '7-2-tag', '7-3-tag']);
  expect(subscription('auto').own(3)).toBeNull();
});

test('[SUBSCRIPTION3] whether the past was found is said once, on the next message', () => {
  const one = subscription('auto');
  one.recovered = true;
  expect(one.shares).toBe(false);
  expect(one.own(1)).toEqual({ ack: null, recovered: true, redelivered: false });
  expect(one.own(2)).toBeNull();
  expect(one.shares).toBe(true);
});

test('[SUBSCRIPTION3] after a gap the position goes on behind it', () => {
  const one = subscription('client-individual', { from: ['durable', 'mine'] });
  one.epoch = 'e';
  one.acknowledged = 100;
  one.acknowledge(103);
  one.recovered = false;
  one.own(20_000);
  expect(one.durable).toBe('mine');
  expect(one.acknowledge(20_001)).toBe(20_001);
});
