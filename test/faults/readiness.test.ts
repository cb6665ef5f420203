// What a server says of itself while its database neither does nor refuses what it is asked.
import { describe, expect, test } from 'vitest';
import { lockDatabase } from '../support/database-lock.ts';
import { openStage } from '../support/fault-mariadb.ts';
import { metric, readiness } from '../support/fault-rounds.ts';
import { layouts } from '../support/layouts.ts';
import { runsOwnMysql } from '../support/mariadb.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

/** Begins to hang, and returns what ends that. */
type Hang = () => Promise<() => unknown>;

async function becomes(server: TestServer, expected: string): Promise<void> {
  await expect.poll(() => readiness(server), { timeout: 15_000 }).toBe(expected);
}

const failures = async (server: TestServer): Promise<number> =>
  (await metric(server, 'stagewire_commit_failures_total')) +
  (await metric(server, 'stagewire_query_failures_total'));

/** It is told while the database could still do what it was asked, and then does. */
async function tellsOf(server: TestServer, hang: Hang): Promise<void> {
  const client = await connectStomp(server, { user: 'alice' });
  // What is read is in memory from then on: only a commit is to hang.
  await client.send('/topic/waits', 'before');
  const failed = await failures(server);
  const goOn = await hang();
  const sent = client.send('/topic/waits', 'for the database');
  await becomes(server, '503 database unavailable');
  expect(await failures(server)).toBe(failed);
  expect(await metric(server, 'stagewire_database_unanswered_seconds')).toBeGreaterThanOrEqual(3);
  expect(await metric(server, 'stagewire_database_unavailable')).toBeGreaterThan(0);
  await goOn();
  await sent;
  await becomes(server, '200 ready');
  expect(await failures(server)).toBe(failed);
  await client.disconnect();
}

describe('a commit that hangs', () => {
  test.each(layouts)(
    '[METRIC7] makes a server on SQLite not ready, until it is done: $name',
    async ({ settings }) => {
      const server = await startServer({ settings });
      await tellsOf(server, () => lockDatabase(server.databaseUrl));
      const { reason } = await server.logged(({ msg }) => msg === 'the database is away');
      expect(reason).toBe('it has not answered for 3 s');
    },
  );

  test.runIf(runsOwnMysql)('[METRIC7] makes a server on MySQL not ready, until it is done', async () => {
    const { server, mariadb, proxy, url } = await openStage();
    await tellsOf(server, async () => {
      mariadb.freeze();
      return () => mariadb.thaw();
    });
    // Without traffic it asks all the same.
    proxy.stall();
    await becomes(server, '503 database unavailable');
    proxy.flow();
    await becomes(server, '200 ready');
    await tellsOf(server, () => lockDatabase(url));
    expect.hasAssertions();
  });
});
