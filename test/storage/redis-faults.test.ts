// The worst days of a Redis: nobody waits for it, and what it is to hold is there again when it is.
import { describe, expect, test } from 'vitest';
import { runsPrivateRedis } from '../support/redis-file.ts';
import { openTestNode, type TestNode } from '../support/redis-node.ts';
import { redisView, startRedis, type RedisServer } from '../support/redis.ts';

async function expectSoon<Value>(look: () => Value | Promise<Value>, expected: Value): Promise<void> {
  await expect.poll(look, { timeout: 10_000, interval: 10 }).toEqual(expected);
}

async function expectMembers(
  { view }: RedisServer,
  key: string,
  ...members: readonly string[]
): Promise<void> {
  await expectSoon(async () => new Set(await view.smembers(key).catch(() => [])), new Set(members));
}

const messages = ({ log }: TestNode): string[] => log.map(({ msg }) => msg);
const away = 'Redis is away, the node goes on without it';

describe.runIf(runsPrivateRedis)('a Redis that fails', () => {
  test('[REDIS7] [REDIS9] that was restarted empty is told everything that is so now', async () => {
    const redis = await startRedis();
    const held = openTestNode(redis);
    held.part.tell(['session', 'alice', 's1', true]);
    held.part.tell(['session', 'bob', 's2', true]);
    held.part.tell(['tracking', 'order-1', 'alice', true]);
    await expectMembers(redis, 'order:tracking:order-1', 'alice');
    // It says so when there is no more to tell, which is after the members are there.
    await expectSoon(() => messages(held), ['Redis is there']);
    await redis.kill();
    await expectSoon(() => held.counts.unavailable.value, 1);
    held.part.tell(['session', 'bob', 's2', false]);
    held.part.tell(['session', 'carol', 's3', true]);
    held.part.tell(['position', 'alice', 'phone', '/topic/a', 'e', 3]);
    expect(await held.part.snapshot('room/1')).toBeNull();
    await redis.start();
    await expectMembers(redis, 'presence:online', 'alice', 'carol');
    await expectMembers(redis, 'order:tracking:order-1', 'alice');
    await expectSoon(() => held.part.position('alice', 'phone', '/topic/a'), { epoch: 'e', seq: 3 });
    expect(held.counts.unavailable.value).toBe(0);
    expect(messages(held)).toEqual(['Redis is there', away, 'Redis is back']);
  });

  test('[REDIS7] that was emptied is told everything again', async () => {
    const redis = await startRedis();
    const { part } = openTestNode(redis);
    part.tell(['session', 'alice', 's1', true]);
    await expectMembers(redis, 'presence:online', 'alice');
    await redis.view.flushall();
    await redis.view.script('FLUSH');
    await expectMembers(redis, 'presence:online', 'alice');
    await expectMembers(redis, 'presence:user:alice:sessions', 's1');
  });

  test('[REDIS7] that came back as it was some time ago forgets who is gone since', async () => {
    const redis = await startRedis();
    const held = openTestNode({ url: redis.url, times: { lifeMs: 60_000 } });
    held.part.tell(['session', 'alice', 's1', true]);
    await expectMembers(redis, 'presence:online', 'alice');
    const keys = await redis.view.keys('*');
    const dumps = await Promise.all(keys.map((key) => redis.view.dumpBuffer(key)));
    held.part.tell(['session', 'alice', 's1', false]);
    held.part.tell(['session', 'bob', 's2', true]);
    await expectMembers(redis, 'presence:online', 'bob');
    await redis.kill();
    await expectSoon(() => held.counts.unavailable.value, 1);
    // Nothing reaches it before it holds again what it held then.
    await redis.start(['--requirepass', 'not-yet']);
    const operator = redisView(redis.url.replace('//', '//:not-yet@'));
    for (const [index, key] of keys.entries()) {
      await operator.restore(key, 0, dumps[index] ?? '', 'REPLACE');
    }
    await operator.config('SET', 'requirepass', '');
    await expectMembers(redis, 'presence:online', 'bob');
    await expectMembers(redis, 'presence:user:alice:sessions');
  });

  test('[REDIS10] that hangs keeps nobody waiting, and is away until it answers again', async () => {
    const redis = await startRedis();
    const held = openTestNode({ url: redis.url, times: { commandWithinMs: 200, readWithinMs: 20 } });
    held.part.tell(['snapshot', 'room/1', Uint8Array.of(1)]);
    await expectSoon(async () => [...((await held.part.snapshot('room/1')) ?? [])], [1]);
    redis.freeze();
    const reads = Array.from({ length: 1_000 }, () => held.part.snapshot('room/1'));
    expect(await Promise.all(reads)).toEqual(reads.map(() => null));
    held.part.tell(['session', 'alice', 's1', true]);
    await expectSoon(() => messages(held), ['Redis is there', away]);
    expect(await held.part.snapshot('room/1')).toBeNull();
    redis.thaw();
    await expectMembers(redis, 'presence:online', 'alice');
    await expectSoon(async () => [...((await held.part.snapshot('room/1')) ?? [])], [1]);
    expect(messages(held)).toEqual(['Redis is there', away, 'Redis is back']);
  });

  test('[REDIS10] that hangs does not hold up the end of the node', async () => {
    const redis = await startRedis();
    const held = openTestNode({ url: redis.url, times: { commandWithinMs: 10_000, closeWithinMs: 100 } });
    await expectSoon(() => messages(held), ['Redis is there']);
    redis.freeze();
    held.part.tell(['session', 'alice', 's1', true]);
    await held.node.close();
  });

  test('[REDIS11] that is full is away until there is room', async () => {
    const redis = await startRedis();
    const held = openTestNode(redis);
    await expectSoon(() => messages(held), ['Redis is there']);
    await redis.view.config('SET', 'maxmemory', '1');
    held.part.tell(['session', 'alice', 's1', true]);
    await expectSoon(() => messages(held), ['Redis is there', away]);
    expect(held.log.at(-1)?.reason).toMatch(/^OOM /);
    await redis.view.config('SET', 'maxmemory', '0');
    await expectMembers(redis, 'presence:online', 'alice');
    await expectSoon(() => messages(held), ['Redis is there', away, 'Redis is back']);
  });

  test('[REDIS11] that has become a replica is away until it is none', async () => {
    const redis = await startRedis();
    const held = openTestNode(redis);
    await expectSoon(() => messages(held), ['Redis is there']);
    await redis.view.replicaof('127.0.0.1', 1);
    held.part.tell(['session', 'alice', 's1', true]);
    await expectSoon(() => messages(held), ['Redis is there', away]);
    expect(held.log.at(-1)?.reason).toMatch(/^READONLY /);
    await redis.view.replicaof('NO', 'ONE');
    await expectMembers(redis, 'presence:online', 'alice');
  });

  test('[REDIS12] that is not there at the start is said so once, and used when it comes', async () => {
    const redis = await startRedis();
    await redis.stop();
    const held = openTestNode(redis);
    held.part.tell(['session', 'alice', 's1', true]);
    await expectSoon(() => messages(held), [away]);
    expect(held.log[0]?.reason).toContain('ECONNREFUSED');
    expect(held.counts.unavailable.value).toBe(1);
    expect(await held.part.snapshot('room/1')).toBeNull();
    await redis.start();
    await expectMembers(redis, 'presence:online', 'alice');
    await expectSoon(() => messages(held), [away, 'Redis is back']);
  });

  test('[REDIS12] that wants another password is said so, and no password is shown', async () => {
    const redis = await startRedis({ password: 'right: @ password' });
    const right = openTestNode(redis);
    await expectSoon(() => messages(right), ['Redis is there']);
    const wrong = openTestNode({ url: redis.url.replace(/:[^:]*@/, ':wrong-password@') });
    await expectSoon(() => messages(wrong), [away]);
    expect(wrong.log[0]?.reason).toMatch(/^WRONGPASS /);
    const none = openTestNode({ url: redis.url.replace(/\/\/.*@/, '//') });
    await expectSoon(() => messages(none), [away]);
    expect(none.log[0]?.reason).toMatch(/^NOAUTH /);
    expect(JSON.stringify([wrong.log, none.log])).not.toMatch(/wrong-password|right/);
  });

  test('[REDIS13] what waits for a Redis that is away is bounded, the newest of it', async () => {
    const redis = await startRedis();
    await redis.stop();
    const { part, counts } = openTestNode(redis);
    const snapshot = new Uint8Array(1024 * 1024);
    for (let actor = 0; actor < 40; actor += 1) part.tell(['snapshot', `room/${actor}`, snapshot]);
    for (let seq = 1; seq <= 20_000; seq += 1)
      part.tell(['position', 'alice', 'phone', '/topic/a', 'e', seq]);
    for (let message = 0; message < 10_001; message += 1)
      part.tell(['unacked', 'room-1', `m${message}`, message]);
    expect(counts.dropped.value).toBe(8 + 1);
    await redis.start();
    await expectSoon(() => part.position('alice', 'phone', '/topic/a'), { epoch: 'e', seq: 20_000 });
    await expectSoon(async () => (await part.snapshot('room/39'))?.length, snapshot.length);
    await expectSoon(async () => (await redis.view.keys('stagewire:snapshot:*')).length, 32);
    expect(await part.snapshot('room/0')).toBeNull();
  });

  test('[REDIS16] in a cluster no command touches keys that lie apart', async () => {
    const redis = await startRedis({ cluster: true });
    const crashed = openTestNode({ url: redis.url, times: { beatMs: 100_000, lifeMs: 60_000 } });
    crashed.part.tell(['session', 'bob', 's0', true]);
    crashed.part.tell(['tracking', 'order-1', 'bob', true]);
    await expectMembers(redis, 'order:tracking:order-1', 'bob');
    const held = openTestNode({ url: redis.url, times: { lifeMs: 60_000 } });
    for (let user = 0; user < 300; user += 1) held.part.tell(['session', `user-${user}`, 's', true]);
    held.part.tell(['tracking', 'order-1', 'user-1', true]);
    held.part.tell(['unacked', 'room-1', 'm1', 1]);
    held.part.tell(['position', 'alice', 'phone', '/topic/a', 'e', 3]);
    held.part.tell(['snapshot', 'room/1', Uint8Array.of(1)]);
    await expectSoon(async () => [...((await held.part.snapshot('room/1')) ?? [])], [1]);
    await expectSoon(() => redis.view.scard('presence:online'), 300);
    await expectMembers(redis, 'order:tracking:order-1', 'user-1');
    for (let user = 0; user < 300; user += 1) held.part.tell(['session', `user-${user}`, 's', false]);
    await expectSoon(() => redis.view.exists('presence:online'), 0);
    expect(messages(held)).toEqual(['Redis is there']);
    await redis.restart();
    await expectMembers(redis, 'order:tracking:order-1', 'user-1');
    await expectSoon(() => messages(held), ['Redis is there', away, 'Redis is back']);
  });
});
