// Rooms over REST: making them, finding them and reading what was said.
import { beforeAll, describe, expect, test } from 'vitest';
import { layouts } from '../support/layouts.ts';
import { createRoom, range, say, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const identifier = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  const seqs = async (roomId: string, query: string): Promise<number[]> => {
    const page = await server.rest('GET', `/api/rooms/${roomId}/messages${query}`, { user: 'alice' });
    expect(page.status).toBe(200);
    return (page.body as { seq: number }[]).map(({ seq }) => seq);
  };

  test('[ROOM1] POST /api/rooms makes a room with its creator as admin', async () => {
    const body = { name: '  Room 1  ', isPrivate: true, colour: 'red' };
    const created = await server.rest('POST', '/api/rooms', { user: 'alice', body });
    expect(created.status).toBe(201);
    expect(created.headers.get('content-type')).toBe('application/json');
    expect(created.body).toEqual({
      roomId: identifier,
      name: 'Room 1',
      createdBy: 'alice',
      isPrivate: true,
      createdAt: isoTime,
    });
    const { roomId } = created.body as { roomId: string };
    const room = await server.rest('GET', `/api/rooms/${roomId}`, { user: 'alice' });
    expect(room).toMatchObject({ status: 200, body: created.body as object });
    const members = await server.rest('GET', `/api/rooms/${roomId}/members`, { user: 'alice' });
    expect(members.body).toEqual([{ roomId, userId: 'alice', role: 'ADMIN', joinedAt: isoTime }]);
    const second = await server.rest('POST', '/api/rooms', { user: 'alice', body: { name: 'Room 1' } });
    expect(second.body).toMatchObject({ isPrivate: false });
    expect((second.body as { roomId: string }).roomId).not.toBe(roomId);
  });

  test.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['no UTF-8', Buffer.from('{"name":"\xff"}', 'latin1')],
    ['a list', []],
    ['lists in lists', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
    ['no name', { isPrivate: true }],
    ['a blank name', { name: '  ' }],
    ['a long name', { name: 'x'.repeat(256) }],
    ['a name that is no text', { name: 7 }],
    ['half a character', '{"name":"\\ud83d"}'],
    ['isPrivate that is no boolean', { name: 'a', isPrivate: 'yes' }],
  ])('[ROOM2] a room of a wrong shape is BAD_REQUEST: %s', async (_what, body) => {
    const answer = await server.rest('POST', '/api/rooms', { user: 'refused', body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(Object.keys(answer.body as object).toSorted()).toEqual(['code', 'message']);
    expect((await server.rest('GET', '/api/rooms', { user: 'refused' })).body).toEqual([]);
  });

  test('[ROOM3] without a good token there is nothing, and a wrong method or path is told', async () => {
    const roomId = await createRoom(server, 'alice');
    const paths = ['/api/rooms', `/api/rooms/${roomId}`, `/api/rooms/${roomId}/messages`];
    for (const path of paths) {
      expect(await server.rest('GET', path)).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
      const forged = await server.rest('GET', path, { headers: { authorization: 'Bearer a.b.c' } });
      expect(forged).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    }
    const put = await server.rest('PUT', `/api/rooms/${roomId}`, { user: 'alice' });
    expect(put).toMatchObject({ status: 405, body: { code: 'BAD_REQUEST' } });
    expect(put.headers.get('allow')).toBe('GET');
    const nowhere = await server.rest('GET', '/api/chambers', { user: 'alice' });
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  test('[ROOM4] a body over 1 MiB is TOO_LARGE, one below it is looked at', async () => {
    const name = 'x'.repeat(1024 * 1024);
    const large = await server.rest('POST', '/api/rooms', { user: 'alice', body: { name } });
    expect(large).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    const body = `${JSON.stringify({ name: 'padded' })}${' '.repeat(1024 * 1024 - 17)}`;
    expect(body).toHaveLength(1024 * 1024);
    const padded = await server.rest('POST', '/api/rooms', { user: 'alice', body });
    expect(padded).toMatchObject({ status: 201, body: { name: 'padded' } });
  });

  test('[ROOM5] GET /api/rooms lists the rooms that the user is a member of, and no others', async () => {
    const first = await createRoom(server, 'dora', { isPrivate: true, members: ['erik'] });
    const second = await createRoom(server, 'erik', { members: ['dora'] });
    await createRoom(server, 'erik');
    const rooms = async (user: string): Promise<unknown[]> => {
      const { body } = await server.rest('GET', '/api/rooms', { user });
      return (body as { roomId: string; role: string }[]).map(({ roomId, role }) => [roomId, role]);
    };
    expect(await rooms('dora')).toEqual([
      [first, 'ADMIN'],
      [second, 'MEMBER'],
    ]);
    expect(await rooms('erik')).toHaveLength(3);
    expect(await rooms('nobody')).toEqual([]);
    await server.rest('DELETE', `/api/rooms/${second}/members/dora`, { user: 'dora' });
    expect(await rooms('dora')).toEqual([[first, 'ADMIN']]);
  });

  test('[ROOM6] a room can be looked at by its members, a public one by all', async () => {
    const open = await createRoom(server, 'alice');
    const closed = await createRoom(server, 'alice', { isPrivate: true });
    for (const path of ['', '/messages', '/members']) {
      const seen = await server.rest('GET', `/api/rooms/${open}${path}`, { user: 'bob' });
      expect(seen.status).toBe(200);
      const hidden = await server.rest('GET', `/api/rooms/${closed}${path}`, { user: 'bob' });
      expect(hidden).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', roomId: closed } });
      const unknown = await server.rest('GET', `/api/rooms/nowhere${path}`, { user: 'bob' });
      expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', roomId: 'nowhere' } });
    }
  });

  test('[ROOM7] messages come newest first, in pages that `before` and `limit` choose', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const bodies = range(1, 60).map((number) => JSON.stringify({ content: `number ${number}` }));
    await sendMany(alice, `/app/chat.send/${roomId}`, bodies);

    expect(await seqs(roomId, '')).toEqual(range(11, 60).toReversed());
    expect(await seqs(roomId, '?before=11')).toEqual(range(1, 10).toReversed());
    expect(await seqs(roomId, '?limit=3')).toEqual([60, 59, 58]);
    expect(await seqs(roomId, '?before=30&limit=2')).toEqual([29, 28]);
    expect(await seqs(roomId, '?before=1')).toEqual([]);
    expect(await seqs(roomId, '?before=9007199254740991&limit=1000')).toHaveLength(60);
    const page = await server.rest('GET', `/api/rooms/${roomId}/messages?limit=1`, { user: 'bob' });
    expect(page.body).toEqual([
      {
        messageId: identifier,
        roomId,
        senderId: 'alice',
        content: 'number 60',
        messageType: 'TEXT',
        status: 'SENT',
        createdAt: isoTime,
        seq: 60,
      },
    ]);
    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=-1',
      'limit=x',
      'limit=1.5',
      'before=0',
      'before=',
    ]) {
      const wrong = await server.rest('GET', `/api/rooms/${roomId}/messages?${query}`, { user: 'alice' });
      expect(wrong).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', roomId } });
    }
  });

  test('[ROOM8] a room outlives the server, with its members and messages', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true, members: ['bob'] });
    const bob = await connectStomp(server, { user: 'bob' });
    await say(bob, roomId, 'one');
    const paths = ['', '/messages', '/members'].map((path) => `/api/rooms/${roomId}${path}`);
    const read = (): Promise<unknown[]> =>
      Promise.all(paths.map(async (path) => (await server.rest('GET', path, { user: 'bob' })).body));
    const before = await read();
    await server.stop();
    server = await server.restart();
    expect(await read()).toEqual(before);
    const again = await connectStomp(server, { user: 'bob' });
    await again.subscribe(`/topic/room.${roomId}`);
    await say(again, roomId, 'two');
    const [message] = await again.messages(`/topic/room.${roomId}`, 1);
    expect(message?.headers).toMatchObject({ seq: '2' });
  });
});
