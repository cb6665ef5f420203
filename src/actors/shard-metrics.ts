// What a shard counts.
import { counter, countsAlone, gauge, labelled, type CountsOf } from '../lib/metrics.ts';

export const shardMetrics = {
  actors: gauge('stagewire_actors', 'Actors in memory.'),
  published: counter('stagewire_published_messages_total', 'Messages published to subscribers by actors.'),
  turnFaults: counter('stagewire_turn_faults_total', 'Turns that failed by a fault of the server.'),
  overload: labelled(
    'stagewire_overload_refusals_total',
    'What was refused because a bound was reached: the mailbox of an actor, writes that wait for a commit, ' +
      'messages that wait for an edge, actors in memory.',
    ['bound', ['mailbox', 'commit', 'link', 'actors']],
  ),
} as const;

export type ShardCounts = CountsOf<typeof shardMetrics>;

export const shardCountsAlone = (): ShardCounts => countsAlone(shardMetrics);
