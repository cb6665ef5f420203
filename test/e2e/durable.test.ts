// Durable names: the server keeps how far a client has acknowledged, so that it need not remember itself.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { range, sendMany, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type ReceivedFrame, type TestClient } from '../support/stomp.ts';
import { streamKinds, topicStream, type TestStream } from '../support/streams.ts';

interface Reading {
  readonly user?: string;
  readonly name?: string;
  readonly ack?: string;
  readonly version?: string;
}

/** A client of the durable name `d`, subscribed as `a`. */
async function read(server: TestServer, stream: TestStream, reading: Reading = {}): Promise<TestClient> {
  const { user = 'bob', name = 'd', ack = 'client', version = '1.2' } = reading;
  const client = await connectStomp(server, { user, version });
  await client.subscribe(stream.destination, { id: 'a', durable: name, ack });
  return client;
}

/** The messages that came at once, as those do that were not acknowledged. */
const missedOf = (client: TestClient, stream: TestStream): number[] =>
  client.received(stream.destination).map(seqOf);

async function write(server: TestServer, stream: TestStream, count: number): Promise<void> {
  const sender = await connectStomp(server, { user: 'alice' });
  await sendMany(sender, stream.sendTo, Array(count).fill(stream.body('text')));
  await sender.disconnect();
}

