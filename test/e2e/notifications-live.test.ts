// Notifications on the sessions of their user: live, in one order, after a break, and read on one for all.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts, topicOn } from '../support/layouts.ts';
import { notify } from '../support/notifications.ts';
import { range, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import {
  connectStomp,
  parse,
  type ReceivedFrame,
  type RefusedError,
  type TestClient,
} from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const queue = '/user/queue/notifications';
const readQueue = '/user/queue/notification.read';
const textOf = (frame: ReceivedFrame): unknown => parse(frame)['message'];

/** Where a client goes on after this message. */
const placeOf = ({ headers }: ReceivedFrame): string => `${headers['epoch']}:${headers['seq']}`;

async function reader(
  server: TestServer,
  user: string,
  headers: Record<string, string> = {},
): Promise<TestClient> {
  const client = await connectStomp(server, { user });
  await client.subscribe(queue, headers);
  return client;
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  test('[NOTIFY7] what is read on one session is read on all, over STOMP and over REST', async () => {
    const sessions = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const session of sessions) await session.subscribe(readQueue);
    const [one, two, bobs] = [
      ...(await notify(server, ['alice'], 'one')),
      ...(await notify(server, ['alice'], 'two')),
      ...(await notify(server, ['bob'], 'for bob')),
    ] as [string, string, string];
    const [first] = sessions as [TestClient];
    await first.send(`/app/notification.read/${one}`);
    expect(database.rows('SELECT is_read FROM notifications WHERE notification_id = ?', one)).toEqual([
      { is_read: 1 },
    ]);
    // Again: no second word of it.
    await first.send(`/app/notification.read/${one}`);
    const path = `/api/notifications/${two}/read`;
    const read = await server.rest('POST', path, { user: 'alice' });
    expect(read).toMatchObject({ status: 200, body: { notificationId: two, readAt: isoTime } });
    expect(await server.rest('POST', path, { user: 'alice' })).toMatchObject({
      status: 200,
      body: read.body as object,
    });
    for (const session of sessions) {
      const told = await session.messages(readQueue, 2);
      expect(told.map(parse)).toEqual([{ notificationId: one, readAt: isoTime }, read.body]);
      expect(told[0]?.headers).not.toHaveProperty('seq');
    }

    for (const unknown of [bobs, 'nowhere']) {
      const sent = first.send(`/app/notification.read/${unknown}`);
      await expect(sent).rejects.toMatchObject({ refusal: { code: 'NOT_FOUND' } });
      const asked = await server.rest('POST', `/api/notifications/${unknown}/read`, { user: 'alice' });
      expect(asked).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    const list = await server.rest('GET', '/api/notifications?unread=true', { user: 'bob' });
    expect(list.body).toMatchObject([{ notificationId: bobs, isRead: false }]);
    for (const session of sessions) expect(session.received(readQueue)).toHaveLength(2);
  });

  test('[NOTIFY8] who was away finds all by resume, from before the first notification on', async () => {
    const early = await reader(server, 'carol');
    const asking = await reader(server, 'carol', { resume: 'unknown:0' });
    const [start] = await asking.messages(queue, 1);
    expect(start).toMatchObject({ body: '', headers: { recovered: 'false', seq: '0' } });
    await asking.disconnect();
    await notify(server, ['carol'], 'one');
    const [one] = (await early.messages(queue, 1)) as [ReceivedFrame];
    expect(one.headers).toMatchObject({ seq: '1', epoch: start?.headers['epoch'] });
    await early.disconnect();
    const again = await reader(server, 'carol', { resume: placeOf(one) });
    await notify(server, ['carol'], 'two');
    const [two] = (await again.messages(queue, 1)) as [ReceivedFrame];
    expect(two).toMatchObject({ headers: { seq: '2', recovered: 'true' } });
    await again.disconnect();

    await notify(server, ['carol'], 'three');
    await server.kill();
    database.close();
    server = await server.restart();
    database = new DatabaseView(server.databaseUrl);
    await notify(server, ['carol'], 'four');
    const all = await reader(server, 'carol', { resume: `${start?.headers['epoch']}:0` });
    const messages = await all.messages(queue, 4);
    expect(messages.map(textOf)).toEqual(['one', 'two', 'three', 'four']);
    expect(messages.map(seqOf)).toEqual([1, 2, 3, 4]);
    expect(messages[0]?.headers['recovered']).toBe('true');
  });

  test('[NOTIFY8] a first notification that comes to a live subscription can be resumed from', async () => {
    const first = await reader(server, 'dave');
    await notify(server, ['dave'], 'one');
    const [one] = (await first.messages(queue, 1)) as [ReceivedFrame];
    await server.kill();
    database.close();
    server = await server.restart();
    database = new DatabaseView(server.databaseUrl);
    await notify(server, ['dave'], 'two');
    const again = await reader(server, 'dave', { resume: placeOf(one) });
    const [two] = await again.messages(queue, 1);
    expect(two).toMatchObject({ headers: { seq: '2', epoch: one.headers['epoch'], recovered: 'true' } });
  });

  test('[NOTIFY9] a notification that a client sees is in the database', async () => {
    const erin = await reader(server, 'erin');
    const missing: unknown[] = [];
    erin.socket.on('message', () => {
      const seen = erin.received(queue).at(-1);
      const id = seen && String(parse(seen)['notificationId']);
      if (!id) return;
      if (database.rows('SELECT 1 FROM notifications WHERE notification_id = ?', id).length === 0)
        missing.push(id);
    });
    await Promise.all(range(1, 50).map((number) => notify(server, ['erin'], `${number}`)));
    await erin.messages(queue, 50);
    expect(missing).toEqual([]);
  });

  test('[NOTIFY10] all sessions see one order, whoever sends, without a gap', async () => {
    const sessions = await connectOnEveryEdge(server, layout, { user: 'frank' });
    for (const session of sessions) await session.subscribe(queue);
    const senders = ['shop', 'bank', 'post', 'news'];
    const sent = senders.flatMap((sender) =>
      range(1, 25).map((number) => notify(server, ['frank', 'fiona'], `${sender} ${number}`, sender)),
    );
    await Promise.all(sent);
    const orders = [];
    for (const session of sessions) {
      const messages = await session.messages(queue, 100);
      expect(messages.map(seqOf)).toEqual(range(1, 100));
      orders.push(messages.map(textOf));
    }
    for (const order of orders) expect(order).toEqual(orders[0]);
    const rows = database.rows('SELECT message FROM notifications WHERE user_id = ? ORDER BY seq', 'frank');
    expect(rows.map(({ message }) => message)).toEqual(orders[0]);
  });

  test('[NOTIFY11] a durable name gets at least once what it has not acknowledged', async () => {
    const headers = { durable: 'phone', ack: 'client', id: 'n' };
    const phone = await reader(server, 'grace', headers);
    await notify(server, ['grace'], 'one');
    await notify(server, ['grace'], 'two');
    const [one] = (await phone.messages(queue, 2)) as [ReceivedFrame];
    await phone.request('ACK', { id: String(one.headers['ack']) });
    await phone.disconnect();
    await notify(server, ['grace'], 'three');
    const again = await reader(server, 'grace', headers);
    expect((await again.messages(queue, 2)).map(textOf)).toEqual(['two', 'three']);
  });

  test('[NOTIFY12] when a shard dies live subscriptions go on without a gap or a repeat', async () => {
    const faulty = await startServer({ settings: layout.settings, kindsUrl });
    const shards = Number(layout.settings.shards);
    const users = range(1, 6).map((number) => `user-${number}`);
    const readers = await Promise.all(users.map((user) => reader(faulty, user)));
    const killer = await connectStomp(faulty, { user: 'killer' });
    let sent = 0;
    /** Sends until it is taken: the shard of the sender may be away. */
    const sendOne = async (): Promise<void> => {
      for (;;) {
        try {
          await notify(faulty, users, `number ${sent + 1}`);
          sent += 1;
          return;
        } catch (thrown) {
          expect(String(thrown)).toMatch(/UNAVAILABLE/);
        }
      }
    };
    await sendOne();
    for (let shard = 0; shard < shards; shard += 1) {
      const killed = killer.send(topicOn(shard, shards), 'fault:exit').then(
        () => 'done',
        (thrown: RefusedError) => thrown.refusal['code'],
      );
      for (let round = 0; round < 10; round += 1) await sendOne();
      expect(await killed).toBe('UNAVAILABLE');
    }
    await sendOne();
    for (const one of readers) {
      await one.waitFor((frame) => frame.body.includes(`"number ${sent}"`), `number ${sent}`);
      const texts = one.received(queue).map(textOf);
      // What was refused may have been done all the same: it may be there twice, but in its place.
      expect([...new Set(texts)]).toEqual(range(1, sent).map((number) => `number ${number}`));
      expect(one.received(queue).map(seqOf)).toEqual(range(1, texts.length));
    }
    expect(await faulty.stop()).toEqual({ code: 0, signal: null });
  });
});
