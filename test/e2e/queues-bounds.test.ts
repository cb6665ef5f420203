// What a queue holds at most, and a backlog far longer than memory holds.
import Driver from 'better-sqlite3';
import { expect, test } from 'vitest';
import { acknowledge, bodiesOf, connectWorker, gotOf, job } from '../support/queues.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const full = { refusal: { code: 'UNAVAILABLE' } };

/** Puts messages into the queue `full` behind the server's back, each with its number or with zeros for a body. */
async function fill(server: TestServer, count: number, body: string): Promise<TestServer> {
  await server.stop();
  const connection = new Driver(server.databaseFile);
  connection
    .prepare(
      `WITH RECURSIVE counted (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < ?)
       INSERT INTO queue_messages
         (message_id, queue, position, sender_id, headers, body, is_text, tries, created_at)
       SELECT 'message ' || number, 'full', number, 'alice', NULL, ${body}, 1, 0, '2026-01-01T00:00:00.000Z'
       FROM counted`,
    )
    .run(count);
  connection.close();
  return server.restart();
}

test('[QUEUES9] a queue holds 100,000 messages; one more is refused at once, until one is acknowledged', async () => {
  const server = await fill(await startServer(), 99_999, 'CAST(number AS BLOB)');
  const sender = await connectStomp(server, { user: 'alice' });
  await sender.send('/queue/full', 'the last');
  await expect(sender.send('/queue/full', 'too much')).rejects.toMatchObject(full);
  const worker = await connectWorker(server, '/queue/full', { 'prefetch-count': '10' });
  // What is held counts.
  await expect(sender.send('/queue/full', 'too much')).rejects.toMatchObject(full);
  await acknowledge(worker, (await worker.messages('/queue/full', 1))[0]);
  await sender.send('/queue/full', 'the very last');
  await expect(sender.send('/queue/full', 'too much')).rejects.toMatchObject(full);
  await sender.send('/queue/other', 'has room');
});

test('[QUEUES9] it holds 256 MiB of bodies', async () => {
  const server = await fill(await startServer(), 255, 'zeroblob(1048576)');
  const sender = await connectStomp(server, { user: 'alice' });
  for (const number of range(1, 17)) await sender.send('/queue/full', String(number).padEnd(60_000));
  await expect(sender.send('/queue/full', 'x'.repeat(60_000))).rejects.toMatchObject(full);
  await sender.send('/queue/full', 'x'.repeat(28_576));
  await expect(sender.send('/queue/full', 'x')).rejects.toMatchObject(full);
  // Nothing is added by it.
  await sender.send('/queue/full', '');
});

test('[QUEUES2] a long backlog comes whole, in the order sent, and what is sent meanwhile after it', async () => {
  const server = await fill(await startServer(), 20_000, 'CAST(number AS BLOB)');
  const sender = await connectStomp(server, { user: 'alice' });
  const worker = await connectWorker(server, '/queue/full', { ack: 'auto' });
  await worker.messages('/queue/full', 1);
  await sender.send('/queue/full', 'the last');
  await job(worker, '/queue/full', 'the last');
  expect(gotOf(worker, '/queue/full')).toEqual([...range(1, 20_000).map(String), 'the last']);
  const last = await worker.messages('/queue/full', 20_001);
  expect(bodiesOf(last.slice(-1))).toEqual(['the last']);
  await worker.disconnect();
  const next = await connectWorker(server, '/queue/full');
  await sender.send('/queue/full', 'new');
  await job(next, '/queue/full', 'new');
  expect(gotOf(next, '/queue/full')).toEqual(['new']);
});