const acknowledge = (
  client: TestClient,
  frame: ReceivedFrame | undefined,
  command = 'ACK',
): Promise<unknown> => client.request(command, { id: frame?.headers['ack'] ?? 'no ack header' });

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  test.each(streamKinds)(
    '[DURABLE1] a new name starts now, and keeps that place when the server ends: %s',
    async (_what, make) => {
      const stream = await make(server);
      // Of the stream without a message it is the epoch that must not be lost.
      const empty = await make(server);
      await write(server, stream, 5);
      for (const one of [stream, empty]) {
        const client = await read(server, one);
        expect(missedOf(client, one)).toEqual([]);
      }
      await server.kill();
      server = await server.restart();
      await write(server, stream, 3);
      await write(server, empty, 3);
      const client = await read(server, stream);
      expect(missedOf(client, stream)).toEqual([6, 7, 8]);
      expect(client.received(stream.destination)[0]?.headers).toMatchObject({ recovered: 'true' });
      expect(missedOf(await read(server, empty), empty)).toEqual([1, 2, 3]);
    },
  );

  test.each(streamKinds)(
    '[DURABLE2] with ack: client an ACK counts for all messages before it: %s',
    async (_what, make) => {
      const stream = await make(server);
      const first = await read(server, stream);
      await write(server, stream, 10);
      const live = await first.messages(stream.destination, 10);
      await acknowledge(first, live[3]);
      first.cut();
      const second = await read(server, stream);
      expect(missedOf(second, stream)).toEqual(range(5, 10));
      // What came again is acknowledged like what is live, and an earlier one changes nothing.
      await acknowledge(second, second.received(stream.destination)[4]);
      await acknowledge(second, second.received(stream.destination)[1]);
      second.cut();
      expect(missedOf(await read(server, stream), stream)).toEqual([10]);
    },
  );

  test.each(streamKinds)(
    '[DURABLE3] with client-individual the place is the last one below which all is acknowledged: %s',
    async (_what, make) => {
      const stream = await make(server);
      const ack = 'client-individual';
      const first = await read(server, stream, { ack });
      await write(server, stream, 10);
      const live = await first.messages(stream.destination, 10);
      const missedNow = async (): Promise<number[]> => {
        const other = await read(server, stream, { ack });
        const missed = missedOf(other, stream);
        await other.disconnect();
        return missed;
      };
      for (const index of [4, 2, 9]) await acknowledge(first, live[index]);
      expect(await missedNow()).toEqual(range(1, 10));
      await acknowledge(first, live[0]);
      expect(await missedNow()).toEqual(range(2, 10));
      await acknowledge(first, live[1]);
      expect(await missedNow()).toEqual(range(4, 10));
      await acknowledge(first, live[3]);
      expect(await missedNow()).toEqual(range(6, 10));
      for (const index of [8, 7, 6, 5]) await acknowledge(first, live[index]);
      expect(await missedNow()).toEqual([]);
    },
  );

  test.each(['client', 'client-individual'])(
    '[DURABLE4] NACK leaves the place where it is: %s',
    async (ack) => {
      const stream = await topicStream();
      const first = await read(server, stream, { ack });
      await write(server, stream, 4);
      const live = await first.messages(stream.destination, 4);
      await acknowledge(first, live[0]);
      await acknowledge(first, live[1], 'NACK');
      if (ack === 'client-individual') await acknowledge(first, live[2]);
      first.cut();
      const second = await read(server, stream, { ack });
      expect(missedOf(second, stream)).toEqual([2, 3, 4]);
      await acknowledge(second, second.received(stream.destination)[2], 'NACK');
      second.cut();
      expect(missedOf(await read(server, stream, { ack }), stream)).toEqual([2, 3, 4]);
    },
  );

  test('[DURABLE5] places are per user, name and destination, and outlive the server', async () => {
    const streams = [await topicStream(), await topicStream()];
    const readings = ['bob', 'carol'].flatMap((user) => ['d', 'e'].map((name) => ({ user, name })));
    const all = streams.flatMap((stream) => readings.map((reading) => ({ stream, reading })));
    const clients = await Promise.all(all.map(({ stream, reading }) => read(server, stream, reading)));
    for (const stream of streams) await write(server, stream, all.length);
    for (const [index, { stream }] of all.entries()) {
      const client = clients[index] as TestClient;
      const live = await client.messages(stream.destination, all.length);
      await acknowledge(client, live[index]);
    }
    await server.kill();
    server = await server.restart();
    for (const [index, { stream, reading }] of all.entries()) {
      const client = await read(server, stream, reading);
      expect(missedOf(client, stream)).toEqual(range(index + 2, all.length));
    }
    const other = await read(server, streams[0] as TestStream, { name: 'f' });
    expect(missedOf(other, streams[0] as TestStream)).toEqual([]);
  });

  test.each([
    ['1.1', ['message-id', 'subscription']],
    ['1.0', ['message-id']],
  ])('[DURABLE6] STOMP %s acknowledges by message-id', async (version, names) => {
    const stream = await topicStream();
    const first = await read(server, stream, { version });
    await write(server, stream, 4);
    const live = await first.messages(stream.destination, 4);
    const headers = Object.fromEntries(names.map((name) => [name, live[2]?.headers[name] ?? '']));
    await first.request('ACK', headers);
    first.cut();
    const second = await read(server, stream, { version });
    expect(missedOf(second, stream)).toEqual([4]);
  });

  test('[DURABLE7] a name that can keep no place is BAD_REQUEST', async () => {
    const client = await connectStomp(server, { user: 'bob' });
    const destination = '/topic/durable';
    const refused: Readonly<Record<string, string>>[] = [
      { destination, durable: 'd' },
      { destination, durable: 'd', ack: 'auto' },
      { destination, durable: 'd', ack: 'sometimes' },
      { destination, durable: '', ack: 'client' },
      { destination, durable: 'x'.repeat(101), ack: 'client' },
      { destination: '/topic/durable/*', durable: 'd', ack: 'client' },
      { destination: '/user/queue/x', durable: 'd', ack: 'client' },
      { destination: '/user/queue/errors', durable: 'd', ack: 'client' },
    ];
    for (const headers of refused) {
      const subscribed = client.subscribe(headers['destination'] ?? '', headers);
      const refusal = { code: 'BAD_REQUEST', destination: headers['destination'] };
      await expect(subscribed).rejects.toMatchObject({ refusal });
    }
    await client.subscribe(destination, { durable: 'x'.repeat(100), ack: 'client' });
  });

  test('[DURABLE8] an ACK of what was not delivered is BAD_REQUEST and moves nothing', async () => {
    const stream = await topicStream();
    const client = await read(server, stream);
    await write(server, stream, 2);
    const [one] = await client.messages(stream.destination, 2);
    const ack = one?.headers['ack'] ?? '';
    const [number] = ack.split('-');
    const automatic = await client.subscribe(stream.destination);
    const wrong = ['', 'x', `${number}-3`, `${number}-`, '999999-1', `${ack} `, automatic, '-1'];
    for (const id of wrong) {
      for (const command of ['ACK', 'NACK']) {
        const asked = client.request(command, { id });
        await expect(asked, id).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
      }
    }
    await expect(client.request('ACK')).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
    const other = await connectStomp(server, { user: 'bob' });
    await expect(other.request('ACK', { id: ack })).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST' },
    });
    await client.unsubscribe('a');
    await expect(client.request('ACK', { id: ack })).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST' },
    });
    expect(missedOf(await read(server, stream), stream)).toEqual([1, 2]);
  });

  test('[DURABLE9] a RECEIPT of ACK says that the place is kept', async () => {
    const stream = await topicStream();
    const client = await read(server, stream);
    await write(server, stream, 50);
    const live = await client.messages(stream.destination, 50);
    // Sent at once; the server is killed with the last of them acknowledged.
    await Promise.all(live.slice(0, 30).map((frame) => acknowledge(client, frame)));
    await server.kill();
    server = await server.restart();
    expect(missedOf(await read(server, stream), stream)).toEqual(range(31, 50));
  });

  test('[DURABLE13] thousands of ACKs at once end where the last of them says', async () => {
    const stream = await topicStream();
    const client = await read(server, stream, { ack: 'client-individual' });
    await write(server, stream, 3_000);
    const live = await client.messages(stream.destination, 3_000);
    for (const frame of live.slice(0, -3)) client.sendFrame('ACK', { id: frame.headers['ack'] ?? '' });
    await acknowledge(client, live.at(-3));
    const again = await read(server, stream, { ack: 'client-individual' });
    expect(missedOf(again, stream)).toEqual([2_999, 3_000]);
  });

  test('[DURABLE10] a name can be used by several sessions; each place is one that was acknowledged', async () => {
    const stream = await topicStream();
    const clients = await connectOnEveryEdge(server, layout, { user: 'bob' });
    for (const client of clients) {
      await client.subscribe(stream.destination, { id: 'a', durable: 'd', ack: 'client' });
    }
    await write(server, stream, 6);
    for (const client of clients) {
      const live = await client.messages(stream.destination, 6);
      await acknowledge(client, live[4]);
    }
    expect(missedOf(await read(server, stream), stream)).toEqual([6]);
  });
});

