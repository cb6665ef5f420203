// Chat: who has read how far, in receipts and in the database.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { createRoom, say } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, type TestClient } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  const statuses = (roomId: string): unknown[] => database.roomMessages(roomId).map(({ status }) => status);
  const messageIds = (roomId: string): string[] =>
    database.roomMessages(roomId).map(({ message_id: id }) => String(id));
  const positions = (roomId: string): unknown[] =>
    database.rows('SELECT user_id, seq FROM chat_read_positions WHERE room_id = ? ORDER BY user_id', roomId);
  const read = (client: TestClient, roomId: string, lastReadMessageId: unknown): Promise<void> =>
    client.send(`/app/chat.read/${roomId}`, { lastReadMessageId });

  test('[CHAT15] each reader has receipts of their own', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    const watchers = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const watcher of watchers) await watcher.subscribe(`/topic/room.${roomId}.receipts`);
    for (const content of ['one', 'two', 'three']) await say(alice, roomId, content);
    const [first, second] = messageIds(roomId);
    await read(bob, roomId, second);
    await read(alice, roomId, first);

    for (const watcher of watchers) {
      const receipts = await watcher.messages(`/topic/room.${roomId}.receipts`, 2);
      expect(receipts.map(parse)).toEqual([
        { readerId: 'bob', roomId, lastReadMessageId: second, readAt: isoTime },
        { readerId: 'alice', roomId, lastReadMessageId: first, readAt: isoTime },
      ]);
      expect(receipts[0]?.headers).not.toHaveProperty('seq');
    }
    expect(positions(roomId)).toEqual([
      { user_id: 'alice', seq: 1 },
      { user_id: 'bob', seq: 2 },
    ]);
  });

  test('[CHAT16] messages of others up to the read one become READ when the RECEIPT comes', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    await say(alice, roomId, 'one');
    await say(bob, roomId, 'two');
    await say(alice, roomId, 'three');
    await say(alice, roomId, 'four');
    const ids = messageIds(roomId);
    await read(bob, roomId, ids[2]);
    expect(statuses(roomId)).toEqual(['READ', 'SENT', 'READ', 'SENT']);
    expect(database.roomMessages(roomId)[0]).toMatchObject({ updated_at: isoTime });
    expect(database.roomMessages(roomId)[1]).toMatchObject({ updated_at: null });
    await read(alice, roomId, ids[1]);
    expect(statuses(roomId)).toEqual(['READ', 'READ', 'READ', 'SENT']);
    const history = await server.rest('GET', `/api/rooms/${roomId}/messages`, { user: 'bob' });
    expect((history.body as { status: string }[]).map(({ status }) => status)).toEqual([
      'SENT',
      'READ',
      'READ',
      'READ',
    ]);
  });

  test('[CHAT17] how far a user has read never goes back', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    await alice.subscribe(`/topic/room.${roomId}.receipts`);
    for (const content of ['one', 'two', 'three']) await say(alice, roomId, content);
    const [first, second, third] = messageIds(roomId);
    await read(bob, roomId, second);
    await read(bob, roomId, first);
    await read(bob, roomId, second);
    expect(positions(roomId)).toEqual([{ user_id: 'bob', seq: 2 }]);
    await read(bob, roomId, third);
    const receipts = await alice.messages(`/topic/room.${roomId}.receipts`, 2);
    expect(receipts.map((one) => parse(one)['lastReadMessageId'])).toEqual([second, third]);
    expect(positions(roomId)).toEqual([{ user_id: 'bob', seq: 3 }]);
  });

  test('[CHAT18] what can not be read is refused, and no position moves', async () => {
    const roomId = await createRoom(server, 'alice');
    const other = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await say(alice, roomId, 'here');
    await say(alice, other, 'there');
    for (const unknown of [messageIds(other)[0], 'nothing']) {
      const refusal = { code: 'NOT_FOUND', roomId };
      await expect(read(alice, roomId, unknown)).rejects.toMatchObject({ refusal });
    }
    for (const body of [{}, { lastReadMessageId: '' }, { lastReadMessageId: 1 }, 'x', { last: 'x' }]) {
      const refusal = { code: 'BAD_REQUEST', roomId };
      const sent = alice.send(`/app/chat.read/${roomId}`, body);
      await expect(sent).rejects.toMatchObject({ refusal });
    }
    expect(positions(roomId)).toEqual([]);
    expect(statuses(roomId)).toEqual(['SENT']);
  });

  test('[CHAT19] a message is READ exactly when somebody else has read that far, whatever the order', async () => {
    const users = ['alice', 'bob', 'carol'];
    const clients = await Promise.all(users.map((user) => connectStomp(server, { user })));
    const step = fc.record({ who: fc.nat(2), far: fc.nat(11) });
    const script = fc.array(step, { minLength: 12, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        const roomId = await createRoom(server, 'alice');
        const senders: string[] = [];
        const furthest = new Map<string, number>();
        const marked = new Set<number>();
        for (const { who, far } of steps) {
          const user = users[who] ?? '';
          const client = clients[who] as TestClient;
          if (far >= senders.length) {
            await say(client, roomId, 'a');
            senders.push(user);
            continue;
          }
          await read(client, roomId, messageIds(roomId)[far]);
          for (let index = 0; index <= far; index += 1) if (senders[index] !== user) marked.add(index);
          furthest.set(user, Math.max(far + 1, furthest.get(user) ?? 0));
        }
        expect(statuses(roomId)).toEqual(
          senders.map((_sender, index) => (marked.has(index) ? 'READ' : 'SENT')),
        );
        const kept = [...furthest].map(([user, seq]) => ({ user_id: user, seq }));
        expect(positions(roomId)).toEqual(kept.toSorted((one, two) => (one.user_id < two.user_id ? -1 : 1)));
      }),
      { seed: 20_261, numRuns: 12 },
    );
  });
});
