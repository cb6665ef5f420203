// Queues: who gets a message, and what becomes of one that is given back.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import {
  acknowledge,
  bodiesOf,
  connectWorker,
  giveBack,
  gotOf,
  isRedelivered,
  job,
  newQueue,
  work,
} from '../support/queues.ts';
import { range, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

const texts = (from: number, to: number): string[] => range(from, to).map((number) => `job ${number}`);

function cut(client: TestClient): Promise<unknown> {
  client.cut();
  return client.closed;
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let sender: TestClient;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    sender = await connectStomp(server, { user: 'alice' });
  });

  test('[QUEUES1] each message goes to one subscriber, in turn while all are equally loaded', async () => {
    const queue = newQueue();
    const workers = await connectOnEveryEdge(server, layout, { user: 'worker' });
    while (workers.length < 4) workers.push(await connectStomp(server, { user: 'worker' }));
    for (const worker of workers) await work(worker, queue);
    const total = workers.length * 50;
    await sendMany(sender, queue, texts(1, total));
    const shares = await Promise.all(workers.map((worker) => worker.messages(queue, 50)));
    const all = shares.flatMap(bodiesOf);
    expect(new Set(all)).toEqual(new Set(texts(1, total)));
    for (const worker of workers) expect(gotOf(worker, queue)).toHaveLength(50);
    // Each one's share is in the order sent.
    for (const share of shares) {
      const numbers = bodiesOf(share).map((body) => Number(body.slice(4)));
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    }
  });

  test('[QUEUES1] the one with the fewest unacknowledged messages is next', async () => {
    const queue = newQueue();
    const [first, second, third] = [
      await connectWorker(server, queue),
      await connectWorker(server, queue),
      await connectWorker(server, queue),
    ];
    for (const text of texts(1, 6)) await sender.send(queue, text);
    const two = await second.messages(queue, 2);
    await acknowledge(second, two[1]);
    await acknowledge(second, two[0]);
    await acknowledge(third, (await third.messages(queue, 2))[0]);
    for (const text of texts(7, 10)) await sender.send(queue, text);
    // Of those equally loaded it is the one that waited longest.
    expect(bodiesOf(await first.messages(queue, 3))).toEqual(['job 1', 'job 4', 'job 10']);
    expect(bodiesOf(await second.messages(queue, 4))).toEqual(['job 2', 'job 5', 'job 7', 'job 9']);
    expect(bodiesOf(await third.messages(queue, 3))).toEqual(['job 3', 'job 6', 'job 8']);
  });

  test('[QUEUES2] while there is no subscriber messages are kept, also when the process is killed', async () => {
    const queue = newQueue();
    await sendMany(sender, queue, texts(1, 300));
    await server.kill();
    server = await server.restart();
    sender = await connectStomp(server, { user: 'alice' });
    await sendMany(sender, queue, texts(301, 600));
    const worker = await connectWorker(server, queue, { ack: 'auto' });
    const got = await worker.messages(queue, 600);
    expect(bodiesOf(got)).toEqual(texts(1, 600));
    expect(got.filter(isRedelivered)).toEqual([]);
  });

  test('[QUEUES3] what is given back goes to another subscriber, and is redelivered', async () => {
    const queue = newQueue();
    const first = await connectWorker(server, queue);
    const second = await connectWorker(server, queue);
    await sender.send(queue, 'a');
    await sender.send(queue, 'b');
    const a = await job(first, queue, 'a');
    expect(isRedelivered(a)).toBe(false);
    // It has none: by load it would be next.
    await acknowledge(first, a);
    await sender.send(queue, 'c');
    await giveBack(first, await job(first, queue, 'c'));
    const again = await job(second, queue, 'c');
    expect(again.headers).toMatchObject({
      redelivered: 'true',
      'message-id': (await job(first, queue, 'c')).headers['message-id'],
    });
    expect(gotOf(first, queue)).toEqual(['a', 'c']);
  });

  test('[QUEUES3] it goes to the same subscriber when there is no other', async () => {
    const queue = newQueue();
    const only = await connectWorker(server, queue);
    await sender.send(queue, 'a');
    await giveBack(only, await job(only, queue, 'a'));
    const [, again] = await only.messages(queue, 2);
    expect(again).toMatchObject({ body: 'a', headers: { redelivered: 'true' } });
    await acknowledge(only, again);
  });

  test.each([
    ['its connection is lost', (worker: TestClient) => cut(worker)],
    ['it unsubscribes', (worker: TestClient) => worker.unsubscribe('q')],
    ['it disconnects', (worker: TestClient) => worker.disconnect()],
  ])('[QUEUES3] what a subscriber holds goes to others when %s, in the order sent', async (_how, end) => {
    const queue = newQueue();
    const first = await connectWorker(server, queue);
    await sendMany(sender, queue, texts(1, 20));
    const held = await first.messages(queue, 20);
    for (const frame of [held[3], held[7]]) await acknowledge(first, frame);
    const second = await connectWorker(server, queue);
    await end(first);
    await sendMany(sender, queue, texts(21, 22));
    const got = await second.messages(queue, 20);
    const expected = texts(1, 20).filter((text) => text !== 'job 4' && text !== 'job 8');
    const back = got.filter(isRedelivered);
    expect(bodiesOf(back)).toEqual(expected);
    expect(bodiesOf(got.filter((frame) => !isRedelivered(frame)))).toEqual(texts(21, 22));
    for (const frame of got) await acknowledge(second, frame);
    await second.disconnect();
    const third = await connectWorker(server, queue);
    await sender.send(queue, 'last');
    await job(third, queue, 'last');
    expect(gotOf(third, queue)).toEqual(['last']);
  });

  test('[QUEUES4] what is acknowledged never comes back, also when the process is killed', async () => {
    const queue = newQueue();
    const worker = await connectWorker(server, queue);
    await sendMany(sender, queue, texts(1, 60));
    const held = await worker.messages(queue, 60);
    await Promise.all(held.slice(0, 40).map((frame) => acknowledge(worker, frame)));
    await server.kill();
    server = await server.restart();
    sender = await connectStomp(server, { user: 'alice' });
    const next = await connectWorker(server, queue);
    await sender.send(queue, 'last');
    const got = await next.messages(queue, 21);
    expect(bodiesOf(got)).toEqual([...texts(41, 60), 'last']);
    expect(got.map(isRedelivered)).toEqual([...Array<boolean>(20).fill(true), false]);
  });

  test('[QUEUES5] with ack:client an ACK counts for all before it, and a NACK gives all of them back', async () => {
    const queue = newQueue();
    const first = await connectWorker(server, queue, { ack: 'client' });
    await sendMany(sender, queue, texts(1, 10));
    const held = await first.messages(queue, 10);
    await acknowledge(first, held[2]);
    const second = await connectWorker(server, queue);
    await giveBack(first, held[5]);
    const back = await second.messages(queue, 3);
    expect(bodiesOf(back)).toEqual(texts(4, 6));
    expect(back.every(isRedelivered)).toBe(true);
    await acknowledge(first, held[9]);
    await first.disconnect();
    await sender.send(queue, 'last');
    await job(second, queue, 'last');
    expect(gotOf(second, queue)).toEqual([...texts(4, 6), 'last']);
  });

  test('[QUEUES6] after five tries a message is a dead letter, with its body and its headers', async () => {
    const queue = newQueue();
    const body = Buffer.from([0xff, 0, 0xfe]);
    const worker = await connectWorker(server, queue);
    await sender.send(queue, body, { 'content-type': 'application/x-job', weight: '7' });
    for (const number of range(1, 5)) {
      const tried = (await worker.messages(queue, number))[number - 1];
      await giveBack(worker, tried);
    }
    const grave = await connectWorker(server, `${queue}.dead`);
    const [dead] = await grave.messages(`${queue}.dead`, 1);
    expect(dead?.headers).toMatchObject({
      'content-type': 'application/x-job',
      weight: '7',
      'dead-from': queue,
    });
    expect(dead?.headers['redelivered']).toBeUndefined();
    expect(dead?.bytes).toEqual(body);
    await acknowledge(grave, dead);
    // Those who wait there get what comes.
    await sender.send(queue, 'next');
    for (const number of range(6, 10)) {
      const tried = (await worker.messages(queue, number))[number - 1];
      await giveBack(worker, tried);
    }
    const next = await job(grave, `${queue}.dead`, 'next');
    expect(next.headers['dead-from']).toBe(queue);
    expect(worker.received(queue)).toHaveLength(10);
    // It is a queue like any other.
    await grave.disconnect();
    const other = await connectWorker(server, `${queue}.dead`);
    expect(isRedelivered(await job(other, `${queue}.dead`, 'next'))).toBe(true);
    expect(gotOf(other, `${queue}.dead`)).toEqual(['next']);
  });
});
