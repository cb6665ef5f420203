// Queues when a thread dies under them: clients stay connected, and go on where they were.
import { describe, expect, test } from 'vitest';
import { placement } from '../../src/actors/placement.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { acknowledge, gotOf, isRedelivered, job, newQueue, work } from '../support/queues.ts';
import { range, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, RefusedError, type TestClient } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;

/** Ends every shard thread, one after another, and waits until all are back. */
async function killShards(server: TestServer, shards: number): Promise<void> {
  const killer = await connectStomp(server, { user: 'killer' });
  const back = (): number => server.log.filter(({ msg }) => msg === 'thread is back').length;
  for (let shard = 0; shard < shards; shard += 1) {
    const name = range(1, 100).find((number) => placement(`topic/kill/${number}`, shards) === shard);
    await expect(killer.send(`/topic/kill/${name}`, 'fault:exit')).rejects.toBeInstanceOf(RefusedError);
    await server.logged(() => back() > shard, 'a thread started again');
  }
  await killer.disconnect();
}

/** Asks again for as long as the shard is away. */
async function untilTaken(task: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await task();
      return;
    } catch (thrown) {
      expect(thrown).toMatchObject({ refusal: { code: 'UNAVAILABLE' } });
    }
  }
}

describe.each(layouts)('$name', (layout) => {
  test('[QUEUES16] when shard threads die, each message is still with who held it, and ACKs count', async () => {
    const server = await startServer({ kindsUrl, settings: layout.settings });
    const sender = await connectStomp(server, { user: 'alice' });
    const workers = await connectOnEveryEdge(server, layout, { user: 'worker' });
    while (workers.length < 3) workers.push(await connectStomp(server, { user: 'worker' }));
    const queues = [newQueue(), newQueue(), newQueue()];
    for (const [index, queue] of queues.entries()) {
      for (const worker of workers) await work(worker, queue, { id: `q${index}`, 'prefetch-count': '10' });
      await sendMany(sender, queue, range(1, 10 * workers.length).map(String));
      for (const worker of workers) await worker.messages(queue, 10);
    }
    await killShards(server, Number(layout.settings.shards));
    for (const queue of queues) {
      for (const worker of workers) {
        const held = worker.received(queue);
        expect(held).toHaveLength(10);
        await Promise.all(held.map((frame) => acknowledge(worker, frame)));
      }
      await untilTaken(() => sender.send(queue, 'last'));
      const got = await Promise.any(workers.map((worker) => job(worker, queue, 'last')));
      expect(isRedelivered(got)).toBe(false);
      for (const worker of workers) {
        expect(worker.received(queue).filter(isRedelivered)).toEqual([]);
      }
    }
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('[QUEUES16] when an edge thread fails, what its clients held goes to others', async () => {
    const server = await startServer({ kindsUrl, settings: { ...layout.settings, edges: '2' } });
    const twoEdges = { ...layout, settings: { ...layout.settings, edges: '2' } };
    const workers = await connectOnEveryEdge(server, twoEdges, { user: 'worker' });
    const [first, last] = [workers[0], workers.at(-1)] as [TestClient, TestClient];
    const queue = newQueue();
    await work(first, queue);
    await work(last, queue);
    const sender = last;
    for (const number of range(1, 6)) await sender.send(queue, String(number));
    await first.messages(queue, 3);
    await last.messages(queue, 3);
    await acknowledge(first, first.received(queue)[1]);
    first.sendFrame('SEND', { destination: '/app/edge.uncaught' });
    await first.closed;
    await last.messages(queue, 5);
    expect(gotOf(last, queue).toSorted()).toEqual(
      range(1, 6)
        .map(String)
        .filter((text) => text !== gotOf(first, queue)[1]),
    );
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
