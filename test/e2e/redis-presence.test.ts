// What others see in Redis of the sessions, trackings and messages of real servers.
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { createOrder } from '../support/orders.ts';
import { runsPrivateRedis } from '../support/redis-file.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer } from '../support/server.ts';
import { connectStomp, parse, type TestClient } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;

async function expectMembers(
  { view }: RedisServer,
  key: string,
  ...members: readonly string[]
): Promise<void> {
  const look = async (): Promise<unknown> => new Set(await view.smembers(key).catch(() => ['away']));
  await expect.poll(look, { timeout: 60_000 }).toEqual(new Set(members));
}

const sessionOf = (client: TestClient): string => client.frames[0]?.headers['session'] ?? '';
const sessionsOf = (user: string): string => `presence:user:${user}:sessions`;

describe.runIf(runsPrivateRedis).each(layouts)('$name', (layout) => {
  test('[REDIS1] [REDIS15] sessions come and go, and end with the server', async () => {
    const redis = await startRedis();
    const server = await startServer({ settings: { ...layout.settings, redisUrl: redis.url } });
    const [first, ...others] = await connectOnEveryEdge(server, layout, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    const all = [first as TestClient, ...others];
    await expectMembers(redis, sessionsOf('alice'), ...all.map(sessionOf));
    await expectMembers(redis, sessionsOf('bob'), sessionOf(bob));
    await expectMembers(redis, 'presence:online', 'alice', 'bob');
    first?.cut();
    await expectMembers(redis, sessionsOf('alice'), ...others.map(sessionOf));
    for (const client of others) await client.disconnect();
    await expectMembers(redis, 'presence:online', 'bob');
    await server.stop();
    expect(await redis.view.keys('presence:*')).toEqual([]);
    expect(await redis.view.keys('stagewire:{nodes}:*')).toEqual([]);
  });

  test('[REDIS2] an order has those who track it in its set', async () => {
    const redis = await startRedis();
    const server = await startServer({ settings: { ...layout.settings, redisUrl: redis.url } });
    const orderId = await createOrder(server, 'alice');
    const [first, second] = [
      await connectStomp(server, { user: 'alice' }),
      await connectStomp(server, { user: 'alice' }),
    ];
    for (const client of [first, second]) await client.subscribe(`/app/order.track/${orderId}`);
    await expectMembers(redis, `order:tracking:${orderId}`, 'alice');
    await first.disconnect();
    await second.send(`/app/order.untrack/${orderId}`, {});
    await expectMembers(redis, `order:tracking:${orderId}`);
    await expectMembers(redis, sessionsOf('alice'), sessionOf(second));
  });

  test('[REDIS3] a message stands there until somebody has acknowledged it', async () => {
    const redis = await startRedis();
    const server = await startServer({ settings: { ...layout.settings, redisUrl: redis.url } });
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`);
    for (const content of ['one', 'two']) await alice.send(`/app/chat.send/${roomId}`, { content });
    const messages = (await alice.messages(`/topic/room.${roomId}`, 2)).map(parse);
    const byTime = messages.flatMap(({ messageId, createdAt }) => [
      messageId,
      `${Date.parse(String(createdAt))}`,
    ]);
    const look = (): Promise<string[]> => redis.view.zrange(`unacked:${roomId}`, '0', '-1', 'WITHSCORES');
    await expect.poll(look, { timeout: 10_000 }).toEqual(byTime);
    await alice.send(`/app/ack/${roomId}`, { messageId: messages[0]?.['messageId'] });
    await expect.poll(look, { timeout: 10_000 }).toEqual(byTime.slice(2));
  });
});

describe.runIf(runsPrivateRedis)('faults', () => {
  test('[REDIS7] after Redis was restarted empty the keys are as sessions are', async () => {
    const redis = await startRedis();
    const server = await startServer({ settings: { redisUrl: redis.url, edges: '1', shards: '2' } });
    const alice = await connectStomp(server, { user: 'alice' });
    const orderId = await createOrder(server, 'alice');
    await alice.subscribe(`/app/order.track/${orderId}`);
    const bob = await connectStomp(server, { user: 'bob' });
    await expectMembers(redis, 'presence:online', 'alice', 'bob');
    await redis.kill();
    await bob.disconnect();
    const carol = await connectStomp(server, { user: 'carol' });
    await redis.start();
    await expectMembers(redis, 'presence:online', 'alice', 'carol');
    await expectMembers(redis, sessionsOf('carol'), sessionOf(carol));
    await expectMembers(redis, `order:tracking:${orderId}`, 'alice');
    expect(await redis.view.exists(sessionsOf('bob'))).toBe(0);
  });

  test('[REDIS15] when a shard dies its users stay online', async () => {
    const redis = await startRedis();
    const server = await startServer({
      settings: { redisUrl: redis.url, edges: '1', shards: '1' },
      kindsUrl,
    });
    const alice = await connectStomp(server, { user: 'alice' });
    await expectMembers(redis, 'presence:online', 'alice');
    const monitor = await new Redis(redis.url).monitor();
    const removals: string[] = [];
    monitor.on('monitor', (_time: string, args: string[]) => {
      if (args[0]?.toLowerCase() === 'srem') removals.push(args.join(' '));
    });
    await alice.send('/topic/a', 'fault:exit').catch(() => undefined);
    await server.logged(({ msg }) => msg === 'thread is back');
    const bob = await connectStomp(server, { user: 'bob' });
    await expectMembers(redis, 'presence:online', 'alice', 'bob');
    await bob.disconnect();
    await expectMembers(redis, 'presence:online', 'alice');
    expect(removals.filter((command) => command.includes(sessionOf(alice)))).toEqual([]);
    monitor.disconnect();
  });

  test('[REDIS6] what a killed server has left is taken out by another one within a minute', async () => {
    const redis = await startRedis();
    const settings = { redisUrl: redis.url, edges: '1', shards: '1' };
    const [killed, living] = await Promise.all([startServer({ settings }), startServer({ settings })]);
    const lost = await connectStomp(killed, { user: 'alice' });
    const kept = await connectStomp(living, { user: 'alice' });
    await connectStomp(killed, { user: 'bob' });
    await expectMembers(redis, 'presence:online', 'alice', 'bob');
    await expectMembers(redis, sessionsOf('alice'), sessionOf(lost), sessionOf(kept));
    await killed.kill();
    await expectMembers(redis, sessionsOf('alice'), sessionOf(kept));
    await expectMembers(redis, 'presence:online', 'alice');
    expect(await redis.view.exists(sessionsOf('bob'))).toBe(0);
  }, 120_000);
});
