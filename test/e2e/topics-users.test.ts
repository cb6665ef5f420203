// User queues: what is sent to a user reaches all of the user's sessions and nobody else.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const owned = ['errors', 'notifications', 'notification.read', 'order.status', 'portfolio', 'replay'];

/** How a user's name is written in the destination of a SEND. */
const segmentOf = (user: string): string => user.replaceAll('%', '%25').replaceAll('/', '%2F');

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  test('[TOPIC18] a message to a user reaches all sessions of that user, as /user/queue/…', async () => {
    const sessions = await connectOnEveryEdge(server, layout, { user: 'bob' });
    const stranger = await connectStomp(server, { user: 'bobby' });
    for (const client of [...sessions, stranger]) await client.subscribe('/user/queue/x/y');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/user/queue/x/y');
    await alice.send('/user/bob/queue/x/y', Buffer.from([0xff, 0]), { 'content-type': 'a/b', seq: '7' });
    await alice.send('/user/bobby/queue/x/y', 'end');
    await alice.send('/user/alice/queue/x/y', 'end');
    for (const session of sessions) {
      const [message] = await session.messages('/user/queue/x/y', 1);
      expect([...(message?.bytes ?? [])]).toEqual([0xff, 0]);
      expect(message?.isBinary).toBe(true);
      expect(message?.headers).toEqual({
        subscription: expect.any(String),
        destination: '/user/queue/x/y',
        'message-id': expect.any(String),
        'content-type': 'a/b',
        'content-length': '2',
      });
    }
    for (const client of [stranger, alice]) {
      const [message] = await client.messages('/user/queue/x/y', 1);
      expect(message?.body).toBe('end');
    }
  });

  test('[TOPIC19] queues have one order, and a user without a session misses what is sent', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.send('/user/carol/queue/x', 'missed');
    const sessions = await connectOnEveryEdge(server, layout, { user: 'carol' });
    for (const session of sessions) await session.subscribe('/user/queue/x');
    await Promise.all(range(1, 100).map((number) => alice.send('/user/carol/queue/x', String(number))));
    for (const session of sessions) {
      const messages = await session.messages('/user/queue/x', 100);
      expect(messages.map(({ body }) => body)).toEqual(range(1, 100).map(String));
      expect(new Set(messages.map(({ headers }) => headers['message-id'])).size).toBe(100);
    }
  });

  test.each(owned)('[TOPIC20] only the server writes to the queue %s of a user', async (queue) => {
    const alice = await connectStomp(server, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    await bob.subscribe('/user/queue/end');
    for (const user of ['bob', 'alice']) {
      const destination = `/user/${user}/queue/${queue}`;
      const refusal = { code: 'FORBIDDEN', destination };
      await expect(alice.send(destination, '{}')).rejects.toMatchObject({ refusal });
    }
    await alice.send('/user/bob/queue/end', 'end');
    await bob.messages('/user/queue/end', 1);
    expect(bob.received(`/user/queue/${queue}`)).toEqual([]);
  });

  test("[TOPIC21] nobody can listen to another user's queue", async () => {
    const bob = await connectStomp(server, { user: 'bob' });
    const eve = await connectStomp(server, { user: 'eve' });
    await bob.subscribe('/user/queue/mine');
    const tried = [
      '/user/bob/queue/mine',
      '/user/eve/../bob/queue/mine',
      '/user//bob/queue/mine',
      '/user/queue',
      '/user/queue/',
      '/user/',
    ];
    for (const destination of tried) {
      const refusal = { code: 'NOT_FOUND', destination };
      await expect(eve.subscribe(destination)).rejects.toMatchObject({ refusal });
    }
    await eve.subscribe('/user/queue/bob/queue/mine');
    // As Spring names it inside; here it is a queue like any other.
    await eve.subscribe('/queue/mine-userbob');
    await eve.send('/user/bob/queue/mine', 'for bob');
    await bob.messages('/user/queue/mine', 1);
    await eve.send('/user/eve/queue/bob/queue/mine', 'end');
    await eve.waitFor(({ body }) => body === 'end');
    expect(eve.frames.filter(({ body }) => body === 'for bob')).toEqual([]);
  });

  test.each([
    'a/b',
    'a%2Fb',
    'a%252Fb',
    '100%',
    'ünï 👍',
    'a:b\\c',
    '*',
    '**',
    'a?',
    '{name}',
    '{name:x+}',
    '{id}',
    'queue',
    '../eve',
    '__proto__',
    '$&',
  ])('[TOPIC22] a user of any name has queues, and refusals: %s', async (user) => {
    const client = await connectStomp(server, { user });
    await client.subscribe('/user/queue/x');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.send(`/user/${segmentOf(user)}/queue/x`, 'hello');
    const [message] = await client.messages('/user/queue/x', 1);
    expect(message?.body).toBe('hello');
    expect(message?.headers['destination']).toBe('/user/queue/x');
    await expect(client.send('/app/nothing')).rejects.toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    await client.unsubscribe('sub-1');
    await client.disconnect();
  });

  test('[TOPIC23] no name of a user can stand for another, whatever it is written with', async () => {
    const users = ['a/b', 'a%2Fb', 'a%252Fb', 'a*b', 'ab', 'a', '*', '**'];
    const clients = await Promise.all(users.map((user) => connectStomp(server, { user })));
    for (const client of clients) await client.subscribe('/user/queue/names');
    const alice = await connectStomp(server, { user: 'alice' });
    for (const user of users) await alice.send(`/user/${segmentOf(user)}/queue/names`, user);
    for (const user of users) await alice.send(`/user/${segmentOf(user)}/queue/names`, 'end');
    for (const [index, client] of clients.entries()) {
      await client.waitFor(({ body }) => body === 'end');
      const bodies = client.received('/user/queue/names').map(({ body }) => body);
      expect(bodies).toEqual([users[index], 'end']);
    }
  });

  test.each(['a%2Fb', 'a/b', '50%', '%25', 'a b', 'ü', 'errors/x', 'notifications.x'])(
    '[TOPIC25] a queue has the name that is written: %s',
    async (queue) => {
      const bob = await connectStomp(server, { user: 'bob/x' });
      await bob.subscribe(`/user/queue/${queue}`);
      await bob.send(`/user/bob%2Fx/queue/${queue}`, 'hello');
      const [message] = await bob.messages(`/user/queue/${queue}`, 1);
      expect(message?.body).toBe('hello');
    },
  );

  test('[TOPIC24] names with signs of patterns change nothing for wildcards', async () => {
    const star = await connectStomp(server, { user: '*' });
    await star.subscribe('/user/queue/x');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/signs/*', { id: 'all' });
    for (const number of range(1, 8)) await alice.send(`/topic/signs/${number}`, String(number));
    await alice.waitForMany(8, ({ headers }) => headers['subscription'] === 'all');
    await star.unsubscribe('sub-1');
    for (const number of range(1, 8)) await alice.send(`/topic/signs/${number}`, String(number));
    const seen = await alice.waitForMany(16, ({ headers }) => headers['subscription'] === 'all');
    expect(seen.map(({ body }) => Number(body)).toSorted((one, two) => one - two)).toEqual(
      range(1, 8).flatMap((number) => [number, number]),
    );
  });
});
