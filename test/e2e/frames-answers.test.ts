// What a frame is answered with: RECEIPT, a refusal, or the end of the conversation.
import { beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, encode, openSocket, type TestClient } from '../support/stomp.ts';

let server: TestServer;
let topics = 0;

beforeAll(async () => {
  server = await startServer();
});

function newTopic(): string {
  topics += 1;
  return `/topic/answers.${topics}`;
}

const refusedWith = (code: string, fields: object = {}): unknown =>
  expect.objectContaining({ refusal: expect.objectContaining({ code, ...fields }) as unknown });

describe('RECEIPT', () => {
  test('[FRAME9] every frame with a receipt header gets a RECEIPT', async () => {
    const client = await connectStomp(server, { user: 'alice' });
    const topic = newTopic();
    await client.request('SUBSCRIBE', { id: 's', destination: topic, ack: 'client' });
    await client.request('SEND', { destination: topic }, 'one');
    const [message] = await client.messages(topic, 1);
    const ack = message?.headers['ack'] ?? '';
    expect(ack).not.toBe('');
    await client.request('NACK', { id: ack });
    await client.request('ACK', { id: ack });
    await client.request('UNSUBSCRIBE', { id: 's' });
    await client.request('BEGIN', { transaction: 't' });
    await client.request('COMMIT', { transaction: 't' });
    await client.request('BEGIN', { transaction: 't' });
    await client.request('ABORT', { transaction: 't' });
    await client.request('DISCONNECT', { receipt: 'a:b\nc' });
    const receipts = client.frames.filter(({ command }) => command === 'RECEIPT');
    expect(new Set(receipts.map(({ headers }) => headers['receipt-id'])).size).toBe(receipts.length);
    expect(receipts.at(-1)?.headers['receipt-id']).toBe('a:b\nc');
    client.socket.close();
  });

  test('[FRAME9] no receipt header, no RECEIPT', async () => {
    const client = await connectStomp(server, { user: 'alice', errors: false });
    const topic = newTopic();
    client.sendFrame('SUBSCRIBE', { id: 's', destination: topic });
    client.sendFrame('SEND', { destination: topic }, 'one');
    await client.messages(topic, 1);
    expect(client.frames.map(({ command }) => command)).toEqual(['CONNECTED', 'MESSAGE']);
    client.socket.close();
  });

  test('[FRAME10] SUBSCRIBE, SEND and UNSUBSCRIBE take effect in the order they came', async () => {
    const client = await connectStomp(server, { user: 'alice' });
    for (let round = 0; round < 20; round += 1) {
      const topic = newTopic();
      const frames = [
        encode('1.2', 'SUBSCRIBE', { id: `${round}`, destination: topic }),
        encode('1.2', 'SEND', { destination: topic }, 'one'),
      ];
      client.sendRaw(frames.join(''));
      expect(await client.messages(topic, 1)).toMatchObject([{ body: 'one' }]);
      client.sendFrame('UNSUBSCRIBE', { id: `${round}` });
      await client.send(topic, 'two');
      expect(client.received(topic)).toHaveLength(1);
    }
    await client.disconnect();
  });

  test('[FRAME11] the RECEIPT of DISCONNECT comes after the answers to all before it', async () => {
    const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
    const slow = await startServer({ kindsUrl, settings: { heartBeatMs: '1s' } });
    const client = await connectStomp(slow, { user: 'alice', heartBeat: '0,1000' });
    const bodies = ['fault:slow', ...Array.from({ length: 20 }, () => 'x')];
    const frames = bodies.map((body, index) =>
      encode('1.2', 'SEND', { destination: '/topic/a', receipt: `${index}` }, body),
    );
    client.sendRaw([...frames, encode('1.2', 'DISCONNECT', { receipt: 'bye' })].join(''));
    client.sendFrame('SEND', { destination: '/topic/a', receipt: 'late' }, 'after DISCONNECT nothing counts');
    await client.waitFor(({ headers }) => headers['receipt-id'] === 'bye');
    const receipts = client.frames.filter(({ command }) => command === 'RECEIPT').slice(1);
    expect(receipts.map(({ headers }) => headers['receipt-id'])).toEqual(
      [...frames.keys(), 'bye'].map(String),
    );
    client.socket.close();
    await client.closed;
    expect(client.frames.at(-1)?.headers['receipt-id']).toBe('bye');
  });

  test('[FRAME11] after DISCONNECT without a receipt the server closes', async () => {
    const client = await connectStomp(server, { user: 'alice' });
    const witness = await connectStomp(server, { user: 'bob' });
    const topic = newTopic();
    await witness.subscribe(topic);
    client.sendRaw(
      [encode('1.2', 'SEND', { destination: topic }, 'x'), encode('1.2', 'DISCONNECT', {})].join(''),
    );
    expect((await client.closed).code).toBe(1000);
    await witness.messages(topic, 1);
    await witness.disconnect();
  });
});

