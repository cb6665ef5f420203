// Changes of the inventory are missed by nobody who resumes.
import { describe, expect, test } from 'vitest';
import { layouts } from '../support/layouts.ts';
import { range, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { putProduct } from '../support/stock.ts';
import { connectStomp, parse, type ReceivedFrame, type TestClient } from '../support/stomp.ts';

const topic = '/topic/inventory';
const recoveredOf = ({ headers }: ReceivedFrame): string | undefined => headers['recovered'];
const placeOf = ({ headers }: ReceivedFrame): string => `${headers['epoch']}:${headers['seq']}`;

async function resumed(server: TestServer, resume: string, destination = topic): Promise<TestClient> {
  const client = await connectStomp(server, { user: 'alice' });
  await client.subscribe(destination, { resume });
  return client;
}

async function putAll(server: TestServer, from: number, to: number): Promise<void> {
  for (const quantity of range(from, to)) await putProduct(server, 'chair', { quantity });
}

const quantitiesOf = (client: TestClient): unknown[] =>
  client.received(topic).map((frame) => parse(frame)['quantity']);

describe.each(layouts)('$name', (layout) => {
  test('[INVENTORY30] who subscribed before the first change resumes from it, also after a restart', async () => {
    const server = await startServer({ settings: layout.settings });
    const early = await connectStomp(server, { user: 'alice' });
    await early.subscribe(topic);
    await putAll(server, 1, 1);
    const [first] = await early.messages(topic, 1);
    expect(first?.headers['seq']).toBe('1');
    const place = placeOf(first as never);

    await putAll(server, 2, 4);
    expect((await early.messages(topic, 4)).map(placeOf)).toEqual(
      range(1, 4).map((seq) => place.replace(/1$/, String(seq))),
    );
    const late = await resumed(server, place);
    expect(late.received(topic).map(recoveredOf)).toEqual(['true', undefined, undefined]);
    expect(quantitiesOf(late)).toEqual([2, 3, 4]);

    await server.kill();
    const next = await server.restart();
    await putAll(next, 5, 6);
    const after = await resumed(next, place);
    expect(after.received(topic).map(recoveredOf)).toEqual(['true', ...Array(4).fill(undefined)]);
    expect(quantitiesOf(after)).toEqual(range(2, 6));
    await putAll(next, 7, 7);
    expect((await after.messages(topic, 6)).map(seqOf)).toEqual(range(2, 7));
    await next.stop();
  });

  test('[INVENTORY31] a gap that can not be filled is told, with the list of all products', async () => {
    const server = await startServer({ settings: layout.settings });
    await putProduct(server, 'table', { quantity: 9 });
    await putProduct(server, 'chair', { quantity: 1 });
    const service = await connectStomp(server, { user: 'shop', roles: ['service'] });
    await service.send('/app/inventory.update/chair', { delta: 4, urgent: true });

    const expected = [
      { productId: 'chair', quantity: 5, urgent: true, version: 2 },
      { productId: 'table', quantity: 9, urgent: false, version: 1 },
    ];
    for (const resume of ['unreadable', 'other:2', 'other:999']) {
      const client = await resumed(server, resume);
      const [lost, ...more] = client.received(topic);
      expect(more).toEqual([]);
      expect(lost?.headers).toMatchObject({ recovered: 'false', seq: '3' });
      expect(JSON.parse(lost?.body ?? '')).toMatchObject(expected);
      // From there nothing is missed again.
      const next = await resumed(server, placeOf(lost as never));
      expect(next.received(topic)).toEqual([]);
      await client.disconnect();
      await next.disconnect();
    }

    await server.stop();
    const next = await server.restart();
    const client = await resumed(next, 'unreadable');
    expect(JSON.parse(client.received(topic)[0]?.body ?? '')).toMatchObject(expected);
    await next.stop();
  });

  test('[INVENTORY32] the place that is told while there is nothing yet can be resumed from', async () => {
    const server = await startServer({ settings: layout.settings });
    const [lost] = (await resumed(server, 'unreadable')).received(topic);
    expect(lost?.headers).toMatchObject({ recovered: 'false', seq: '0' });
    expect(lost?.body).toBe('[]');
    await server.kill();
    const next = await server.restart();
    await putAll(next, 1, 3);
    const client = await resumed(next, placeOf(lost as never));
    expect(client.received(topic).map(recoveredOf)).toEqual(['true', undefined, undefined]);
    expect(quantitiesOf(client)).toEqual([1, 2, 3]);
    await next.stop();
  });

  test('[INVENTORY33] a durable name from before the first change misses nothing', async () => {
    const server = await startServer({ settings: layout.settings });
    const headers = { durable: 'stock', ack: 'client' };
    const first = await connectStomp(server, { user: 'alice' });
    await first.subscribe(topic, headers);
    await first.disconnect();
    await putAll(server, 1, 3);
    const second = await connectStomp(server, { user: 'alice' });
    await second.subscribe(topic, headers);
    expect(quantitiesOf(second)).toEqual([1, 2, 3]);
    await second.request('ACK', { id: String(second.received(topic)[1]?.headers['ack']) });
    await second.disconnect();
    await server.kill();
    const next = await server.restart();
    const third = await connectStomp(next, { user: 'alice' });
    await third.subscribe(topic, headers);
    expect(quantitiesOf(third)).toEqual([3]);
    await next.stop();
  });
});
