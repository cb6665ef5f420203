// Chat: who may do what in private, public and unknown rooms.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { contentOf, createRoom, say, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, type TestClient } from '../support/stomp.ts';

const streamsOf = (roomId: string): string[] =>
  ['', '.events', '.receipts'].map((part) => `/topic/room.${roomId}${part}`);

async function memberIds(server: TestServer, roomId: string): Promise<unknown[]> {
  const members = await server.rest('GET', `/api/rooms/${roomId}/members`, { user: 'alice' });
  return (members.body as { userId: unknown }[]).map(({ userId }) => userId);
}

/** Every way to ask something of a room by frames: each is refused with this code. */
async function expectRefused(client: TestClient, roomId: string, code: string): Promise<void> {
  const refusal = { refusal: { code, roomId } };
  for (const destination of streamsOf(roomId)) {
    await expect(client.subscribe(destination)).rejects.toMatchObject({
      refusal: { ...refusal.refusal, destination },
    });
  }
  await expect(say(client, roomId, 'a')).rejects.toMatchObject(refusal);
  const read = client.send(`/app/chat.read/${roomId}`, { lastReadMessageId: 'a' });
  await expect(read).rejects.toMatchObject(refusal);
  const typing = client.send(`/app/chat.typing/${roomId}`, { typing: true });
  await expect(typing).rejects.toMatchObject(refusal);
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  test('[CHAT8] a private room is closed to those who are no members', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true });
    const alice = await connectStomp(server, { user: 'alice' });
    for (const stream of streamsOf(roomId)) await alice.subscribe(stream);
    await say(alice, roomId, 'secret');
    const bob = await connectStomp(server, { user: 'bob' });
    await expectRefused(bob, roomId, 'FORBIDDEN');
    for (const path of ['', '/messages', '/members']) {
      const answer = await server.rest('GET', `/api/rooms/${roomId}${path}`, { user: 'bob' });
      expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', roomId } });
    }

    await say(alice, roomId, 'after');
    const seen = await alice.messages(`/topic/room.${roomId}`, 2);
    expect(seen.map(contentOf)).toEqual(['secret', 'after']);
    expect(alice.received(`/topic/room.${roomId}.events`)).toEqual([]);
    expect(alice.received(`/topic/room.${roomId}.receipts`)).toEqual([]);
    expect(bob.frames.filter(({ body }) => body.includes('secret'))).toEqual([]);
    expect(await memberIds(server, roomId)).toEqual(['alice']);
  });

  test('[CHAT9] a member of a private room does all of it', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true, members: ['bob'] });
    const bob = await connectStomp(server, { user: 'bob' });
    for (const stream of streamsOf(roomId)) await bob.subscribe(stream);
    await say(bob, roomId, 'mine');
    await bob.send(`/app/chat.typing/${roomId}`, { typing: true });
    const [message] = await bob.messages(`/topic/room.${roomId}`, 1);
    await bob.send(`/app/chat.read/${roomId}`, {
      lastReadMessageId: message && parse(message)['messageId'],
    });
    const [event] = await bob.messages(`/topic/room.${roomId}.events`, 1);
    expect(event && parse(event)).toMatchObject({ type: 'TYPING', userId: 'bob' });
    const [receipt] = await bob.messages(`/topic/room.${roomId}.receipts`, 1);
    expect(receipt && parse(receipt)).toMatchObject({ readerId: 'bob' });
  });

  test('[CHAT10] an unknown room is NOT_FOUND', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await expectRefused(alice, 'nowhere', 'NOT_FOUND');
    await expectRefused(alice, "no room' OR '1", 'NOT_FOUND');
    expect(database.rows('SELECT * FROM chat_rooms WHERE room_id = ?', 'nowhere')).toEqual([]);
  });

  test('[CHAT11] the first message in a public room makes a member, once', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}.events`);
    const sessions = await connectOnEveryEdge(server, layout, { user: 'bob' });
    for (const session of sessions) for (const stream of streamsOf(roomId)) await session.subscribe(stream);
    await sessions[0]?.send(`/app/chat.typing/${roomId}`, { typing: true });
    expect(await memberIds(server, roomId)).toEqual(['alice']);

    await Promise.all(
      sessions.flatMap((session) => ['a', 'b', 'c'].map((content) => say(session, roomId, content))),
    );
    await alice.send(`/app/chat.typing/${roomId}`, { typing: true });
    const events = await alice.messages(`/topic/room.${roomId}.events`, 3);
    expect(events.map((event) => parse(event))).toMatchObject([
      { type: 'TYPING', userId: 'bob' },
      { type: 'USER_JOINED', roomId, userId: 'bob' },
      { type: 'TYPING', userId: 'alice' },
    ]);
    expect(Object.keys(parse(events[1]!)).toSorted()).toEqual(['roomId', 'timestamp', 'type', 'userId']);
    expect(await memberIds(server, roomId)).toEqual(['alice', 'bob']);
    const rows = database.rows(
      'SELECT user_id, role FROM chat_room_members WHERE room_id = ? ORDER BY id',
      roomId,
    );
    expect(rows).toEqual([
      { user_id: 'alice', role: 'ADMIN' },
      { user_id: 'bob', role: 'MEMBER' },
    ]);
  });

  test('[CHAT12] a member that is taken out of a private room hears no more of it, on any session', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true, members: ['bob', 'carol'] });
    const carol = await connectStomp(server, { user: 'carol' });
    for (const stream of streamsOf(roomId)) await carol.subscribe(stream);
    const sessions = await connectOnEveryEdge(server, layout, { user: 'bob' });
    for (const session of sessions) for (const stream of streamsOf(roomId)) await session.subscribe(stream);
    await say(carol, roomId, 'for all');
    for (const session of sessions) await session.messages(`/topic/room.${roomId}`, 1);

    const path = `/api/rooms/${roomId}/members/bob`;
    expect((await server.rest('DELETE', path, { user: 'alice' })).status).toBe(204);
    for (const session of sessions) {
      const ends = await session.waitForMany(
        3,
        ({ headers, body }) => headers['destination'] === '/user/queue/errors' && body.includes('FORBIDDEN'),
      );
      expect(ends.map((end) => String(parse(end)['destination'])).toSorted()).toEqual(
        streamsOf(roomId).toSorted(),
      );
    }
    await say(carol, roomId, 'secret');
    await carol.send(`/app/chat.typing/${roomId}`, { typing: true });
    const seen = await carol.messages(`/topic/room.${roomId}`, 2);
    await carol.send(`/app/chat.read/${roomId}`, { lastReadMessageId: parse(seen[1]!)['messageId'] });
    await carol.messages(`/topic/room.${roomId}.receipts`, 1);
    for (const session of sessions) {
      await expectRefused(session, roomId, 'FORBIDDEN');
      expect(session.received(`/topic/room.${roomId}`).map(contentOf)).toEqual(['for all']);
      expect(session.received(`/topic/room.${roomId}.receipts`)).toEqual([]);
      const events = session.received(`/topic/room.${roomId}.events`).map((event) => parse(event)['type']);
      expect(events).toEqual(['USER_LEFT']);
      // The ids of ended subscriptions are free again.
      await session.subscribe('/topic/free', { id: 'sub-1' });
    }
  });

  test('[CHAT23] a member that is taken out while it catches up gets no more of what it missed', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true, members: ['bob'] });
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`, { resume: 'x' });
    const [start] = await alice.messages(`/topic/room.${roomId}`, 1);
    const total = 3_000;
    const body = JSON.stringify({ content: 'x'.repeat(6_000) });
    await sendMany(alice, `/app/chat.send/${roomId}`, Array(total).fill(body));
    const bob = await connectStomp(server, { user: 'bob' });
    const resume = `${start?.headers['epoch']}:0`;
    bob.sendFrame('SUBSCRIBE', { destination: `/topic/room.${roomId}`, id: 'a', receipt: 'live', resume });
    // More than the system holds for a reader that does not read.
    bob.pause();
    const removed = await server.rest('DELETE', `/api/rooms/${roomId}/members/bob`, { user: 'alice' });
    expect(removed.status).toBe(204);
    bob.readOn();
    const refusal = await bob.refusal('FORBIDDEN');
    expect(refusal).toMatchObject({ roomId, receipt: 'live' });
    await say(alice, roomId, 'secret');
    await bob.send('/topic/after-all', 'a');
    expect(bob.received(`/topic/room.${roomId}`).length).toBeLessThan(total);
    expect(bob.frames.filter((frame) => frame.body.includes('secret'))).toEqual([]);
  });

  test('[CHAT13] whoever leaves a public room goes on reading, and joins again with the next message', async () => {
    const roomId = await createRoom(server, 'alice');
    const bob = await connectStomp(server, { user: 'bob' });
    for (const stream of streamsOf(roomId)) await bob.subscribe(stream);
    await say(bob, roomId, 'one');
    const left = await server.rest('DELETE', `/api/rooms/${roomId}/members/bob`, { user: 'bob' });
    expect(left.status).toBe(204);
    expect(await memberIds(server, roomId)).toEqual(['alice']);
    await say(bob, roomId, 'two');
    const messages = await bob.messages(`/topic/room.${roomId}`, 2);
    expect(messages.map(contentOf)).toEqual(['one', 'two']);
    const events = await bob.messages(`/topic/room.${roomId}.events`, 3);
    expect(events.map((event) => parse(event)['type'])).toEqual(['USER_JOINED', 'USER_LEFT', 'USER_JOINED']);
  });

  test('[CHAT14] nobody but the server writes to the topics of a room', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    for (const stream of streamsOf(roomId)) await alice.subscribe(stream);
    for (const destination of [...streamsOf(roomId), '/topic/room.nowhere', `/topic/room.${roomId}/x`]) {
      await expect(alice.send(destination, { content: 'forged' })).rejects.toMatchObject({
        refusal: { code: 'FORBIDDEN', destination },
      });
    }
    await say(alice, roomId, 'real');
    await alice.send(`/app/chat.typing/${roomId}`, { typing: true });
    await alice.messages(`/topic/room.${roomId}.events`, 1);
    expect(alice.received(`/topic/room.${roomId}`).map(contentOf)).toEqual(['real']);
    expect(alice.received(`/topic/room.${roomId}.events`)).toHaveLength(1);
    expect(alice.received(`/topic/room.${roomId}.receipts`)).toEqual([]);
  });
});
