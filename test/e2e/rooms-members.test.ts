// Members of rooms over REST: who may add and remove whom, and who is told.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { layouts } from '../support/layouts.ts';
import { createRoom, say } from '../support/rooms.ts';
import { startServer, type RestAnswer, type TestServer } from '../support/server.ts';
import { connectStomp, parse } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  const add = (user: string, roomId: string, body: unknown): Promise<RestAnswer> =>
    server.rest('POST', `/api/rooms/${roomId}/members`, { user, body });
  const remove = (user: string, roomId: string, member: string): Promise<RestAnswer> =>
    server.rest('DELETE', `/api/rooms/${roomId}/members/${encodeURIComponent(member)}`, { user });
  const members = (roomId: string): unknown[] =>
    database.rows('SELECT user_id FROM chat_room_members WHERE room_id = ? ORDER BY id', roomId);

  test('[ROOM9] admins add members, with a role, and the room is told', async () => {
    const roomId = await createRoom(server, 'alice');
    const watcher = await connectStomp(server, { user: 'alice' });
    await watcher.subscribe(`/topic/room.${roomId}.events`);
    const bob = await add('alice', roomId, { userId: 'bob' });
    expect(bob).toMatchObject({ status: 201 });
    expect(bob.body).toEqual({ roomId, userId: 'bob', role: 'MEMBER', joinedAt: isoTime });
    const carol = await add('alice', roomId, { userId: 'carol', role: 'ADMIN' });
    expect(carol).toMatchObject({ status: 201, body: { userId: 'carol', role: 'ADMIN' } });
    expect(await add('carol', roomId, { userId: 'dave' })).toMatchObject({ status: 201 });

    const events = await watcher.messages(`/topic/room.${roomId}.events`, 3);
    expect(events.map(parse)).toEqual(
      ['bob', 'carol', 'dave'].map((userId) => ({ type: 'USER_JOINED', roomId, userId, timestamp: isoTime })),
    );
    expect(members(roomId)).toEqual(['alice', 'bob', 'carol', 'dave'].map((user) => ({ user_id: user })));
  });

  test('[ROOM10] a member twice is CONFLICT, and a wrong body BAD_REQUEST', async () => {
    const roomId = await createRoom(server, 'alice', { members: ['bob'] });
    for (const userId of ['alice', 'bob']) {
      const again = await add('alice', roomId, { userId, role: 'ADMIN' });
      expect(again).toMatchObject({ status: 409, body: { code: 'CONFLICT', roomId } });
    }
    const bodies = [
      {},
      { userId: '' },
      { userId: 'x'.repeat(37) },
      { userId: 7 },
      { userId: 'carol', role: 'KING' },
      '{"userId":"\\ud83d"}',
      '{"userId":"a\\u0000b"}',
      'x',
    ];
    for (const body of bodies) {
      const wrong = await add('alice', roomId, body);
      expect(wrong).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', roomId } });
    }
    const both = await Promise.all([1, 2, 3].map(() => add('alice', roomId, { userId: 'carol' })));
    expect(both.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409', '409']);
    expect(members(roomId)).toHaveLength(3);
    const role = database.rows(
      "SELECT role FROM chat_room_members WHERE room_id = ? AND user_id = 'bob'",
      roomId,
    );
    expect(role).toEqual([{ role: 'MEMBER' }]);
  });

  test('[ROOM11] who is no admin adds and removes nobody', async () => {
    const roomId = await createRoom(server, 'alice', { members: ['bob'] });
    for (const user of ['bob', 'stranger']) {
      const refused = { status: 403, body: { code: 'FORBIDDEN', roomId } };
      expect(await add(user, roomId, { userId: 'carol' })).toMatchObject(refused);
      expect(await add(user, roomId, { userId: user })).toMatchObject(refused);
      expect(await remove(user, roomId, 'alice')).toMatchObject(refused);
    }
    expect(members(roomId)).toEqual([{ user_id: 'alice' }, { user_id: 'bob' }]);
    const nowhere = { status: 404, body: { code: 'NOT_FOUND', roomId: 'nowhere' } };
    expect(await add('alice', 'nowhere', { userId: 'bob' })).toMatchObject(nowhere);
    expect(await remove('alice', 'nowhere', 'bob')).toMatchObject(nowhere);
    expect(await remove('alice', 'nowhere', 'alice')).toMatchObject(nowhere);
  });

  test('[ROOM12] admins remove members, members leave, and the room is told', async () => {
    const roomId = await createRoom(server, 'alice', { members: ['bob', 'carol'] });
    const watcher = await connectStomp(server, { user: 'alice' });
    await watcher.subscribe(`/topic/room.${roomId}.events`);
    const removed = await remove('alice', roomId, 'bob');
    expect([removed.status, removed.body]).toEqual([204, null]);
    const left = await remove('carol', roomId, 'carol');
    expect([left.status, left.body]).toEqual([204, null]);
    for (const [user, member] of [
      ['alice', 'bob'],
      ['alice', 'nobody'],
      ['carol', 'carol'],
    ] as const) {
      const unknown = await remove(user, roomId, member);
      expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', roomId } });
    }
    const events = await watcher.messages(`/topic/room.${roomId}.events`, 2);
    expect(events.map(parse)).toEqual(
      ['bob', 'carol'].map((userId) => ({ type: 'USER_LEFT', roomId, userId, timestamp: isoTime })),
    );
    expect(members(roomId)).toEqual([{ user_id: 'alice' }]);
  });

  test.each(['a/b', 'ünï 👍', 'a%2Fb', '100%', 'a?b#c', "o'hara"])(
    '[ROOM13] a user of any name can be a member: %s',
    async (user) => {
      const roomId = await createRoom(server, 'alice', { isPrivate: true, members: [user] });
      const client = await connectStomp(server, { user });
      await client.subscribe(`/topic/room.${roomId}`);
      await say(client, roomId, 'hello');
      const [message] = await client.messages(`/topic/room.${roomId}`, 1);
      expect(message && parse(message)).toMatchObject({ senderId: user, seq: 1 });
      const rooms = await server.rest('GET', '/api/rooms', { user });
      expect(rooms.body).toMatchObject([{ roomId, role: 'MEMBER' }]);
      expect(await remove(user, roomId, user)).toMatchObject({ status: 204 });
      expect(members(roomId)).toEqual([{ user_id: 'alice' }]);
    },
  );
});
