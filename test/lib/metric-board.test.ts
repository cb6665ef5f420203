// Numbers that threads share, and their text.
import { describe, expect, test } from 'vitest';
import { MetricBoard } from '../../src/lib/metric-board.ts';
import { counter, gauge, histogram, labelled, perThread } from '../../src/lib/metrics.ts';

const tables = {
  edge: {
    frames: counter('frames_total', 'Frames.'),
    open: gauge('open', 'Open ones.'),
    ends: labelled('ends_total', 'Ends.', ['reason', ['lost', 'closed']]),
  },
  shard: {
    commits: histogram('commit_seconds', 'Commits.', [0.5, 1]),
    busy: perThread(counter('busy_seconds_total', 'Busy.')),
  },
} as const;
const threads = ['edge-0', 'edge-1', 'shard-0'];

describe('a board of metrics', () => {
  test('[METRIC2] shows the sum of what all threads have counted, in one shared memory', () => {
    const board = new MetricBoard(tables, threads);
    const one = board.countsOf('edge-0');
    const other = new MetricBoard(tables, threads, board.memory).countsOf('edge-1');
    one.edge.frames.add();
    one.edge.frames.add(2);
    one.edge.open.set(5);
    other.edge.frames.add(4);
    other.edge.open.set(1);
    other.edge.ends.closed.add();
    board.countsOf('shard-0').shard.busy.add(0.25);
    for (const seconds of [0.1, 0.5, 0.7, 3]) other.shard.commits.observe(seconds);
    expect(board.total(tables.edge.frames)).toBe(7);
    expect(board.text([]).split('\n')).toEqual([
      '# HELP frames_total Frames.',
      '# TYPE frames_total counter',
      'frames_total 7',
      '# HELP open Open ones.',
      '# TYPE open gauge',
      'open 6',
      '# HELP ends_total Ends.',
      '# TYPE ends_total counter',
      'ends_total{reason="lost"} 0',
      'ends_total{reason="closed"} 1',
      '# HELP commit_seconds Commits.',
      '# TYPE commit_seconds histogram',
      'commit_seconds_bucket{le="0.5"} 2',
      'commit_seconds_bucket{le="1"} 3',
      'commit_seconds_bucket{le="+Inf"} 4',
      'commit_seconds_sum 4.3',
      'commit_seconds_count 4',
      '# HELP busy_seconds_total Busy.',
      '# TYPE busy_seconds_total counter',
      'busy_seconds_total{thread="edge-0"} 0',
      'busy_seconds_total{thread="edge-1"} 0',
      'busy_seconds_total{thread="shard-0"} 0.25',
      '',
    ]);
  });

  test('[METRIC3] a thread that starts again goes on with its counters and begins its gauges anew', () => {
    const board = new MetricBoard(tables, threads);
    const before = board.countsOf('edge-1').edge;
    before.frames.add(3);
    before.open.set(3);
    const after = board.countsOf('edge-1').edge;
    after.frames.add();
    expect([board.total(tables.edge.frames), board.total(tables.edge.open)]).toEqual([4, 0]);
  });

  test('readings come with their labels, whatever is in them', () => {
    const reading = {
      name: 'info',
      type: 'gauge',
      help: 'Info.',
      value: 1,
      labels: { v: 'a"b\\c\nd' },
    } as const;
    expect(new MetricBoard(tables, threads).text([reading])).toContain(
      '\n# HELP info Info.\n# TYPE info gauge\ninfo{v="a\\"b\\\\c\\nd"} 1\n',
    );
  });

  test('a thread without a row has no counts', () => {
    expect(() => new MetricBoard(tables, threads).countsOf('edge-2')).toThrow(/edge-2/);
  });
});