test('[DURABLE11] without a name nothing is kept, however much is acknowledged out of order', async () => {
  const server = await startServer();
  const stream = await topicStream();
  const client = await connectStomp(server, { user: 'bob' });
  await client.subscribe(stream.destination, { id: 'a', ack: 'client-individual' });
  const total = 10_500;
  for (let written = 0; written < total; written += 1_500) await write(server, stream, 1_500);
  const [, ...live] = await client.messages(stream.destination, total);
  for (const { headers } of live) client.sendFrame('ACK', { id: headers['ack'] ?? '' });
  await acknowledge(client, live.at(-1));
  const again = await connectStomp(server, { user: 'bob' });
  await again.subscribe(stream.destination, { id: 'a', ack: 'client-individual' });
  expect(missedOf(again, stream)).toEqual([]);
});

test('[DURABLE12] a name whose messages are gone is told so once, and goes on from there', async () => {
  const server = await startServer();
  const stream = await topicStream();
  const before = await read(server, stream);
  before.cut();
  const total = 12_000;
  for (let written = 0; written < total; written += 1_500) await write(server, stream, 1_500);
  const first = await read(server, stream);
  expect(first.received(stream.destination)).toMatchObject([
    { body: '', headers: { recovered: 'false', seq: String(total) } },
  ]);
  // It can be acknowledged as any other: client libraries do.
  await acknowledge(first, first.received(stream.destination)[0]);
  first.cut();
  await write(server, stream, 2);
  const second = await read(server, stream);
  expect(missedOf(second, stream)).toEqual([total + 1, total + 2]);
  expect(second.received(stream.destination)[0]?.headers).toMatchObject({ recovered: 'true' });
});
