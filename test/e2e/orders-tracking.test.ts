// Tracking an order over STOMP: its status at once, and each change when it is committed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { placement } from '../../src/actors/placement.ts';
import { actorKey } from '../../src/actors/route.ts';
import { connectOnEveryEdge, layouts, topicOn } from '../support/layouts.ts';
import { changeOrder, createOrder } from '../support/orders.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, type TestClient } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const queue = '/user/queue/order.status';

const statusesOf = (client: TestClient): unknown[] =>
  client.received(queue).map((frame) => parse(frame)['status']);

/** Waits until the client has been told of this status; all statuses that it was told of. */
async function toldOf(client: TestClient, status: string): Promise<unknown[]> {
  await client.waitFor(
    (frame) => frame.headers['destination'] === queue && parse(frame)['status'] === status,
    `status ${status}`,
  );
  return statusesOf(client);
}

/** A session that hears of its user's orders. */
async function listener(server: TestServer, user: string): Promise<TestClient> {
  const client = await connectStomp(server, { user });
  await client.subscribe(queue);
  return client;
}

const track = (client: TestClient, orderId: string): Promise<string> =>
  client.subscribe(`/app/order.track/${orderId}`);

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  test('[ORDER10] whoever tracks an order gets its status at once, in one MESSAGE', async () => {
    const orderId = await createOrder(server, 'alice', { currentLocation: 'Oslo' });
    const alice = await listener(server, 'alice');
    const id = await track(alice, orderId);
    await changeOrder(server, orderId, { status: 'SHIPPED' });
    expect(await toldOf(alice, 'SHIPPED')).toEqual(['SHIPPED']);
    const answers = alice.frames.filter(({ headers }) => headers['subscription'] === id);
    expect(answers.map(parse)).toEqual([
      { orderId, status: 'PLACED', estimatedDelivery: null, currentLocation: 'Oslo', lastUpdated: isoTime },
    ]);
    const [pushed] = alice.received(queue);
    expect(pushed && parse(pushed)).toEqual({
      ...parse(answers[0]!),
      status: 'SHIPPED',
      lastUpdated: isoTime,
    });
    expect(pushed?.headers).not.toHaveProperty('seq');
  });

  test('[ORDER11] only its owner may track an order', async () => {
    const orderId = await createOrder(server, 'alice');
    const others = [
      await listener(server, 'bob'),
      await connectStomp(server, { user: 'shop', roles: ['service', 'admin'] }),
    ];
    for (const other of others) {
      const refusal = { code: 'FORBIDDEN', orderId, destination: `/app/order.track/${orderId}` };
      await expect(track(other, orderId)).rejects.toMatchObject({ refusal });
      const untracked = other.send(`/app/order.untrack/${orderId}`);
      await expect(untracked).rejects.toMatchObject({ refusal: { code: 'FORBIDDEN', orderId } });
    }
    const [bob] = others as [TestClient];
    for (const asked of [track(bob, 'nowhere'), bob.send('/app/order.untrack/nowhere')]) {
      await expect(asked).rejects.toMatchObject({ refusal: { code: 'NOT_FOUND', orderId: 'nowhere' } });
    }
    const bobs = await createOrder(server, 'bob');
    await track(bob, bobs);
    await changeOrder(server, orderId, { status: 'SECRET' });
    await changeOrder(server, bobs, { status: 'SHIPPED' });
    expect(await toldOf(bob, 'SHIPPED')).toEqual(['SHIPPED']);
  });

  test('[ORDER12] a change is told once on each session of a user of whom any session tracks the order', async () => {
    const orderId = await createOrder(server, 'carol');
    const sessions = await connectOnEveryEdge(server, layout, { user: 'carol' });
    for (const session of sessions) await session.subscribe(queue);
    const trackers = [await listener(server, 'carol'), await listener(server, 'carol')] as const;
    for (const tracker of trackers) await track(tracker, orderId);
    for (const number of range(1, 20)) await changeOrder(server, orderId, { status: `step ${number}` });
    const steps = range(1, 20).map((number) => `step ${number}`);
    for (const client of [...sessions, ...trackers]) expect(await toldOf(client, 'step 20')).toEqual(steps);
  });

  test('[ORDER13] tracking ends with `untrack` and with the session that tracks, and only for it', async () => {
    const [one, other] = [await createOrder(server, 'dave'), await createOrder(server, 'dave')];
    const viewer = await listener(server, 'dave');
    await track(viewer, other);
    const tracker = await connectStomp(server, { user: 'dave' });
    await track(tracker, one);
    await changeOrder(server, one, { status: 'seen' });
    await viewer.send(`/app/order.untrack/${one}`);
    await changeOrder(server, one, { status: 'seen too' });
    await tracker.send(`/app/order.untrack/${one}`);
    await changeOrder(server, one, { status: 'not seen' });
    await changeOrder(server, other, { status: 'other' });
    expect(await toldOf(viewer, 'other')).toEqual(['seen', 'seen too', 'other']);

    const id = await track(tracker, one);
    // The answer was all of that subscription: its end is not the end of the tracking.
    await tracker.unsubscribe(id);
    await changeOrder(server, one, { status: 'again' });
    await toldOf(viewer, 'again');
    await tracker.disconnect();
    // Which reaches the order first, the end of the session or the next change, is open; but tracking ends.
    let told: unknown[];
    let round = 0;
    do {
      round += 1;
      await changeOrder(server, one, { status: `try ${round}` });
      await changeOrder(server, other, { status: `mark ${round}` });
      told = await toldOf(viewer, `mark ${round}`);
    } while (told.includes(`try ${round}`));
    expect(told.slice(0, 4)).toEqual(['seen', 'seen too', 'other', 'again']);
  });

  test('[ORDER14] a status that a client sees is in the database', async () => {
    const orderId = await createOrder(server, 'erin');
    const erin = await listener(server, 'erin');
    await track(erin, orderId);
    const missing: unknown[] = [];
    erin.socket.on('message', () => {
      const seen = erin.received(queue).at(-1);
      if (!seen) return;
      const { status } = parse(seen);
      const sql = 'SELECT 1 FROM order_changes WHERE order_id = ? AND status = ?';
      if (database.rows(sql, orderId, String(status)).length === 0) missing.push(status);
    });
    await Promise.all(range(1, 50).map((number) => changeOrder(server, orderId, { status: `s${number}` })));
    await erin.messages(queue, 50);
    expect(missing).toEqual([]);
    const [last] = erin.received(queue).slice(-1);
    expect(last && parse(last)['status']).toBe(
      database.rows('SELECT status FROM orders WHERE order_id = ?', orderId)[0]?.['status'],
    );
  });

  test('[ORDER15] when a shard dies tracking goes on, and the status is told again', async () => {
    const faulty = await startServer({ settings: layout.settings, kindsUrl });
    const shards = Number(layout.settings.shards);
    const ids = range(1, 8).map((number) => `order-${number}`);
    for (const orderId of ids) await createOrder(faulty, 'frank', { orderId });
    const frank = await listener(faulty, 'frank');
    for (const orderId of ids) await track(frank, orderId);
    for (let shard = 0; shard < shards; shard += 1) {
      const killed = frank.send(topicOn(shard, shards), 'fault:exit');
      await expect(killed).rejects.toMatchObject({ refusal: { code: 'UNAVAILABLE' } });
      // Whoever tracks an order is told how it is: it may have changed before the shard heard of that again.
      for (const orderId of ids.filter((id) => placement(actorKey('order', id), shards) === shard)) {
        await frank.waitFor(
          ({ headers, body }) => headers['destination'] === queue && body.includes(`"${orderId}"`),
          `${orderId} again`,
        );
      }
    }
    expect(statusesOf(frank)).toEqual(ids.map(() => 'PLACED'));
    const last = ids.map((orderId) => `new ${orderId}`);
    for (const orderId of ids) await changeOrder(faulty, orderId, { status: `new ${orderId}` });
    for (const status of last) await toldOf(frank, status);
    expect(statusesOf(frank).slice(ids.length).map(String).toSorted()).toEqual(last);
    expect(await faulty.stop()).toEqual({ code: 0, signal: null });
  });
});
