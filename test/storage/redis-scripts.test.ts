// The scripts do in Redis what their model does in plain maps, which the races of many nodes are tried with.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RedisCommands, scripts } from '../../src/storage/redis/commands.ts';
import { deadKey, leasesKey, recordKey } from '../../src/storage/redis/keys.ts';
import type { Entry } from '../../src/storage/redis/ledger.ts';
import { runsRedis } from '../support/redis-file.ts';
import { redisView, someRedis } from '../support/redis.ts';
import { RedisModel } from './redis-model.ts';

const longMs = 600_000;
const nodes = ['living', 'other'];
const sets = ['presence:online', 'presence:user:alice:sessions'];
const entries: readonly Entry[] = [
  ['presence:user:alice:sessions', 'a1'],
  ['presence:user:alice:sessions', 'a2'],
  ['order:tracking:"ö"', 'alice'],
];

const node = fc.constantFrom(...nodes);
/** Only one node ever dies, as the order in which dead ones are given is Redis's own. */
const mortal = fc.constant('other');
const some = fc.subarray([...entries], { minLength: 1 });
const members = fc.subarray(['a', 'b', 'c'], { minLength: 1 });
const command = fc.oneof(
  fc.record({ name: fc.constant('beat' as const), node, isLast: fc.boolean(), mayFind: fc.boolean() }),
  fc.record({ name: fc.constantFrom('record' as const, 'strike' as const), node, some }),
  fc.record({ name: fc.constant('yield' as const), node, some, arePutBack: fc.boolean() }),
  fc.record({ name: fc.constantFrom('sweep' as const, 'recall' as const), node }),
  fc.record({ name: fc.constant('leave' as const), node: mortal }),
  fc.record({
    name: fc.constantFrom('hold' as const, 'release' as const),
    set: fc.constantFrom(...sets),
    members,
  }),
  fc.record({ name: fc.constantFrom('count' as const, 'scan' as const), set: fc.constantFrom(...sets) }),
);
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

async function all<Value>(pages: AsyncIterable<readonly Value[]>): Promise<Value[]> {
  const found: Value[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

const sorted = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one)).toSorted();

/** What a command answers, of the model and of Redis. */
async function both(
  model: RedisModel,
  redis: RedisCommands,
  of: Command,
): Promise<readonly [unknown, unknown]> {
  switch (of.name) {
    case 'beat': {
      const leaseMs = of.isLast && of.node === 'other' ? 0 : longMs;
      const beat = [of.node, leaseMs, of.mayFind] as const;
      return [model.beat(...beat), await redis.beat(...beat)];
    }
    case 'record':
      return [model.record(of.node, of.some), await redis.record(of.node, of.some)];
    case 'yield': {
      const letting = [of.node, of.some, of.arePutBack] as const;
      return [model.yield(...letting), await redis.yield(...letting)];
    }
    case 'strike':
      return [model.strike(of.node, of.some), await redis.strike(of.node, of.some)];
    case 'sweep':
      return [sorted(model.sweep(of.node, longMs, 9)), sorted(await redis.sweep(of.node, longMs, 9))];
    case 'leave':
      return [model.leave(of.node), await redis.leave(of.node)];
    case 'recall':
      return [sorted(model.recall(of.node)), sorted(await all(redis.recall(of.node)))];
    case 'hold':
      return [model.hold(of.set, of.members), await redis.hold(of.set, longMs, of.members)];
    case 'release':
      return [model.release(of.set, of.members), await redis.release(of.set, of.members)];
    case 'count':
      return [model.count(of.set), await redis.count(of.set)];
    case 'scan':
      return [sorted(model.scan(of.set)), sorted((await redis.scan(of.set, null))[0])];
  }
}

describe.runIf(runsRedis)('the scripts', () => {
  test('[REDIS5] do what their model does', async () => {
    const client = redisView(await someRedis());
    for (const [name, script] of Object.entries(scripts)) client.defineCommand(name, script);
    const redis = new RedisCommands(client);
    const ofNode = async (key: string): Promise<string[]> => (await client.zrange(key, '0', '-1')).toSorted();
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        await client.flushdb();
        const model = new RedisModel();
        for (const one of commands) {
          const [expected, found] = await both(model, redis, one);
          expect(found).toEqual(expected);
        }
        expect(await ofNode(leasesKey)).toEqual([...model.leases.keys()].toSorted());
        expect(await ofNode(deadKey)).toEqual([...model.dead.keys()].toSorted());
        for (const name of nodes) {
          const record = Object.fromEntries(model.records.get(name) ?? []);
          expect(await client.hgetall(recordKey(name))).toEqual(record);
        }
        for (const set of sets) {
          expect((await client.smembers(set)).toSorted()).toEqual(
            [...(model.sets.get(set) ?? [])].toSorted(),
          );
        }
      }),
      { numRuns: 100 },
    );
  });
});
