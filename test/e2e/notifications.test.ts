// Notifications: sent by services, kept for each user, listed over REST and pushed to who is there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { layouts } from '../support/layouts.ts';
import { notify } from '../support/notifications.ts';
import { shop } from '../support/orders.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const identifier = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
const queue = '/user/queue/notifications';
const good = { userIds: ['zoe'], type: 'NEWS', message: 'news' };
const messageBytesMax = 8 * 1024;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}, who: object = shop) =>
    server.rest('POST', '/api/notifications', { ...who, body, headers });
  const list = async (user: string, parameters = ''): Promise<Record<string, unknown>[]> => {
    const answer = await server.rest('GET', `/api/notifications${parameters}`, { user });
    expect(answer.status).toBe(200);
    return answer.body as Record<string, unknown>[];
  };
  const messagesOf = async (user: string, parameters = ''): Promise<unknown[]> =>
    (await list(user, parameters)).map(({ message }) => message);
  const stored = (): unknown => database.rows('SELECT count(*) AS stored FROM notifications');

  test('[NOTIFY1] one request notifies many users, each of them once', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    const subscription = await alice.subscribe(queue);
    const body = { userIds: ['alice', 'bob', 'alice'], type: 'ORDER', message: 'ø "x"', referenceId: 'o-1' };
    const sent = await post(body);
    expect(sent.status).toBe(201);
    expect(sent.body).toEqual([
      { notificationId: identifier, userId: 'alice' },
      { notificationId: identifier, userId: 'bob' },
    ]);
    const [forAlice, forBob] = sent.body as [{ notificationId: string }, { notificationId: string }];
    expect(forAlice.notificationId).not.toBe(forBob.notificationId);

    const [message] = await alice.messages(queue, 1);
    expect(message && parse(message)).toEqual({
      notificationId: forAlice.notificationId,
      type: 'ORDER',
      message: 'ø "x"',
      referenceId: 'o-1',
      isRead: false,
      createdAt: isoTime,
    });
    expect(message?.headers).toMatchObject({ subscription, seq: '1', epoch: expect.stringMatching(/^\S+$/) });
    expect(await list('alice')).toEqual([message && parse(message)]);
    expect(await list('bob')).toMatchObject([{ notificationId: forBob.notificationId, isRead: false }]);
    const longest = 'é'.repeat(messageBytesMax / 2);
    await notify(server, ['alice'], longest);
    const [, second] = await alice.messages(queue, 2);
    expect(second && parse(second)).toMatchObject({ message: longest, referenceId: null });
    expect(second?.headers).toMatchObject({ seq: '2', epoch: message?.headers['epoch'] });
  });

  test.each([
    ['no JSON', 'hello', 400],
    ['nothing', '', 400],
    ['a list', [], 400],
    ['no users', { ...good, userIds: [] }, 400],
    ['a user that is no text', { ...good, userIds: ['zoe', 7] }, 400],
    ['a long user', { ...good, userIds: ['zoe', 'x'.repeat(37)] }, 400],
    ['an empty user', { ...good, userIds: ['zoe', ''] }, 400],
    ['too many users', { ...good, userIds: range(1, 10_001).map((number) => `zoe-${number}`) }, 400],
    ['no type', { userIds: ['zoe'], message: 'a' }, 400],
    ['an empty type', { ...good, type: '' }, 400],
    ['a long type', { ...good, type: 'x'.repeat(51) }, 400],
    ['no message', { userIds: ['zoe'], type: 'NEWS' }, 400],
    ['an empty message', { ...good, message: '' }, 400],
    ['half a character', '{"userIds":["zoe"],"type":"NEWS","message":"\\ud83d"}', 400],
    ['a long reference', { ...good, referenceId: 'x'.repeat(37) }, 400],
    ['a message over 8 KiB', { ...good, message: `${'é'.repeat(messageBytesMax / 2)}x` }, 413],
    ['a body over 1 MiB', { ...good, message: 'x'.repeat(1024 * 1024) }, 413],
  ])(
    '[NOTIFY2] a notification of a wrong shape or size is refused, for all: %s',
    async (_what, body, status) => {
      const before = stored();
      const code = status === 400 ? 'BAD_REQUEST' : 'TOO_LARGE';
      expect(await post(body)).toMatchObject({ status, body: { code } });
      expect(stored()).toEqual(before);
      expect(await list('zoe')).toEqual([]);
    },
  );

  test('[NOTIFY3] only services and admins notify, and whoever reads is signed in', async () => {
    for (const who of [{ user: 'mallory' }, { user: 'mallory', roles: ['Service'] }]) {
      expect(await post(good, {}, who)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
    expect(await post(good, {}, {})).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    expect(await server.rest('GET', '/api/notifications')).toMatchObject({ status: 401 });
    expect(await server.rest('POST', '/api/notifications/x/read')).toMatchObject({ status: 401 });
    expect(await list('zoe')).toEqual([]);
    const admin = { user: 'root', roles: ['admin'] };
    expect(await post({ ...good, userIds: ['adam'] }, {}, admin)).toMatchObject({ status: 201 });
  });

  test('[NOTIFY4] a request repeated with its Idempotency-Key gets the same answer and sends nothing', async () => {
    const body = { ...good, userIds: ['carl', 'cora'] };
    const key = { 'Idempotency-Key': 'once-1' };
    const carl = await connectStomp(server, { user: 'carl' });
    await carl.subscribe(queue);
    const first = await post(body, key);
    const rest = await Promise.all(range(1, 4).map(() => post(body, key)));
    for (const answer of rest) expect(answer).toMatchObject({ status: 201, body: first.body as object });
    await server.kill();
    database.close();
    server = await server.restart();
    database = new DatabaseView(server.databaseUrl);
    expect(await post(body, key)).toMatchObject({ status: 201, body: first.body as object });
    const other = await post(body, key, { user: 'other shop', roles: ['service'] });
    expect(other.status).toBe(201);
    expect(other.body).not.toEqual(first.body);
    expect(await list('carl')).toHaveLength(2);
    expect(carl.received(queue)).toHaveLength(1);
  });

  test('[NOTIFY5] ten thousand users are notified by one request', async () => {
    const userIds = range(1, 10_000).map((number) => `user-${number}`);
    const message = 'for all';
    const readers = await Promise.all(
      ['user-1', 'user-5000', 'user-10000'].map(async (user) => {
        const reader = await connectStomp(server, { user });
        await reader.subscribe(queue);
        return reader;
      }),
    );
    const sent = await post({ ...good, userIds, message });
    expect(sent.status).toBe(201);
    expect((sent.body as { userId: string }[]).map(({ userId }) => userId)).toEqual(userIds);
    expect(database.rows(`SELECT count(*) AS stored FROM notifications WHERE user_id LIKE 'user-%'`)).toEqual(
      [{ stored: 10_000 }],
    );
    for (const reader of readers) {
      const [got] = await reader.messages(queue, 1);
      expect(got && parse(got)).toMatchObject({ message });
    }
    expect(await messagesOf('user-7777')).toEqual([message]);
  });

  test("[NOTIFY6] the list shows one's own, newest first, all or the unread, as many as asked", async () => {
    for (const number of range(1, 60)) await notify(server, ['dora', 'dirk'], `number ${number}`);
    const newest = range(1, 60)
      .toReversed()
      .map((number) => `number ${number}`);
    expect(await messagesOf('dora')).toEqual(newest.slice(0, 50));
    expect(await messagesOf('dora', '?limit=1000')).toEqual(newest);
    expect(await messagesOf('dora', '?limit=2&unread=false')).toEqual(newest.slice(0, 2));
    for (const { notificationId } of await list('dora', '?limit=58')) {
      const read = await server.rest('POST', `/api/notifications/${String(notificationId)}/read`, {
        user: 'dora',
      });
      expect(read).toMatchObject({ status: 200, body: { notificationId, readAt: isoTime } });
    }
    expect(await messagesOf('dora', '?unread=true')).toEqual(['number 2', 'number 1']);
    expect(await messagesOf('dora', '?unread=true&limit=1')).toEqual(['number 2']);
    expect((await list('dora', '?limit=1000')).filter(({ isRead }) => isRead === true)).toHaveLength(58);
    expect(await messagesOf('dirk', '?unread=true&limit=1000')).toEqual(newest);
    expect(await messagesOf('nobody')).toEqual([]);
    for (const parameters of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'limit=',
      'limit=1.5',
      'unread=yes',
      'unread=',
    ]) {
      const wrong = await server.rest('GET', `/api/notifications?${parameters}`, { user: 'dora' });
      expect(wrong, parameters).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    }
  });
});
