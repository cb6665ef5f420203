// The worst days of a Redis, with everybody at work: nobody is kept waiting, and nobody is told.
import { describe, expect, test, vi } from 'vitest';
import { everyLoad } from '../support/fault-load.ts';
import { heartBeatMs, survive, type Fault } from '../support/fault-rounds.ts';
import { twoEach } from '../support/layouts.ts';
import { outagesOf } from '../support/outages.ts';
import { runsPrivateRedis } from '../support/redis-file.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const longMs = 120_000;

async function redisOf(server: TestServer): Promise<unknown> {
  return ((await server.rest('GET', '/readyz')).body as { redis: unknown }).redis;
}

const soon = (holds: () => unknown): Promise<unknown> => vi.waitFor(holds, { timeout: 20_000 });

async function presenceOf(server: TestServer, users: readonly string[]): Promise<unknown> {
  const { body } = await server.rest('GET', `/api/presence?users=${users.join(',')}`, { user: 'watched' });
  return (body as { online: boolean; sessions: number }[]).map(({ online, sessions }) => [online, sessions]);
}

/**
 * Redis goes and comes back; the server says so meanwhile, still knows who is there itself, and tells Redis everything
 * again.
 */
function away(
  server: TestServer,
  redis: RedisServer,
  what: { readonly name: string; readonly go: () => Promise<unknown>; readonly back: () => Promise<unknown> },
): Fault {
  // There only since Redis is away.
  const late = `late for ${what.name}`.replaceAll(' ', '-');
  return {
    name: what.name,
    seen: 'waited',
    async begin() {
      await what.go();
      await soon(async () => expect(await redisOf(server), what.name).toBe('away'));
      await connectStomp(server, { user: late });
      expect(await presenceOf(server, ['watched', late, 'nobody'])).toEqual([
        [true, 1],
        [true, 1],
        [false, 0],
      ]);
    },
    async end() {
      await what.back();
      await soon(async () => expect(await redisOf(server), what.name).toBe('ready'));
      for (const user of ['watched', late]) {
        await soon(async () => expect(await redis.view.sismember('presence:online', user)).toBe(1));
      }
    },
  };
}

describe.runIf(runsPrivateRedis)('a Redis', () => {
  test(
    '[FAULT9] [FAULT11] [LOG2] that is stopped, killed, full or hangs makes nothing UNAVAILABLE, and is told everything again',
    async () => {
      const redis = await startRedis();
      const server = await startServer({
        settings: { ...twoEach.settings, heartBeatMs, redisUrl: redis.url },
      });
      await connectStomp(server, { user: 'watched' });
      const faults = [
        away(server, redis, { name: 'restarted empty', go: () => redis.stop(), back: () => redis.start() }),
        away(server, redis, { name: 'killed', go: () => redis.kill(), back: () => redis.start() }),
        away(server, redis, {
          name: 'frozen',
          go: async () => redis.freeze(),
          back: async () => redis.thaw(),
        }),
        away(server, redis, {
          name: 'full',
          go: () => redis.view.config('SET', 'maxmemory', '1'),
          back: () => redis.view.config('SET', 'maxmemory', '0'),
        }),
      ];
      expect(await survive(server, await everyLoad(server), faults)).toBe(0);
      expect([...outagesOf(server).values()]).toEqual([faults.length]);
    },
    longMs,
  );
});
