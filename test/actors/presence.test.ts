// Presence after the loss of its shard: edges tie their sessions again and join their subscriptions again, one after
// the other.
import { expect, test } from 'vitest';
import { presenceKind } from '../../src/actors/kinds/presence.ts';
import { ToShard } from '../../src/link/messages.ts';
import { rounds, TestShard } from './test-shard.ts';

const actor = 'presence/alice';
const destination = '/topic/presence.alice';
const settleMs = 500;

class Presence extends TestShard {
  constructor() {
    super({}, { kinds: [presenceKind] });
  }

  attach(session: string, isAgain: boolean, edge = 0): void {
    this.shard.receive(edge, [ToShard.attach, actor, session, 'alice', isAgain]);
  }

  detach(session: string): void {
    this.shard.receive(0, [ToShard.detach, actor, session]);
  }

  join(count: number): void {
    this.shard.receive(1, [ToShard.rejoin, actor, 'presence', destination, null, count, null, 0]);
  }

  /** What edge 1 was told. */
  get told(): unknown[] {
    return this.edges[1]
      .texts(destination)
      .map((text) => (JSON.parse(text) as { sessions: number }).sessions);
  }

  get writes(): number {
    return this.storage.commits.flat(2).length;
  }
}

test('[PRESENCE8] sessions that are tied again are told of once, when all are there', async () => {
  const presence = new Presence();
  presence.join(1);
  for (const session of ['a', 'b', 'c']) presence.attach(session, true, session === 'c' ? 1 : 0);
  await rounds();
  presence.clock.advance(settleMs - 1);
  await rounds();
  expect(presence.told).toEqual([]);
  presence.clock.advance(1);
  await rounds();
  expect(presence.told).toEqual([3]);
  presence.attach('d', false);
  presence.detach('a');
  await rounds();
  expect(presence.told).toEqual([3, 4, 3]);
});

test('[PRESENCE8] who subscribes meanwhile is told with the others, and once', async () => {
  const presence = new Presence();
  presence.attach('a', true);
  const number = presence.subscribe({ edge: 1, actor, stream: 'presence', destination });
  await rounds();
  expect(presence.edges[1].starts(number)).toMatchObject([{ 2: true, 6: [] }]);
  presence.attach('b', true);
  presence.clock.advance(settleMs);
  await rounds();
  expect(presence.told).toEqual([2]);
  // Another edge is later.
  presence.attach('c', true);
  presence.clock.advance(settleMs);
  await rounds();
  expect(presence.told).toEqual([2, 3]);
});

test('[PRESENCE8] a session that came meanwhile is told of with the others', async () => {
  const presence = new Presence();
  presence.join(1);
  presence.attach('a', true);
  presence.attach('b', false);
  await rounds();
  expect(presence.told).toEqual([]);
  presence.clock.advance(settleMs);
  await rounds();
  expect(presence.told).toEqual([2]);
});

test('[PRESENCE8] a user whose sessions all ended meanwhile is told of too', async () => {
  const presence = new Presence();
  presence.join(1);
  await rounds();
  presence.clock.advance(settleMs);
  await rounds();
  expect(presence.told).toEqual([0]);
  // Nobody knows when that was.
  expect(presence.writes).toBe(0);
});

test('[PRESENCE7] a user is noted when the last session goes, however long it was there', async () => {
  const presence = new Presence();
  presence.attach('a', false);
  await rounds();
  const before = presence.writes;
  for (let minute = 0; minute < 5; minute += 1) {
    presence.clock.advance(60_000);
    await rounds();
  }
  presence.detach('a');
  await rounds();
  expect(presence.writes).toBe(before + 1);
});

test('[PRESENCE2] no number is told twice in a row, however many changes led to it', async () => {
  const presence = new Presence();
  presence.subscribe({ edge: 1, actor, stream: 'presence', destination });
  // The actor is being loaded while they come.
  for (const session of ['a', 'b', 'c']) presence.attach(session, false);
  presence.detach('a');
  await rounds();
  expect(presence.told).toEqual([2]);
});

test('[PRESENCE2] the database is written to for the first and the last session alone', async () => {
  const presence = new Presence();
  presence.join(1);
  await rounds();
  presence.clock.advance(settleMs);
  await rounds();
  const before = presence.writes;
  presence.attach('a', false);
  await rounds();
  expect(presence.writes).toBe(before + 1);
  presence.attach('b', false);
  presence.attach('c', false);
  presence.detach('a');
  presence.detach('b');
  await rounds();
  expect(presence.writes).toBe(before + 1);
  presence.detach('c');
  await rounds();
  expect(presence.writes).toBe(before + 2);
  expect(presence.told.slice(1)).toEqual([1, 2, 3, 2, 1, 0]);
});
