// A client that stops reading: nobody else notices, the server's memory does not either, and it can resume.
import { describe, expect, test } from 'vitest';
import { startServer, type LogLine, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

const mebibyte = 1024 * 1024;
const slowCount = 12;
/** Each slow client is sent 12 MB, of which the kernel takes less than half: all the rest would be far more than this. */
const growthBytesMax = 56 * mebibyte;
const timeoutMs = 120_000;

interface Traffic {
  readonly destination: string;
  /** Sends one message; resolves with its RECEIPT. */
  readonly send: () => Promise<void>;
}

/** A room or a plain topic, and somebody who writes to it. */
async function startTraffic(server: TestServer, kind: 'room' | 'topic', content: string): Promise<Traffic> {
  const writer = await connectStomp(server, { user: 'writer' });
  if (kind === 'topic') return { destination: '/topic/a', send: () => writer.send('/topic/a', content) };
  const body = { name: 'a', isPrivate: false };
  const { roomId } = (await server.rest('POST', '/api/rooms', { user: 'writer', body })).body as {
    roomId: string;
  };
  return {
    destination: `/topic/room.${roomId}`,
    send: () => writer.send(`/app/chat.send/${roomId}`, { content }),
  };
}

/** Sends that wait for their RECEIPT, and messages that the one who reads may lack. */
const underWay = 8;

/**
 * Sends so many, some at a time: more than 1,000 unanswered commands of one session would be refused.
 *
 * @param read resolves when so many of them were read, for one who is to keep up however slow this process is.
 */
async function sendAll(
  count: number,
  send: Traffic['send'],
  read: (count: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  let left = count;
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await send();
      sent += 1;
      await read(Math.max(sent - underWay, 0));
    }
  };
  await Promise.all(Array.from({ length: underWay }, lane));
}

function connectMany(server: TestServer, count: number): Promise<TestClient[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      connectStomp(server, { user: `slow-${index}`, errors: false }),
    ),
  );
}

const seqsOf = (client: TestClient, destination: string): string[] =>
  client.received(destination).map(({ headers }) => headers['seq'] ?? '');
const seqs = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

describe.concurrent('clients that stop reading', () => {
  test.each([
    ['a room, 8 KiB a message', 'room', 8_190, 1_400, {}],
    ['a topic, 60 KB a message', 'topic', 60_000, 200, {}],
    ['a topic with acknowledgements, 60 KB a message', 'topic', 60_000, 200, { ack: 'client', durable: 'd' }],
  ] as const)(
    '[SLOW1] %s: others get everything, memory stays bounded, they are closed with 4008 and resume whole',
    async (_name, kind, bytes, count, headers) => {
      const server = await startServer();
      const { destination, send } = await startTraffic(server, kind, 'x'.repeat(bytes));
      const fast = await connectStomp(server, { user: 'fast' });
      await fast.subscribe(destination);
      // As much as what follows: what any traffic takes is taken before memory is compared.
      await sendAll(count, send, (read) => fast.messages(destination, read));
      await fast.messages(destination, count);
      const slow = await connectMany(server, slowCount);
      for (const client of slow) await client.subscribe(destination, { id: 's', ...headers });
      const beforeBytes = server.memoryBytes();

      for (const client of slow) client.pause();
      await sendAll(count, send, (read) => fast.messages(destination, count + read));
      await fast.messages(destination, 2 * count);
      expect(seqsOf(fast, destination)).toEqual(seqs(1, 2 * count));
      const isTooSlow = ({ reason }: LogLine): boolean => reason === 'too slow a reader, resume';
      await server.logged(() => server.log.filter(isTooSlow).length === slow.length);
      expect(server.memoryBytes() - beforeBytes).toBeLessThan(growthBytesMax);

      for (const client of slow) client.readOn();
      const ends = await Promise.all(slow.map(({ closed }) => closed));
      expect(ends.map(({ code }) => code)).toEqual(slow.map(() => 4008));
      const [one] = slow as [TestClient];
      const seen = seqsOf(one, destination);
      expect(seen).toEqual(seqs(count + 1, count + seen.length));
      const again = await connectStomp(server, { user: 'slow' });
      const epoch = one.received(destination)[0]?.headers['epoch'];
      await again.subscribe(destination, { resume: `${epoch}:${seen.at(-1)}` });
      const [first] = await again.messages(destination, count - seen.length);
      expect(first?.headers['recovered']).toBe('true');
      expect([...seen, ...seqsOf(again, destination)]).toEqual(seqs(count + 1, 2 * count));
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
    timeoutMs,
  );

  test(
    '[SLOW2] those that resume a long way back are given as much as they read, and miss nothing',
    async () => {
      const server = await startServer();
      const count = 200;
      const { destination, send } = await startTraffic(server, 'topic', 'x'.repeat(60_000));
      await sendAll(count, send);
      const probe = await connectStomp(server, { user: 'probe' });
      await probe.subscribe(destination);
      await send();
      const [newest] = await probe.messages(destination, 1);
      const resume = `${newest?.headers['epoch']}:0`;
      // What any replay takes is taken before memory is compared.
      await probe.subscribe(destination, { id: 'whole', resume });
      await probe.messages(destination, count + 2);
      await probe.unsubscribe('whole');
      const slow = await connectMany(server, slowCount);
      const beforeBytes = server.memoryBytes();
      for (const client of slow) {
        client.pause();
        client.sendFrame('SUBSCRIBE', { id: 's', destination, resume });
      }
      // Others are served meanwhile.
      for (let round = 0; round < 20; round += 1) await send();
      await probe.messages(destination, count + 22);
      expect(server.memoryBytes() - beforeBytes).toBeLessThan(growthBytesMax);
      for (const client of slow) client.readOn();
      for (const client of slow) {
        await client.messages(destination, count + 21);
        expect(seqsOf(client, destination)).toEqual(seqs(1, count + 21));
      }
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
    timeoutMs,
  );
});
