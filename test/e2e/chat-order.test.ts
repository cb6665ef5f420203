// One order for all, and nothing is seen or acknowledged before it is in the database.
import { beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { layouts } from '../support/layouts.ts';
import { contentOf, createRoom, range, say, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, isMessageOf, type TestClient } from '../support/stomp.ts';
import { streamKinds } from '../support/streams.ts';

const clientCount = 20;
const messagesEach = 40;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  const connectMany = (): Promise<TestClient[]> =>
    Promise.all(range(1, clientCount).map((number) => connectStomp(server, { user: `user-${number}` })));

  test.each(streamKinds)(
    '[CHAT20] many senders make one order, the same for all subscribers of %s',
    async (_what, make) => {
      const stream = await make(server);
      const { sendTo, destination } = stream;
      const clients = await connectMany();
      await Promise.all(clients.map((client) => client.subscribe(destination)));
      await Promise.all(
        clients.map(async (client, index) => {
          for (const number of range(1, messagesEach))
            await client.send(sendTo, stream.body(`${index} ${number}`));
        }),
      );

      const total = clientCount * messagesEach;
      const [reference = [], ...others] = await Promise.all(
        clients.map((client) => client.messages(destination, total)),
      );
      expect(reference.map(seqOf)).toEqual(range(1, total));
      const texts = reference.map(stream.textOf);
      expect(new Set(texts).size).toBe(total);
      for (const index of clients.keys()) {
        const own = texts.filter((one) => one.startsWith(`${index} `));
        expect(own).toEqual(range(1, messagesEach).map((number) => `${index} ${number}`));
      }
      for (const seen of others) {
        expect(seen.map(seqOf)).toEqual(range(1, total));
        expect(seen.map(stream.textOf)).toEqual(texts);
      }
      await Promise.all(clients.map((client) => client.disconnect()));
      for (const client of clients) expect(client.received(destination)).toHaveLength(total);
    },
  );

  test.each(streamKinds)(
    '[CHAT21] what is acknowledged or seen is in the database by then: %s',
    async (_what, make) => {
      const stream = await make(server);
      const { sendTo, destination } = stream;
      const database = new DatabaseView(server.databaseUrl);
      const early: string[] = [];
      let looked = 0;
      const look = (when: string, text: string): void => {
        looked += 1;
        if (!stream.isStored(database, text)) early.push(`${text} was ${when} and is not in the database`);
      };
      const clients = (await connectMany()).slice(0, 6);
      for (const client of clients) {
        await client.subscribe(destination);
        // Looks while the frame is being received, not when a test comes to it.
        client.socket.on('message', () => {
          const frame = client.frames.at(-1);
          if (frame?.command === 'RECEIPT') look('acknowledged', String(frame.headers['receipt-id']));
          else if (frame && isMessageOf(destination)(frame)) look('seen', stream.textOf(frame));
        });
      }
      await Promise.all(
        clients.map(async (client, index) => {
          for (const number of range(1, 30)) {
            const text = `gate ${index} ${number}`;
            await client.request('SEND', { destination: sendTo, receipt: text }, stream.body(text));
          }
        }),
      );
      await Promise.all(
        clients.map((client) => client.waitForMany(180, (frame) => frame.body.includes('gate '))),
      );
      database.close();
      expect(early).toEqual([]);
      expect(looked).toBe(6 * 30 + 6 * 180);
    },
  );

  test('[CHAT22] one connection sends without waiting, and its messages keep their order', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`);
    await Promise.all(range(1, 500).map((number) => say(alice, roomId, String(number))));
    const messages = await alice.messages(`/topic/room.${roomId}`, 500);
    expect(messages.map(contentOf)).toEqual(range(1, 500).map(String));
    expect(messages.map(seqOf)).toEqual(range(1, 500));
  });
});
