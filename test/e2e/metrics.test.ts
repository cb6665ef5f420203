// What a server measures, and whether it says that its database is away.
import { describe, expect, test } from 'vitest';
import { lockDatabase } from '../support/database-lock.ts';
import { slowMs } from '../support/faulty-kinds.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { parsePrometheus, type Family } from '../support/prometheus.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const faultyKinds = new URL('../support/faulty-kinds.js', import.meta.url).href;

async function scrape(server: TestServer): Promise<ReadonlyMap<string, Family>> {
  const { status, body } = await server.rest('GET', '/metrics');
  expect(status).toBe(200);
  return parsePrometheus(body as string);
}

function valueOf(families: ReadonlyMap<string, Family>, name: string, labels = ''): number {
  const value = families.get(name)?.values.get(labels);
  if (value === undefined) throw new Error(`there is no ${name}${labels}`);
  return value;
}

/** Looks until it holds: threads tell some numbers only once a second. */
async function expectSoon(
  server: TestServer,
  holds: (families: ReadonlyMap<string, Family>) => boolean,
): Promise<void> {
  await expect.poll(async () => holds(await scrape(server)), { timeout: 15_000 }).toBe(true);
}

describe.each(layouts)('$name', (layout) => {
  test('[METRIC1] [METRIC2] what happened on all threads is counted', async () => {
    const server = await startServer({ settings: layout.settings });
    const roomId = await createRoom(server, 'alice');
    const readers = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const reader of readers) await reader.subscribe(`/topic/room.${roomId}`);
    // The user's presence is told when it is committed, which may take longer than all that was waited for.
    const [first] = readers;
    await first?.subscribe('/topic/presence.alice');
    await first?.waitFor(({ body }) => body.includes(`"sessions":${readers.length},`));
    await first?.send('/topic/before', '');
    const before = await scrape(server);
    for (let count = 0; count < 5; count += 1)
      await first?.send(`/app/chat.send/${roomId}`, { content: 'hello' });
    for (const reader of readers) await reader.messages(`/topic/room.${roomId}`, 5);
    await server.rest('GET', '/api/rooms/nowhere', { user: 'alice' });
    const after = await scrape(server);
    const grown = (name: string, labels = ''): number =>
      valueOf(after, name, labels) - valueOf(before, name, labels);

    expect(valueOf(after, 'stagewire_connections')).toBe(readers.length);
    expect(valueOf(after, 'stagewire_sessions_opened_total')).toBe(readers.length);
    expect(grown('stagewire_received_frames_total')).toBe(5);
    expect(grown('stagewire_receipts_total')).toBe(5);
    expect(grown('stagewire_published_messages_total')).toBe(5);
    expect(grown('stagewire_deliveries_total')).toBe(5 * readers.length);
    expect(grown('stagewire_sent_frames_total')).toBe(5 * readers.length + 5);
    expect(grown('stagewire_sent_bytes_total')).toBeGreaterThan(5 * readers.length * 200);
    expect(grown('stagewire_received_bytes_total')).toBeGreaterThan(5 * 60);
    expect(grown('stagewire_commands_total', '{outcome="ok"}')).toBe(5);
    expect(grown('stagewire_commands_total', '{outcome="NOT_FOUND"}')).toBe(1);
    expect(grown('stagewire_http_responses_total', '{status="404"}')).toBe(1);
    expect(grown('stagewire_committed_writes_total')).toBe(5);
    const commits = grown('stagewire_commits_total');
    expect(commits).toBe(5);
    expect(grown('stagewire_commit_duration_seconds', '_count')).toBe(commits);
    expect(grown('stagewire_commit_duration_seconds', '_bucket{le="+Inf"}')).toBe(commits);

    await first?.send(`/app/chat.send/${roomId}`, { content: '' }).catch(() => undefined);
    for (const reader of readers) await reader.disconnect();
    await expectSoon(server, (now) => valueOf(now, 'stagewire_connections') === 0);
    const last = await scrape(server);
    expect(valueOf(last, 'stagewire_sessions_ended_total', '{reason="lost"}')).toBe(0);
    expect(valueOf(last, 'stagewire_refused_frames_total', '{code="BAD_REQUEST"}')).toBe(1);
    await expectSoon(server, (now) => valueOf(now, 'stagewire_actors') > 0);
  });
});

