// All that a node measures: what its threads count, and what is known of the process.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { shardMetrics } from './actors/shard-metrics.ts';
import { edgeMetrics } from './edge/edge-metrics.ts';
import type { Config } from './config.ts';
import { monotonicMs, type Clock } from './lib/clock.ts';
import { MetricBoard, type Reading } from './lib/metric-board.ts';
import { counter, gauge, perThread, type CountsOf } from './lib/metrics.ts';
import { redisMetrics, storageMetrics } from './storage/storage-metrics.ts';
import { unansweredMaxMs } from './storage/unanswered.ts';
import { hasStorageThread } from './thread-tasks.ts';
import { version } from './version.ts';

const threadMetrics = {
  busySeconds: perThread(
    counter(
      'stagewire_event_loop_busy_seconds_total',
      'Seconds in which the event loop of a thread had work.',
    ),
  ),
  delaySeconds: perThread(
    gauge(
      'stagewire_event_loop_delay_p99_seconds',
      'How late the event loop of a thread came round, 99th percentile of the last ten seconds.',
    ),
  ),
  delayMaxSeconds: perThread(
    gauge('stagewire_event_loop_delay_max_seconds', 'The same, the worst of the last ten seconds.'),
  ),
} as const;

const tables = {
  edge: edgeMetrics,
  shard: shardMetrics,
  storage: storageMetrics,
  redis: redisMetrics,
  thread: threadMetrics,
} as const;

export type NodeBoard = MetricBoard<typeof tables>;
export type ThreadCounts = CountsOf<typeof threadMetrics>;

/** @param memory of the node's board, in a thread that is not its maker. */
export function nodeBoard(config: Config, memory?: SharedArrayBuffer): NodeBoard {
  const names = (role: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${role}-${index}`);
  const threads = [
    ...names('edge', config.edges),
    ...names('shard', config.shards),
    ...(hasStorageThread(config) ? ['storage'] : []),
  ];
  return new MetricBoard(tables, threads, memory);
}

/** For how long the database has owed some shard an answer, at most; one that is blocked by it need not say so. */
function unansweredMs(board: NodeBoard): number[] {
  const nowMs = monotonicMs();
  return board
    .values(storageMetrics.unansweredSinceMs)
    .map((sinceMs) => (sinceMs === 0 ? 0 : Math.max(0, nowMs - sinceMs)));
}

/** How many shards can't use the database: their last use of it failed, or one has no answer for too long. */
function withoutDatabase(board: NodeBoard): number {
  const fails = board.values(storageMetrics.unavailable);
  return unansweredMs(board).filter((ms, row) => fails[row] !== 0 || ms >= unansweredMaxMs).length;
}

/** Whether some shard can't use the database. */
export function databaseFails(board: NodeBoard): boolean {
  return withoutDatabase(board) > 0;
}

/** Whether Redis is configured and could not be used when it was last tried. */
export function redisIsAway(board: NodeBoard): boolean {
  return board.total(redisMetrics.unavailable) > 0;
}

/** The text of `/metrics`. */
export function metricsText(board: NodeBoard): string {
  const cpu = process.cpuUsage();
  const readings: readonly Reading[] = [
    {
      name: 'stagewire_database_unavailable',
      type: 'gauge',
      help: 'Shards that can not use the database: their last use of it failed, or one has no answer for 3 s.',
      value: withoutDatabase(board),
    },
    {
      name: 'stagewire_database_unanswered_seconds',
      type: 'gauge',
      help: 'How long the oldest commit or query that has no answer yet has waited for it.',
      value: Math.max(...unansweredMs(board)) / 1_000,
    },
    {
      name: 'stagewire_resident_memory_bytes',
      type: 'gauge',
      help: 'Memory of the process that lies in RAM.',
      value: process.memoryUsage.rss(),
    },
    {
      name: 'stagewire_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time of the process, all threads together.',
      value: (cpu.user + cpu.system) / 1e6,
    },
    {
      name: 'stagewire_uptime_seconds',
      type: 'gauge',
      help: 'How long the process has run.',
      value: process.uptime(),
    },
    {
      name: 'stagewire_build_info',
      type: 'gauge',
      help: 'Always 1; its labels say what runs.',
      labels: { version, node: process.version },
      value: 1,
    },
  ];
  return board.text(readings);
}

const sampleMs = 1_000;
const samplesPerWindow = 10;
/** How often the delay is looked at; what the look itself waits is no delay. */
const resolutionMs = 20;

/** Measures the event loop of this thread once a second, and calls `more` for what is known only by asking. */
export function watchThread(counts: ThreadCounts, clock: Clock, more: () => void): void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1_000);
  let busyMs = performance.eventLoopUtilization().active;
  let samples = 0;
  clock.every(sampleMs, () => {
    const { active } = performance.eventLoopUtilization();
    counts.busySeconds.add((active - busyMs) / 1_000);
    busyMs = active;
    if (delay.count > 0) {
      counts.delaySeconds.set(seconds(delay.percentile(99)));
      counts.delayMaxSeconds.set(seconds(delay.max));
    }
    samples = (samples + 1) % samplesPerWindow;
    if (samples === 0) delay.reset();
    more();
  });
}
