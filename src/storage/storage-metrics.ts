// What is counted of a store by those who use it.
import { counter, gauge, histogram, unlisted, type CountsOf } from '../lib/metrics.ts';

export const storageMetrics = {
  commits: counter('stagewire_commits_total', 'Group commits, also those that failed.'),
  commitFailures: counter('stagewire_commit_failures_total', 'Commits that could not be made.'),
  writes: counter('stagewire_committed_writes_total', 'Row changes in the commits that were made.'),
  commitSeconds: histogram(
    'stagewire_commit_duration_seconds',
    'How long a commit took until it was durable, as a shard sees it.',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  ),
  queries: counter('stagewire_queries_total', 'Queries, also those that failed.'),
  queryFailures: counter('stagewire_query_failures_total', 'Queries that could not be answered.'),
  unavailable: unlisted(gauge('failing', 'Whether the last use of the database failed.')),
  unansweredSinceMs: unlisted(
    gauge('unanswered_since', 'Since when the oldest use of the database has no answer (monotonicMs), or 0.'),
  ),
} as const;

export type StorageCounts = CountsOf<typeof storageMetrics>;

export const redisMetrics = {
  unavailable: gauge(
    'stagewire_redis_unavailable',
    'Whether Redis is configured and can not be used; the server goes on without it.',
  ),
  dropped: counter(
    'stagewire_redis_dropped_total',
    'Snapshots, positions and acknowledgements that were not written to Redis: too many waited, or they were too large.',
  ),
} as const;

export type RedisCounts = CountsOf<typeof redisMetrics>;
