// A SEND with an idempotency key is applied once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { contentOf, createRoom, range, say, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  const contents = (roomId: string): string[] =>
    database.roomMessages(roomId).map(({ content }) => String(content));

  test('[ONCE1] a repeat with the same idempotency-key gets the RECEIPT and changes nothing', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`);
    const headers = { 'idempotency-key': 'key:1\n' };
    for (const content of ['first', 'other', 'first']) {
      await alice.send(`/app/chat.send/${roomId}`, { content }, headers);
    }
    await say(alice, roomId, 'last');
    const messages = await alice.messages(`/topic/room.${roomId}`, 2);
    expect(messages.map(contentOf)).toEqual(['first', 'last']);
    expect(contents(roomId)).toEqual(['first', 'last']);
    expect(messages[0]?.headers).not.toHaveProperty('idempotency-key');
  });

  test('[ONCE2] clientMessageId is such a key; where both are given the header counts', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const to = `/app/chat.send/${roomId}`;
    await alice.send(to, { content: 'one', clientMessageId: 'a' });
    await alice.send(to, { content: 'two', clientMessageId: 'a' });
    await alice.send(to, { content: 'three', clientMessageId: 'a' }, { 'idempotency-key': 'b' });
    await alice.send(to, { content: 'four', clientMessageId: 'c' }, { 'idempotency-key': 'b' });
    await alice.send(to, { content: 'five', clientMessageId: 'b' });
    await alice.send(to, { content: 'six', clientMessageId: 'c' });
    expect(contents(roomId)).toEqual(['one', 'three', 'six']);
  });

  test('[ONCE3] repeats at the same time, from all sessions of the user, are one message', async () => {
    const roomId = await createRoom(server, 'alice');
    const sessions = await connectOnEveryEdge(server, layout, { user: 'alice' });
    const keys = range(1, 30).map((number) => `key ${number}`);
    await Promise.all(
      [...sessions, ...sessions, ...sessions].flatMap((session) =>
        keys.map((key) => session.send(`/app/chat.send/${roomId}`, { content: key, clientMessageId: key })),
      ),
    );
    expect(contents(roomId).toSorted()).toEqual(keys.toSorted());
  });

  test('[ONCE4] keys are per user and destination', async () => {
    const rooms = [await createRoom(server, 'alice'), await createRoom(server, 'alice')];
    const alice = await connectStomp(server, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    const destinations = [
      ...rooms.map((roomId) => `/app/chat.send/${roomId}`),
      '/topic/once.a',
      '/topic/once.b',
      '/user/alice/queue/once.a',
      '/user/alice/queue/once.b',
      '/user/bob/queue/once.a',
    ];
    const received = ['/topic/once.a', '/topic/once.b', '/user/queue/once.a', '/user/queue/once.b'];
    for (const destination of received) await alice.subscribe(destination);
    await bob.subscribe('/user/queue/once.a');
    for (const client of [alice, bob, alice, bob]) {
      for (const destination of destinations) {
        await client.send(destination, { content: 'a' }, { 'idempotency-key': 'same' });
      }
    }
    for (const destination of received) await alice.send(destination.replace('/user', '/user/alice'), 'end');
    await alice.send('/user/bob/queue/once.a', 'end');

    for (const roomId of rooms) expect(contents(roomId)).toEqual(['a', 'a']);
    for (const destination of received) {
      await alice.waitFor((frame) => frame.body === 'end' && frame.headers['destination'] === destination);
      expect(alice.received(destination), destination).toHaveLength(3);
    }
    await bob.waitFor((frame) => frame.body === 'end');
    expect(bob.received('/user/queue/once.a')).toHaveLength(3);
  });

  test('[ONCE5] a refused SEND leaves its key free', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true });
    const bob = await connectStomp(server, { user: 'bob' });
    const send = (content: string): Promise<void> =>
      bob.send(`/app/chat.send/${roomId}`, { content, clientMessageId: 'k' });
    await expect(send('one')).rejects.toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    const body = { userId: 'bob' };
    await server.rest('POST', `/api/rooms/${roomId}/members`, { user: 'alice', body });
    await expect(send('')).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
    await send('two');
    await send('three');
    expect(contents(roomId)).toEqual(['two']);
  });

  test.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
  ])('[ONCE6] a key that can not be kept is BAD_REQUEST: %s', async (_what, key) => {
    const alice = await connectStomp(server, { user: 'alice' });
    const headers = { 'idempotency-key': key };
    const refusal = { code: 'BAD_REQUEST', destination: '/topic/once.c' };
    await expect(alice.send('/topic/once.c', 'a', headers)).rejects.toMatchObject({ refusal });
    await alice.send('/topic/once.c', 'a', { 'idempotency-key': 'x'.repeat(255) });
    expect(database.topicMessages('once.c').length).toBeGreaterThan(0);
  });

  test('[ONCE7] keys outlive the server', async () => {
    const roomId = await createRoom(server, 'alice');
    const before = await connectStomp(server, { user: 'alice' });
    const headers = { 'idempotency-key': 'kept' };
    await before.send(`/app/chat.send/${roomId}`, { content: 'one' }, headers);
    await before.send('/topic/once.d', 'one', headers);
    await server.kill();
    server = await server.restart();
    const after = await connectStomp(server, { user: 'alice' });
    await after.send(`/app/chat.send/${roomId}`, { content: 'two' }, headers);
    await after.send('/topic/once.d', 'two', headers);
    await after.send(`/app/chat.send/${roomId}`, { content: 'three' }, { 'idempotency-key': 'new' });
    expect(contents(roomId)).toEqual(['one', 'three']);
    expect(database.topicMessages('once.d')).toHaveLength(1);
  });

  test('[ONCE8] a room knows more keys than it holds in memory', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const count = 4_200;
    const bodies = range(1, count).map((number) =>
      JSON.stringify({ content: 'a', clientMessageId: `key ${number}` }),
    );
    await sendMany(alice, `/app/chat.send/${roomId}`, bodies);
    expect(contents(roomId)).toHaveLength(count);
    const repeats = [...bodies.slice(0, 50), ...bodies.slice(-50)];
    await sendMany(alice, `/app/chat.send/${roomId}`, repeats);
    await alice.send(`/app/chat.send/${roomId}`, { content: 'b', clientMessageId: 'new' });
    expect(contents(roomId)).toHaveLength(count + 1);
    await server.stop();
    server = await server.restart();
    const again = await connectStomp(server, { user: 'alice' });
    await sendMany(again, `/app/chat.send/${roomId}`, repeats);
    expect(contents(roomId)).toHaveLength(count + 1);
  });
});