describe('refusals', () => {
  let client: TestClient;
  beforeAll(async () => {
    client = await connectStomp(server, { user: 'alice' });
  });

  test('[FRAME12] a second SUBSCRIBE with a used id is refused, and the first stays live', async () => {
    const [first, second] = [newTopic(), newTopic()];
    await client.subscribe(first, { id: 'same' });
    await expect(client.subscribe(second, { id: 'same' })).rejects.toEqual(
      refusedWith('CONFLICT', { destination: second }),
    );
    await expect(client.subscribe(first, { id: 'same' })).rejects.toEqual(refusedWith('CONFLICT'));
    await client.send(second, 'not seen');
    await client.send(first, 'seen');
    const messages = await client.messages(first, 1);
    expect(messages).toMatchObject([{ body: 'seen', headers: { subscription: 'same' } }]);
    expect(client.received(second)).toEqual([]);
    await client.unsubscribe('same');
    await client.subscribe(second, { id: 'same' });
  });

  test('[FRAME12] two subscriptions of one destination both get each message', async () => {
    const topic = newTopic();
    const ids = [await client.subscribe(topic), await client.subscribe(topic)];
    await client.send(topic, 'one');
    const messages = await client.messages(topic, 2);
    expect(new Set(messages.map(({ headers }) => headers['subscription']))).toEqual(new Set(ids));
    await client.unsubscribe(ids[0] ?? '');
    await client.send(topic, 'two');
    expect((await client.messages(topic, 3))[2]).toMatchObject({
      body: 'two',
      headers: { subscription: ids[1] },
    });
  });

  test.each<[string, string, Record<string, string>, string]>([
    ['an /app destination that nothing handles', 'SEND', { destination: '/app/nothing/here' }, 'NOT_FOUND'],
    [
      'an /app subscription that nothing serves',
      'SUBSCRIBE',
      { id: 'n', destination: '/app/nothing' },
      'NOT_FOUND',
    ],
    ['a destination of no kind', 'SEND', { destination: 'nowhere' }, 'NOT_FOUND'],
    ['a SEND without a destination', 'SEND', {}, 'BAD_REQUEST'],
    ['a SUBSCRIBE without a destination', 'SUBSCRIBE', { id: 'n' }, 'BAD_REQUEST'],
    ['a SUBSCRIBE without an id', 'SUBSCRIBE', { destination: '/topic/a' }, 'BAD_REQUEST'],
    ['an UNSUBSCRIBE of an unknown id', 'UNSUBSCRIBE', { id: 'unknown' }, 'NOT_FOUND'],
    ['an ACK of nothing', 'ACK', { id: 'unknown' }, 'BAD_REQUEST'],
    ['a NACK without an id', 'NACK', {}, 'BAD_REQUEST'],
    [
      'a subscription id of 300 characters',
      'SUBSCRIBE',
      { id: 'i'.repeat(300), destination: '/topic/a' },
      'BAD_REQUEST',
    ],
  ])(
    '[FRAME13] %s is refused on /user/queue/errors, and the connection stays',
    async (_name, command, headers, code) => {
      await expect(client.request(command, headers)).rejects.toEqual(
        refusedWith(code, {
          message: expect.stringMatching(/\w/) as unknown,
          destination: headers['destination'] ?? '',
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
        }),
      );
      await client.send('/topic/still', 'here');
    },
  );

  test('[FRAME13] one more than 1,000 subscriptions is refused', async () => {
    const many = await connectStomp(server, { user: 'many' });
    const topic = newTopic();
    for (let index = 1; index < 1_000; index += 1)
      many.sendFrame('SUBSCRIBE', { id: `${index}`, destination: topic });
    many.sendFrame('SUBSCRIBE', { id: 'too many', destination: topic });
    const refusal = await many.refusal('TOO_LARGE');
    expect(Object.keys(refusal).toSorted()).toEqual(['code', 'destination', 'message', 'timestamp']);
    await many.send(topic, 'x');
    await many.messages(topic, 999);
    many.cut();
  });
});

describe('before CONNECTED', () => {
  const subscribe = (id: string): string =>
    encode('1.2', 'SUBSCRIBE', { id, destination: '/topic/early', receipt: id }) as string;

  test('[FRAME14] frames that follow CONNECT at once are handled after it, in order', async () => {
    const client = await openSocket(server);
    const connect = { 'accept-version': '1.2', Authorization: `Bearer ${await server.token('alice')}` };
    client.sendRaw([encode('1.2', 'CONNECT', connect), subscribe('a'), subscribe('b')].join(''));
    client.sendRaw(subscribe('c').slice(0, 12));
    client.sendRaw(subscribe('c').slice(12));
    await client.waitFor(({ headers }) => headers['receipt-id'] === 'c');
    const answers = client.frames.map(({ command, headers }) => headers['receipt-id'] ?? command);
    expect(answers).toEqual(['CONNECTED', 'a', 'b', 'c']);
    await client.disconnect();
  });

  test('[FRAME14] none of them happens when the token is not good; 64 KiB is the most', async () => {
    const refused = await openSocket(server);
    refused.sendRaw(encode('1.2', 'CONNECT', { Authorization: 'Bearer bad' }) + subscribe('a'));
    expect((await refused.failure()).error.headers['message']).toBe('UNAUTHORIZED');
    expect(refused.frames).toHaveLength(1);
    const tooMuch = await openSocket(server);
    const connect = encode('1.2', 'CONNECT', { Authorization: `Bearer ${await server.token('alice')}` });
    tooMuch.sendRaw(connect + subscribe('a').repeat(200));
    expect((await tooMuch.failure()).error.headers['code']).toBe('TOO_LARGE');
    expect(tooMuch.frames).toHaveLength(1);
  });
});
