// What a queue holds at most, and a backlog far longer than memory holds.
import { expect, test } from 'vitest';
import { openStorage } from '../../src/storage/open.ts';
import type { Write } from '../../src/storage/storage.ts';
import { acknowledge, bodiesOf, connectWorker, gotOf, job } from '../support/queues.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const full = { refusal: { code: 'UNAVAILABLE' } };

const megabyte = new Uint8Array(1_048_576);
const numbered = (number: number): Uint8Array => Buffer.from(String(number));

/** Puts messages into the queue `full` behind the server's back, so many in a transaction. */
async function fill(
  server: TestServer,
  count: number,
  body: (number: number) => Uint8Array,
  together = 1_000,
): Promise<TestServer> {
  await server.stop();
  const storage = await openStorage(server.databaseUrl);
  const messages = range(1, count).map((number): Write => ({
    op: 'insert',
    table: 'queue_messages',
    row: {
      message_id: `message ${number}`,
      queue: 'full',
      position: number,
      sender_id: 'alice',
      headers: null,
      body: body(number),
      is_text: true,
      tries: 0,
      created_at: 0,
    },
  }));
  for (let start = 0; start < count; start += together) {
    const outcomes = await storage.commit([messages.slice(start, start + together)]);
    expect(outcomes).toEqual([null]);
  }
  await storage.close();
  return server.restart();
}

test('[QUEUES9] a queue holds 100,000 messages; one more is refused at once, until one is acknowledged', async () => {
  const server = await fill(await startServer(), 99_999, numbered);
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
  const server = await fill(await startServer(), 255, () => megabyte, 8);
  const sender = await connectStomp(server, { user: 'alice' });
  for (const number of range(1, 17)) await sender.send('/queue/full', String(number).padEnd(60_000));
  await expect(sender.send('/queue/full', 'x'.repeat(60_000))).rejects.toMatchObject(full);
  await sender.send('/queue/full', 'x'.repeat(28_576));
  await expect(sender.send('/queue/full', 'x')).rejects.toMatchObject(full);
  // Nothing is added by it.
  await sender.send('/queue/full', '');
});

test('[QUEUES2] a long backlog comes whole, in the order sent, and what is sent meanwhile after it', async () => {
  const server = await fill(await startServer(), 20_000, numbered);
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