describe('/metrics', () => {
  test('[METRIC1] is text that Prometheus takes, for everybody, with names that say their unit', async () => {
    const server = await startServer({ settings: { edges: '2', shards: '2' } });
    const { headers } = await server.rest('GET', '/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    const families = await scrape(server);
    expect(families.size).toBeGreaterThan(25);
    for (const [name, { type, help, values }] of families) {
      expect(name).toMatch(/^stagewire_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).toMatch(/^[A-Z].*\.$|^Always/);
      expect(values.size).toBeGreaterThan(0);
    }
    expect(valueOf(families, 'stagewire_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(valueOf(families, 'stagewire_uptime_seconds')).toBeGreaterThan(0);
    expect([...(families.get('stagewire_build_info')?.values.keys() ?? [])]).toEqual([
      `{version="0.1.0",node="${process.version}"}`,
    ]);
    const threads = ['edge-0', 'edge-1', 'shard-0', 'shard-1', 'storage'].map((name) => `{thread="${name}"}`);
    expect([...(families.get('stagewire_event_loop_busy_seconds_total')?.values.keys() ?? [])]).toEqual(
      threads,
    );
    await expectSoon(server, (now) =>
      threads.every((thread) => valueOf(now, 'stagewire_event_loop_busy_seconds_total', thread) > 0),
    );
  });

  test('[METRIC2] what comes out of a queue is a delivery like any other', async () => {
    const server = await startServer({ settings: { edges: '1', shards: '1' } });
    const worker = await connectStomp(server, { user: 'alice' });
    await worker.subscribe('/queue/jobs');
    for (const body of ['one', 'two']) await worker.send('/queue/jobs', body);
    await worker.messages('/queue/jobs', 2);
    expect(valueOf(await scrape(server), 'stagewire_deliveries_total')).toBe(2);
  });

  test('[METRIC3] a thread that dies takes no counts with it', async () => {
    const server = await startServer({ settings: { edges: '1', shards: '1' }, kindsUrl: faultyKinds });
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.send('/topic/a', 'one');
    await alice.send('/topic/a', 'fault:throw').catch(() => undefined);
    const before = await scrape(server);
    expect(valueOf(before, 'stagewire_turn_faults_total')).toBe(1);
    await alice.send('/topic/a', 'fault:uncaught').catch(() => undefined);
    await server.logged(({ msg }) => msg === 'thread is back');
    await alice.send('/topic/a', 'two');
    const after = await scrape(server);
    const commits = 'stagewire_commits_total';
    expect(valueOf(after, commits)).toBeGreaterThan(valueOf(before, commits));
    expect(valueOf(after, 'stagewire_turn_faults_total')).toBe(1);
  });

  test('[METRIC6] a thread that was held up is seen', async () => {
    const server = await startServer({ settings: { edges: '1', shards: '1' }, kindsUrl: faultyKinds });
    const shard = '{thread="shard-0"}';
    const delay = 'stagewire_event_loop_delay_max_seconds';
    await expectSoon(server, (now) => valueOf(now, delay, shard) > 0);
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.send('/topic/a', 'fault:slow');
    await expectSoon(server, (now) => valueOf(now, delay, shard) > slowMs / 2_000);
  });
});

describe('/readyz', () => {
  test.each(layouts)(
    '[METRIC4] [METRIC5] tells that the database is away until it is back: $name',
    async (layout) => {
      const server = await startServer({ settings: layout.settings });
      const readiness = async (): Promise<unknown> => {
        const { status, body } = await server.rest('GET', '/readyz');
        return [status, (body as { status: string }).status];
      };
      expect(await readiness()).toEqual([200, 'ready']);
      const unlock = await lockDatabase(server.databaseUrl);
      const refused = await server.rest('POST', '/api/rooms', { user: 'alice', body: { name: 'a' } });
      expect(refused).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
      expect(await readiness()).toEqual([503, 'database unavailable']);
      // A shard that only waits counts too, once it has waited for long.
      expect(valueOf(await scrape(server), 'stagewire_database_unavailable')).toBeGreaterThan(0);
      expect(valueOf(await scrape(server), 'stagewire_commit_failures_total')).toBeGreaterThan(0);
      await unlock();
      await expect.poll(readiness, { timeout: 15_000 }).toEqual([200, 'ready']);
      const made = await server.rest('POST', '/api/rooms', { user: 'alice', body: { name: 'a' } });
      expect(made.status).toBe(201);
    },
  );
});
