// What nodes share, on a real Redis.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Redis } from 'ioredis';
import { systemClock } from '../../src/lib/clock.ts';
import { redisTimes } from '../../src/storage/redis/redis.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { runsRedis } from '../support/redis-file.ts';
import { openTestNode } from '../support/redis-node.ts';
import { redisView, someRedis } from '../support/redis.ts';

const dayMs = 24 * 60 * 60 * 1_000;

describe.runIf(runsRedis)('what nodes share', () => {
  let url: string;
  let redis: Redis;

  beforeEach(async () => {
    url = await someRedis();
    redis = redisView(url);
  });

  const membersOf = async (key: string): Promise<string[]> => (await redis.smembers(key)).toSorted();
  const expectSoon = async <Value>(look: () => Promise<Value>, expected: Value): Promise<void> => {
    await expect.poll(look, { timeout: 10_000, interval: 10 }).toEqual(expected);
  };
  const expectMembers = (key: string, ...members: readonly string[]): Promise<void> =>
    expectSoon(() => membersOf(key), members.toSorted());

  test('[REDIS1] a user is online while one of the sessions is there', async () => {
    const { part } = openTestNode({ url });
    part.tell(['session', 'alice', 's1', true]);
    part.tell(['session', 'alice', 's2', true]);
    part.tell(['session', 'bob: {the} builder', 's3', true]);
    await expectMembers('presence:online', 'alice', 'bob: {the} builder');
    expect(await membersOf('presence:user:alice:sessions')).toEqual(['s1', 's2']);
    expect(await membersOf('presence:user:bob: {the} builder:sessions')).toEqual(['s3']);
    part.tell(['session', 'alice', 's1', false]);
    await expectMembers('presence:user:alice:sessions', 's2');
    expect(await redis.sismember('presence:online', 'alice')).toBe(1);
    part.tell(['session', 'alice', 's2', false]);
    await expectMembers('presence:online', 'bob: {the} builder');
    expect(await redis.exists('presence:user:alice:sessions')).toBe(0);
  });

  test('[REDIS2] those who track an order stand in its set', async () => {
    const { part } = openTestNode({ url });
    part.tell(['tracking', 'order-1', 'alice', true]);
    part.tell(['tracking', 'order-1', 'bob', true]);
    await expectMembers('order:tracking:order-1', 'alice', 'bob');
    part.tell(['tracking', 'order-1', 'alice', false]);
    await expectMembers('order:tracking:order-1', 'bob');
    expect(await redis.exists('presence:online')).toBe(0);
  });

  test('[REDIS3] messages that nobody has acknowledged stand by their time for 24 hours', async () => {
    const { part } = openTestNode({ url });
    const nowMs = systemClock.now();
    part.tell(['unacked', 'room-1', 'old', nowMs - dayMs - 60_000]);
    part.tell(['unacked', 'room-1', 'm1', nowMs - 2_000]);
    part.tell(['unacked', 'room-1', 'm2', nowMs - 1_000]);
    part.tell(['unacked', 'room-2', 'm3', nowMs]);
    await expectSoon(
      () => redis.zrange('unacked:room-1', '0', '-1', 'WITHSCORES'),
      ['m1', `${nowMs - 2_000}`, 'm2', `${nowMs - 1_000}`],
    );
    expect(await redis.pttl('unacked:room-1')).toBeGreaterThan(dayMs - 60_000);
    expect(await redis.pttl('unacked:room-1')).toBeLessThanOrEqual(dayMs);
    part.tell(['acked', 'room-1', 'm1']);
    await expectSoon(() => redis.zrange('unacked:room-1', '0', '-1'), ['m2']);
    expect(await redis.zrange('unacked:room-2', '0', '-1')).toEqual(['m3']);
  });

  test('[REDIS4] what other services put into the same keys stays, and counts', async () => {
    await redis.sadd('presence:user:alice:sessions', 'spring-1');
    await redis.pexpire('presence:user:alice:sessions', dayMs);
    await redis.sadd('presence:online', 'alice');
    const { node, part } = openTestNode({ url });
    part.tell(['session', 'alice', 's1', true]);
    await expectMembers('presence:user:alice:sessions', 's1', 'spring-1');
    expect(await redis.pttl('presence:user:alice:sessions')).toBeGreaterThan(dayMs / 2);
    await node.close();
    expect(await membersOf('presence:user:alice:sessions')).toEqual(['spring-1']);
    expect(await membersOf('presence:online')).toEqual(['alice']);
  });

  test('[REDIS4] a key that is something else is left alone, and stands in nobody’s way', async () => {
    await redis.set('presence:user:alice:sessions', 'mine');
    await redis.set('unacked:room-1', 'mine');
    const { part, log } = openTestNode({ url });
    part.tell(['session', 'alice', 's1', true]);
    part.tell(['unacked', 'room-1', 'm1', 1]);
    part.tell(['session', 'bob', 's2', true]);
    await expectMembers('presence:user:bob:sessions', 's2');
    part.tell(['session', 'alice', 's1', false]);
    part.tell(['session', 'bob', 's2', false]);
    await expectSoon(() => redis.exists('presence:user:bob:sessions'), 0);
    expect(await redis.mget('presence:user:alice:sessions', 'unacked:room-1')).toEqual(['mine', 'mine']);
    expect(log.map(({ msg }) => msg)).toEqual(['Redis is there']);
  });

  test('[REDIS6] what a node has left that lives no more is taken out by another one, and only that', async () => {
    // Its clock stands still, so it never beats again.
    const crashed = openTestNode({ url, clock: new FakeClock() });
    crashed.part.tell(['session', 'alice', 's1', true]);
    crashed.part.tell(['session', 'bob', 's2', true]);
    crashed.part.tell(['tracking', 'order-1', 'alice', true]);
    crashed.part.tell(['tracking', 'order-1', 'bob', true]);
    await expectMembers('presence:online', 'alice', 'bob');
    await expectMembers('order:tracking:order-1', 'alice', 'bob');
    const living = openTestNode({ url, times: { lifeMs: 60_000 } });
    living.part.tell(['session', 'alice', 's3', true]);
    living.part.tell(['tracking', 'order-1', 'alice', true]);
    await redis.persist('presence:user:bob:sessions');
    await redis.persist('order:tracking:order-1');
    await expectMembers('presence:online', 'alice');
    await expectMembers('order:tracking:order-1', 'alice');
    expect(await membersOf('presence:user:alice:sessions')).toEqual(['s3']);
    expect(await redis.exists('presence:user:bob:sessions')).toBe(0);
    await expectSoon(() => redis.zcard('stagewire:{nodes}:dead'), 0);
    expect(await redis.zcard('stagewire:{nodes}:leases')).toBe(1);
  });

  test('[REDIS6] a node that was taken for dead says everything again', async () => {
    const clock = new FakeClock();
    const held = openTestNode({ url, clock });
    held.part.tell(['session', 'alice', 's1', true]);
    await expectMembers('presence:online', 'alice');
    const other = openTestNode({ url, times: { lifeMs: 60_000 } });
    other.part.tell(['session', 'bob', 's2', true]);
    await expectMembers('presence:online', 'bob');
    await expectSoon(async () => {
      // While the other one sweeps what it had it has to wait.
      clock.advance(50);
      return membersOf('presence:online');
    }, ['alice', 'bob']);
    expect(await membersOf('presence:user:alice:sessions')).toEqual(['s1']);
  });

  test('[REDIS6] [REDIS8] as an operator has them the times are short enough', () => {
    const { leaseMs, beatMs, lifeMs, refreshMs } = redisTimes;
    // Whoever is to sweep has to come first, for as long as a lease; then it is given the dead at its next beat.
    expect(leaseMs + 2 * beatMs).toBeLessThan(60_000);
    expect(lifeMs).toBeLessThanOrEqual(60_000);
    expect(2 * refreshMs).toBeLessThan(lifeMs);
    expect(3 * beatMs).toBeLessThan(leaseMs);
  });

  test('[REDIS8] keys that no node refreshes go by themselves, those of living ones stay', async () => {
    const times = { lifeMs: 1_500 };
    const crashed = openTestNode({ url, clock: new FakeClock(), times });
    crashed.part.tell(['session', 'alice', 's1', true]);
    crashed.part.tell(['tracking', 'order-1', 'alice', true]);
    await expectMembers('order:tracking:order-1', 'alice');
    await expectSoon(
      () => redis.exists('presence:online', 'presence:user:alice:sessions', 'order:tracking:order-1'),
      0,
    );
    const living = openTestNode({ url, times });
    living.part.tell(['session', 'bob', 's2', true]);
    await expectMembers('presence:online', 'bob');
    await redis.pexpire('presence:user:bob:sessions', 50);
    await expectSoon(async () => (await redis.pttl('presence:user:bob:sessions')) > 1_000, true);
    expect(await membersOf('presence:online')).toEqual(['bob']);
  });

  test('[REDIS8] a user without any session does not stay online', async () => {
    await redis.sadd('presence:online', 'nobody');
    const { part } = openTestNode({ url });
    part.tell(['session', 'alice', 's1', true]);
    await expectMembers('presence:online', 'alice');
  });

  test('[REDIS13] the newest snapshot of an actor comes back, byte for byte, to any node', async () => {
    const one = openTestNode({ url });
    const other = openTestNode({ url });
    await expectSoon(async () => (await one.part.snapshot('room/1')) ?? one.log.length, 1);
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    one.part.tell(['snapshot', 'room/1', Uint8Array.of(1)]);
    one.part.tell(['snapshot', 'room/1', bytes]);
    const snapshotOf = async (actor: string): Promise<number[]> => [
      ...((await other.part.snapshot(actor)) ?? []),
    ];
    await expectSoon(() => snapshotOf('room/1'), [...bytes]);
    expect(await snapshotOf('room/2')).toEqual([]);
    expect(await redis.pttl('stagewire:snapshot:room/1')).toBeGreaterThan(dayMs - 60_000);
    const tooLarge = new Uint8Array(8 * 1024 * 1024 + 1);
    one.part.tell(['snapshot', 'room/1', tooLarge]);
    expect(one.counts.dropped.value).toBe(1);
    one.part.tell(['snapshot', 'room/2', tooLarge.subarray(1)]);
    await expectSoon(async () => (await other.part.snapshot('room/2'))?.length, tooLarge.length - 1);
    expect(await snapshotOf('room/1')).toEqual([...bytes]);
  });

  test('[REDIS14] the newest position of a durable subscription comes back', async () => {
    const one = openTestNode({ url });
    const other = openTestNode({ url });
    one.part.tell(['position', 'alice', 'phone', '/topic/a', 'e1', 7]);
    one.part.tell(['position', 'alice', 'phone', '/topic/a', 'e1', 8]);
    one.part.tell(['position', 'alice', 'phone"', '/topic/a', 'e1', 9]);
    await expectSoon(() => other.part.position('alice', 'phone"', '/topic/a'), { epoch: 'e1', seq: 9 });
    expect(await other.part.position('alice', 'phone', '/topic/a')).toEqual({ epoch: 'e1', seq: 8 });
    expect(await other.part.position('bob', 'phone', '/topic/a')).toBeNull();
    const [key = ''] = await redis.keys('stagewire:position:*phone",*');
    await redis.set(key, 'what nobody of ours has written');
    expect(await other.part.position('alice', 'phone', '/topic/a')).toBeNull();
  });

  test('[REDIS15] a node that ends takes back what it has said, and a shard that is lost too', async () => {
    const { node, part } = openTestNode({ url });
    const second = node.part();
    part.tell(['session', 'alice', 's1', true]);
    part.tell(['session', 'alice', 's2', true]);
    second.tell(['session', 'alice', 's2', true]);
    second.tell(['tracking', 'order-1', 'bob', true]);
    await expectMembers('presence:user:alice:sessions', 's1', 's2');
    await part.close();
    await expectMembers('presence:user:alice:sessions', 's2');
    second.tell(['snapshot', 'room/1', Uint8Array.of(7)]);
    await node.close();
    expect(await redis.keys('*')).toEqual(['stagewire:snapshot:room/1']);
  });

  test('[REDIS15] what a lost shard has said stays for a while, for the one that comes next', async () => {
    const clock = new FakeClock();
    const { node, part } = openTestNode({ url, clock, times: { graceMs: 5_000, lifeMs: 60_000 } });
    part.tell(['session', 'alice', 's1', true]);
    part.tell(['session', 'alice', 's2', true]);
    await expectMembers('presence:user:alice:sessions', 's1', 's2');
    await part.close();
    const next = node.part();
    next.tell(['session', 'alice', 's1', true]);
    next.tell(['session', 'bob', 's3', true]);
    await expectMembers('presence:online', 'alice', 'bob');
    expect(await membersOf('presence:user:alice:sessions')).toEqual(['s1', 's2']);
    clock.advance(5_000);
    await expectMembers('presence:user:alice:sessions', 's1');
  });

  test('[REDIS19] thousands of sessions are told and taken back', async () => {
    const { node, part } = openTestNode({ url, times: { lifeMs: 60_000, closeWithinMs: 20_000 } });
    for (let user = 0; user < 5_000; user += 1) part.tell(['session', `user-${user}`, `s-${user}`, true]);
    part.tell(['session', 'user-0', 'more', true]);
    await expectSoon(() => redis.scard('presence:online'), 5_000);
    await expectMembers('presence:user:user-0:sessions', 'more', 's-0');
    await node.close();
    expect(await redis.keys('*')).toEqual([]);
  });
});
