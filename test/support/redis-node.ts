// A node's part in what is shared, as tests of Redis have it: fast, and with its log to look at.
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { countsAlone } from '../../src/lib/metrics.ts';
import { openRedis, type RedisTimes } from '../../src/storage/redis/redis.ts';
import type { Shared, SharedNode } from '../../src/storage/shared.ts';
import { redisMetrics, type RedisCounts } from '../../src/storage/storage-metrics.ts';

/** What the defaults are to an operator, a hundred times faster. */
const fastTimes: Partial<RedisTimes> = {
  leaseMs: 400,
  beatMs: 50,
  lifeMs: 1_000,
  refreshMs: 200,
  retry: { firstMs: 5, maxMs: 50 },
  graceMs: 0,
};

export interface TestNodeOptions {
  readonly url: string;
  /** A clock that stands still makes a node that does no more than it is told: it never beats again. */
  readonly clock?: Clock;
  readonly times?: Partial<RedisTimes>;
}

export interface TestNode {
  readonly node: SharedNode;
  readonly part: Shared;
  readonly counts: RedisCounts;
  /** The log so far: a message, and a reason where one is given. */
  readonly log: readonly { readonly msg: string; readonly reason?: string }[];
}

const open = new Set<SharedNode>();
let count = 0;

afterEach(async () => {
  await Promise.all([...open].map((node) => node.close()));
  open.clear();
});

/** Opens a node that is closed after the test. */
export function openTestNode({ url, clock = systemClock, times }: TestNodeOptions): TestNode {
  count += 1;
  const log: { msg: string }[] = [];
  const counts = countsAlone(redisMetrics);
  const node = openRedis({
    url,
    node: `node-${count}`,
    clock,
    log: pino({}, { write: (line) => void log.push(JSON.parse(line) as { msg: string }) }),
    counts,
    times: { ...fastTimes, ...times },
  });
  open.add(node);
  return { node, part: node.part(), counts, log };
}
