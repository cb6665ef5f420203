// Resume over big gaps, while others go on sending: no message is missing at the seam, and none comes twice.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { layouts } from '../support/layouts.ts';
import { range, sendMany, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, isMessageOf, type TestClient } from '../support/stomp.ts';
import { streamKinds, topicStream, type TestStream } from '../support/streams.ts';

const gap = 5_000;

/** Sends without a pause until it is told to stop. */
class Traffic {
  sent = 0;
  readonly #stream: TestStream;
  readonly #padding: string;
  readonly #clients: readonly TestClient[];
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(stream: TestStream, clients: readonly TestClient[], padding = '') {
    this.#stream = stream;
    this.#padding = padding;
    this.#clients = clients;
    this.#loops = clients.map((client) => this.#loop(client));
  }

  /** Resolves when so many more messages are durable. */
  async more(count: number): Promise<void> {
    const enough = this.sent + count;
    const [client] = this.#clients;
    while (this.sent < enough) await client?.waitFor(() => this.sent >= enough, 'more traffic');
  }

  /** @returns how many were sent. */
  async stop(): Promise<number> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    return this.sent;
  }

  async #loop(client: TestClient): Promise<void> {
    while (!this.#stopped) {
      const bodies = range(1, 10).map((number) => this.#stream.body(`live ${number}${this.#padding}`));
      await sendMany(client, this.#stream.sendTo, bodies);
      this.sent += bodies.length;
    }
  }
}

/** Fills a stream and returns its epoch. */
async function fill(client: TestClient, stream: TestStream, count: number, padding = ''): Promise<string> {
  await client.subscribe(stream.destination, { id: 'filling', resume: 'x' });
  const [lost] = await client.messages(stream.destination, 1);
  await client.unsubscribe('filling');
  const bodies = range(1, count).map((number) => stream.body(`${number}${padding}`));
  await sendMany(client, stream.sendTo, bodies);
  return String(lost?.headers['epoch']);
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  test.each(streamKinds)(
    '[RESUME10] 5,000 missed messages come whole and in order while others send: %s',
    async (_what, make) => {
      const stream = await make(server);
      const senders = await Promise.all(range(1, 3).map(() => connectStomp(server, { user: 'alice' })));
      const epoch = await fill(senders[0] as TestClient, stream, gap);
      const traffic = new Traffic(stream, senders);
      const client = await connectStomp(server, { user: 'bob' });
      await client.subscribe(stream.destination, { resume: `${epoch}:0` });
      const atReceipt = client.received(stream.destination).length;
      expect(atReceipt).toBeGreaterThanOrEqual(gap);
      await traffic.more(300);
      const total = gap + (await traffic.stop());
      const messages = await client.messages(stream.destination, total);
      expect(messages.map(seqOf)).toEqual(range(1, total));
      expect(messages.slice(0, gap).map(stream.textOf)).toEqual(range(1, gap).map(String));
      expect(messages.filter(({ headers }) => headers['recovered'] !== undefined)).toHaveLength(1);
      await client.send('/topic/gap-end', 'end');
      expect(client.received(stream.destination)).toHaveLength(total);
    },
  );

  test.each(streamKinds)(
    '[RESUME11] a slow reader gets all it missed as well, and what came meanwhile: %s',
    async (_what, make) => {
      const stream = await make(server);
      const padding = ` ${'x'.repeat(3_000)}`;
      const senders = await Promise.all(range(1, 2).map(() => connectStomp(server, { user: 'alice' })));
      const epoch = await fill(senders[0] as TestClient, stream, gap, padding);
      const client = await connectStomp(server, { user: 'bob' });
      const traffic = new Traffic(stream, senders);
      // From the start, as the system gives a reader more room the more it reads.
      client.sendFrame('SUBSCRIBE', { destination: stream.destination, id: 'slow', resume: `${epoch}:0` });
      client.pause();
      await traffic.more(400);
      client.readOn();
      await client.messages(stream.destination, 500);
      client.pause();
      await traffic.more(200);
      client.readOn();
      await traffic.more(100);
      const total = gap + (await traffic.stop());
      const messages = await client.messages(stream.destination, total);
      expect(messages.map(seqOf)).toEqual(range(1, total));
      expect(messages.slice(0, gap).map(stream.textOf)).toEqual(
        range(1, gap).map((number) => `${number}${padding}`),
      );
    },
  );

  test.each(streamKinds)(
    '[RESUME13] from its RECEIPT on a subscription misses nothing, whenever it comes: %s',
    async (_what, make) => {
      const stream = await make(server);
      const senders = await Promise.all(range(1, 3).map(() => connectStomp(server, { user: 'alice' })));
      const traffic = new Traffic(stream, senders);
      const clients: TestClient[] = [];
      for (const number of range(1, 12)) {
        const client = await connectStomp(server, { user: `user-${number}` });
        await client.subscribe(stream.destination);
        clients.push(client);
        await traffic.more(20);
      }
      const total = await traffic.stop();
      for (const client of clients) {
        await client.waitFor(({ headers }) => headers['seq'] === String(total));
        const seqs = client.received(stream.destination).map(seqOf);
        expect(seqs).toEqual(range(seqs[0] ?? 0, total));
      }
    },
  );

  test('[RESUME12] whoever comes back, from wherever and however often, misses nothing and sees nothing twice', async () => {
    const stream = await topicStream();
    const senders = await Promise.all(range(1, 2).map(() => connectStomp(server, { user: 'alice' })));
    const epoch = await fill(senders[0] as TestClient, stream, 600);
    const traffic = new Traffic(stream, senders);
    const visits = fc.array(fc.record({ stay: fc.integer({ min: 1, max: 250 }), cut: fc.boolean() }), {
      minLength: 3,
      maxLength: 6,
    });
    const clients = fc.array(visits, { minLength: 4, maxLength: 4 });
    const readOnce = async (stays: { stay: number; cut: boolean }[]): Promise<void> => {
      let seen = 0;
      for (const { stay, cut } of stays) {
        const client = await connectStomp(server, { user: 'bob' });
        client.sendFrame('SUBSCRIBE', {
          destination: stream.destination,
          id: 'a',
          resume: `${epoch}:${seen}`,
        });
        await client.messages(stream.destination, stay);
        // A client may be gone in the middle of what it missed, or leave in good order.
        if (cut) client.cut();
        else await client.unsubscribe('a');
        const messages = client.frames.filter(isMessageOf(stream.destination));
        expect(messages.map(seqOf)).toEqual(range(seen + 1, seen + messages.length));
        expect(messages[0]?.headers['recovered']).toBe('true');
        seen += messages.length;
        if (!cut) client.cut();
      }
    };
    await fc.assert(
      fc.asyncProperty(clients, async (all) => {
        await Promise.all(all.map(readOnce));
      }),
      { seed: 7_012_026, numRuns: 4 },
    );
    await traffic.stop();
  });
});
