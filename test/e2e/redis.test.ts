// A server with a Redis that comes and goes: it serves all the same, and says how things are.
import { describe, expect, test } from 'vitest';
import { parsePrometheus } from '../support/prometheus.ts';
import { runsPrivateRedis } from '../support/redis-file.ts';
import { startRedis } from '../support/redis.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const isAway = 'Redis is away, the node goes on without it';

async function expectReady(server: TestServer, redis: 'ready' | 'away'): Promise<void> {
  const state = async (): Promise<unknown> => {
    const { status, body } = await server.rest('GET', '/readyz');
    const families = parsePrometheus((await server.rest('GET', '/metrics')).body as string);
    return [status, body, families.get('stagewire_redis_unavailable')?.values.get('')];
  };
  const expected = [200, { status: 'ready', redis }, redis === 'away' ? 1 : 0];
  await expect.poll(state, { timeout: 15_000 }).toEqual(expected);
}

async function expectServes(server: TestServer): Promise<void> {
  const roomId = await createRoom(server, 'alice');
  const alice = await connectStomp(server, { user: 'alice' });
  await alice.subscribe(`/topic/room.${roomId}`);
  await alice.send(`/app/chat.send/${roomId}`, { content: 'hello' });
  await alice.messages(`/topic/room.${roomId}`, 1);
  await alice.disconnect();
}

const linesOf = (server: TestServer): unknown[] =>
  server.log.map(({ msg }) => msg).filter((msg) => typeof msg === 'string' && msg.startsWith('Redis '));

describe.runIf(runsPrivateRedis)('a server with a Redis', () => {
  test('[REDIS17] [REDIS9] serves while it is stopped, hangs and is back, and says so once each', async () => {
    const redis = await startRedis();
    const server = await startServer({ settings: { redisUrl: redis.url, edges: '1', shards: '1' } });
    await expectReady(server, 'ready');
    await expectServes(server);
    await redis.stop();
    await expectReady(server, 'away');
    await expectServes(server);
    await redis.start();
    await expectReady(server, 'ready');
    redis.freeze();
    await expectServes(server);
    await expectReady(server, 'away');
    await expectServes(server);
    redis.thaw();
    await expectReady(server, 'ready');
    expect(linesOf(server)).toEqual(['Redis is there', isAway, 'Redis is back', isAway, 'Redis is back']);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('[REDIS12] [REDIS17] starts without it, and ends without it', async () => {
    const redis = await startRedis({ password: 'a-secret-of-redis' });
    await redis.stop();
    const server = await startServer({ settings: { redisUrl: redis.url, edges: '1', shards: '2' } });
    await server.logged(({ msg }) => msg === isAway);
    await expectReady(server, 'away');
    await expectServes(server);
    await redis.start();
    await expectReady(server, 'ready');
    expect(linesOf(server)).toEqual([isAway, 'Redis is back']);
    redis.freeze();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(JSON.stringify(server.log)).not.toContain('a-secret-of-redis');
  });

  test('[REDIS12] starts with a wrong password, which it does not show', async () => {
    const redis = await startRedis({ password: 'a-secret-of-redis' });
    const redisUrl = redis.url.replace('a-secret-of-redis', 'another-secret');
    const server = await startServer({ settings: { redisUrl, edges: '1', shards: '1' } });
    const line = await server.logged(({ msg }) => msg === isAway);
    expect(line).toMatchObject({ level: 40, reason: expect.stringMatching(/^WRONGPASS /) as unknown });
    await expectServes(server);
    expect(JSON.stringify(server.log)).not.toContain('another-secret');
  });
});
