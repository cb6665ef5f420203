// What consumers of queues say: how they acknowledge, how much they take at once, what they may not ask.
import { beforeAll, describe, expect, test } from 'vitest';
import { Client, type IMessage } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import { layouts } from '../support/layouts.ts';
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
import { connectStomp, isMessageOf, type TestClient } from '../support/stomp.ts';

const texts = (from: number, to: number): string[] => range(from, to).map((number) => `job ${number}`);

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let sender: TestClient;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    sender = await connectStomp(server, { user: 'alice' });
  });

  test('[QUEUES7] with ack:auto a message is settled when it is written, in batches of any length', async () => {
    const queue = newQueue();
    const worker = await connectWorker(server, queue, { ack: 'auto' });
    await sendMany(sender, queue, texts(1, 1_000));
    const got = await worker.messages(queue, 1_000);
    expect(bodiesOf(got)).toEqual(texts(1, 1_000));
    expect(got.filter(({ headers }) => 'ack' in headers)).toEqual([]);
    // The last of them may be on its way; what comes after it on this connection is settled with it.
    await worker.unsubscribe('q');
    const next = await connectWorker(server, queue);
    await sender.send(queue, 'last');
    await job(next, queue, 'last');
    expect(gotOf(next, queue)).toEqual(['last']);
  });

  test('[QUEUES7] after DISCONNECT nothing is written, though the connection is still there', async () => {
    const queue = newQueue();
    const leaving = await connectWorker(server, queue, { ack: 'auto' });
    const staying = await connectWorker(server, queue, { ack: 'auto' });
    await leaving.request('DISCONNECT');
    for (const text of texts(1, 4)) await sender.send(queue, text);
    expect(bodiesOf(await staying.messages(queue, 4))).toEqual(texts(1, 4));
    expect(gotOf(leaving, queue)).toEqual([]);
  });

  test('[QUEUES8] a subscriber holds as many messages as its prefetch-count says, 100 unless given', async () => {
    const queue = newQueue();
    const few = await connectWorker(server, queue, { 'prefetch-count': '3' });
    await sendMany(sender, queue, texts(1, 10));
    const held = await few.messages(queue, 3);
    await acknowledge(few, held[1]);
    await acknowledge(few, (await few.messages(queue, 4))[0]);
    await few.messages(queue, 5);
    // Everything that could have come has: this one is asked after it, of the same queue.
    await sender.send(queue, 'job 11');
    expect(gotOf(few, queue)).toEqual(texts(1, 5));
    const many = await connectWorker(server, queue, { 'prefetch-count': '1000' });
    expect(bodiesOf(await many.messages(queue, 6))).toEqual(texts(6, 11));
    await few.disconnect();
    await many.disconnect();
    await sendMany(sender, queue, texts(12, 150));
    const usual = await connectWorker(server, queue);
    await usual.messages(queue, 100);
    await sender.send(queue, 'job 151');
    expect(usual.received(queue)).toHaveLength(100);
    await giveBack(usual, usual.received(queue)[0]);
    await usual.messages(queue, 101);
  });

  test('[QUEUES11] SEND and ACK in a transaction count with its COMMIT', async () => {
    const [queue, results] = [newQueue(), newQueue()];
    const worker = await connectWorker(server, queue);
    const reader = await connectWorker(server, results);
    await sendMany(sender, queue, texts(1, 3));
    const held = await worker.messages(queue, 3);
    const transact = async (name: string, frame: (typeof held)[number] | undefined, end: string) => {
      await worker.request('BEGIN', { transaction: name });
      worker.sendFrame('SEND', { destination: results, transaction: name }, `result of ${name}`);
      worker.sendFrame('ACK', { id: frame?.headers['ack'] ?? '', transaction: name });
      await worker.request(end, { transaction: name });
    };
    await transact('kept', held[0], 'COMMIT');
    await transact('dropped', held[1], 'ABORT');
    await worker.request('BEGIN', { transaction: 'lost' });
    worker.sendFrame('ACK', { id: held[2]?.headers['ack'] ?? '', transaction: 'lost' });
    worker.cut();
    await sender.send(results, 'last');
    await job(reader, results, 'last');
    expect(gotOf(reader, results)).toEqual(['result of kept', 'last']);
    const next = await connectWorker(server, queue);
    expect(bodiesOf(await next.messages(queue, 2))).toEqual(['job 2', 'job 3']);
    expect(next.received(queue).every(isRedelivered)).toBe(true);
    // A NACK waits for it too.
    await next.request('BEGIN', { transaction: 'back' });
    next.sendFrame('NACK', { id: next.received(queue)[0]?.headers['ack'] ?? '', transaction: 'back' });
    await next.request('COMMIT', { transaction: 'back' });
    expect(bodiesOf(await next.messages(queue, 3))).toEqual(['job 2', 'job 3', 'job 2']);
  });

  test.each([
    ['1.1', ['message-id', 'subscription']],
    ['1.0', ['message-id']],
  ])('[QUEUES14] STOMP %s acknowledges and gives back by message-id', async (version, names) => {
    const queue = newQueue();
    const worker = await connectStomp(server, { user: 'worker', version });
    await work(worker, queue);
    await sendMany(sender, queue, texts(1, 3));
    const held = await worker.messages(queue, 3);
    const about = (index: number) =>
      Object.fromEntries(names.map((name) => [name, held[index]?.headers[name] ?? '']));
    await worker.request('ACK', about(1));
    const next = await connectWorker(server, queue);
    await worker.request('NACK', about(0));
    await job(next, queue, 'job 1');
    worker.cut();
    expect(bodiesOf(await next.messages(queue, 2))).toEqual(['job 1', 'job 3']);
  });

  test('[QUEUES19] an ACK or NACK of what the subscription does not hold is BAD_REQUEST', async () => {
    const queue = newQueue();
    const worker = await connectWorker(server, queue);
    const other = await connectStomp(server, { user: 'worker' });
    await sendMany(sender, queue, texts(1, 2));
    const [first, second] = await worker.messages(queue, 2);
    const id = first?.headers['ack'] ?? '';
    await acknowledge(worker, first);
    const refused = { refusal: { code: 'BAD_REQUEST' } };
    for (const command of ['ACK', 'NACK']) {
      for (const wrong of [id, id.replace('-1', '-3'), id.replace(/-\w+$/, ''), '999999-1', '']) {
        await expect(worker.request(command, { id: wrong })).rejects.toMatchObject(refused);
      }
      await expect(other.request(command, { id: second?.headers['ack'] ?? '' })).rejects.toMatchObject(
        refused,
      );
    }
    await work(worker, queue, { id: 'automatic', ack: 'auto' });
    await sendMany(sender, queue, texts(3, 3));
    await job(worker, queue, 'job 3');
    await worker.unsubscribe('q');
    await expect(acknowledge(worker, second)).rejects.toMatchObject(refused);
    const again = (await worker.messages(queue, 4))[3];
    expect(again).toMatchObject({
      body: 'job 2',
      headers: { subscription: 'automatic', redelivered: 'true' },
    });
  });

  test('[QUEUES5] an ACK of what an ACK counted for already is no error, one of what was given back is', async () => {
    const queue = newQueue();
    const worker = await connectWorker(server, queue, { ack: 'client' });
    await sendMany(sender, queue, texts(1, 6));
    const held = await worker.messages(queue, 6);
    await acknowledge(worker, held[1]);
    await acknowledge(worker, held[0]);
    await giveBack(worker, held[3]);
    await expect(acknowledge(worker, held[2])).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
    expect(bodiesOf((await worker.messages(queue, 8)).slice(6))).toEqual(['job 3', 'job 4']);
  });

  test('[QUEUES20] an ACK of what an earlier connection held acknowledges nothing of this one', async () => {
    const own = await startServer({ settings: layout.settings });
    const queue = newQueue();
    const early = await connectWorker(own, queue);
    await early.send(queue, 'job 1');
    const held = await job(early, queue, 'job 1');
    await own.kill();
    const restarted = await own.restart();
    const late = await connectWorker(restarted, queue);
    await job(late, queue, 'job 1');
    await expect(acknowledge(late, held)).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
    late.cut();
    const last = await connectWorker(restarted, queue);
    expect(isRedelivered(await job(last, queue, 'job 1'))).toBe(true);
  });

  test('[QUEUES12] what no queue can give is refused, and the connection stays', async () => {
    const client = await connectStomp(server, { user: 'worker' });
    const queue = newQueue();
    const refused: Readonly<Record<string, string>>[] = [
      { destination: '/queue/jobs/*' },
      { destination: '/queue/**' },
      { destination: queue, resume: 'epoch:1' },
      { destination: queue, durable: 'd', ack: 'client' },
      ...['0', '1001', '-1', '1.5', 'many', ''].map((count) => ({
        destination: queue,
        'prefetch-count': count,
      })),
    ];
    for (const headers of refused) {
      const subscribed = client.subscribe(headers['destination'] ?? '', headers);
      await expect(subscribed).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
    }
    await expect(client.send('/queue/jobs/*', 'x')).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST' },
    });
    const longest = `/queue/${'x'.repeat(255)}`;
    const tooLong = { refusal: { code: 'TOO_LARGE' } };
    await expect(client.subscribe(`${longest}x`)).rejects.toMatchObject(tooLong);
    await expect(client.send(`${longest}x`, 'x')).rejects.toMatchObject(tooLong);
    await work(client, longest);
    await client.send(longest, 'x');
    // A dead letter of it would have no place to go: it keeps coming back.
    for (const number of range(1, 7)) {
      await giveBack(client, (await client.messages(longest, number))[number - 1]);
    }
    await acknowledge(client, (await client.messages(longest, 8))[7]);
  });

  test('[QUEUES10] bodies go out byte for byte and headers are passed on, but none that the server writes', async () => {
    const queue = newQueue();
    const worker = await connectWorker(server, queue);
    const bytes = Buffer.from(range(0, 255));
    await sender.send(queue, bytes, {
      'content-type': 'application/octet-stream',
      'odd:name': 'a\nb\\c:d',
      redelivered: 'true',
      ack: '1-1',
      'message-id': 'mine',
      'idempotency-key': 'key',
    });
    await sender.send(queue, 'grüße');
    const [binary, text] = await worker.messages(queue, 2);
    expect(binary).toMatchObject({ bytes, isBinary: true });
    expect(binary?.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'odd:name': 'a\nb\\c:d',
    });
    expect(binary?.headers['message-id']).not.toBe('mine');
    expect(binary?.headers['ack']).not.toBe('1-1');
    for (const name of ['redelivered', 'receipt', 'idempotency-key', 'seq', 'epoch']) {
      expect(binary?.headers[name]).toBeUndefined();
    }
    expect(text).toMatchObject({ body: 'grüße', isBinary: false });
  });

  test('[QUEUES13] a SEND repeated with its key is one message', async () => {
    const queue = newQueue();
    const worker = await connectWorker(server, queue, { ack: 'auto' });
    for (let time = 0; time < 3; time += 1) await sender.send(queue, 'once', { 'idempotency-key': 'k' });
    await sender.send(queue, 'last');
    await job(worker, queue, 'last');
    expect(gotOf(worker, queue)).toEqual(['once', 'last']);
  });

  test('[QUEUES15] a slow reader gets what it reads, is not closed for it, and slows nobody else', async () => {
    const [queue, other] = [newQueue(), newQueue()];
    const slow = await connectWorker(server, queue, { ack: 'auto', 'prefetch-count': '1000' });
    const waiting = await connectWorker(server, other, { 'prefetch-count': '1000' });
    slow.pause();
    waiting.pause();
    const large = 'x'.repeat(60_000);
    for (const to of [queue, other]) {
      await sendMany(
        sender,
        to,
        range(1, 200).map((number) => `${number} ${large}`),
      );
    }
    const fast = await connectWorker(server, queue, { ack: 'auto' });
    await sender.send(queue, 'for somebody who reads');
    await job(fast, queue, 'for somebody who reads');
    slow.readOn();
    waiting.readOn();
    for (const [client, to] of [
      [slow, queue],
      [waiting, other],
    ] as const) {
      const got = await client.messages(to, to === queue ? 200 - fast.received(queue).length + 1 : 200);
      const numbers = bodiesOf(got).map((body) => Number.parseInt(body, 10));
      expect(numbers).toEqual(numbers.toSorted((one, two) => one - two));
    }
    await slow.disconnect();
    await waiting.disconnect();
  });

  test('[QUEUES12] any user may send to a queue and take from it, by @stomp/stompjs as well', async () => {
    const queue = newQueue();
    const client = new Client({
      webSocketFactory: () => new WebSocket(server.wsUrl, ['v12.stomp']),
      connectHeaders: { Authorization: `Bearer ${await server.token('carol')}` },
      reconnectDelay: 0,
    });
    await new Promise<void>((resolve) => {
      client.onConnect = () => resolve();
      client.activate();
    });
    const got: IMessage[] = [];
    const four = new Promise<void>((resolve) => {
      client.subscribe(
        queue,
        (message) => {
          got.push(message);
          if (message.body === 'back' && message.headers['redelivered'] !== 'true') message.nack();
          else message.ack();
          if (got.length === 4) resolve();
        },
        { ack: 'client-individual', 'prefetch-count': '1' },
      );
    });
    for (const body of ['one', 'back', 'three']) client.publish({ destination: queue, body });
    await four;
    expect(got.map(({ body }) => body)).toEqual(['one', 'back', 'back', 'three']);
    await client.deactivate();
    const next = await connectWorker(server, queue);
    await sender.send(queue, 'last');
    expect(await next.waitFor(isMessageOf(queue))).toMatchObject({ body: 'last' });
  });
});
