// Transactions: nothing before COMMIT, nothing after ABORT, and never without a bound.
import { beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

let server: TestServer;
let topics = 0;

beforeAll(async () => {
  server = await startServer();
});

interface Scene {
  readonly client: TestClient;
  readonly witness: TestClient;
  readonly topic: string;
  /** Sends a marker outside of transactions; resolves with all bodies that the witness got before it. */
  readonly before: (marker: string) => Promise<string[]>;
}

async function scene(): Promise<Scene> {
  topics += 1;
  const topic = `/topic/transactions.${topics}`;
  const witness = await connectStomp(server, { user: 'witness' });
  await witness.subscribe(topic);
  const client = await connectStomp(server, { user: 'alice' });
  const before = async (marker: string): Promise<string[]> => {
    await witness.send(topic, marker);
    await witness.waitFor(({ body }) => body === marker);
    const bodies = witness.received(topic).map(({ body }) => body);
    return bodies.slice(0, bodies.indexOf(marker));
  };
  return { client, witness, topic, before };
}

const hold = (client: TestClient, topic: string, body: string, headers = {}): void =>
  client.sendFrame('SEND', { destination: topic, transaction: 't', ...headers }, body);

describe('transactions', () => {
  test('[FRAME20] nothing happens before COMMIT; then all of it, in order, with receipts', async () => {
    const { client, topic, before } = await scene();
    await client.request('BEGIN', { transaction: 't' });
    for (const body of ['1', '2', '3']) hold(client, topic, body, { receipt: `held ${body}` });
    await client.send(topic, 'outside');
    expect(await before('marker')).toEqual(['outside']);
    expect(client.frames.some(({ headers }) => headers['receipt-id']?.startsWith('held'))).toBe(false);
    await client.request('COMMIT', { transaction: 't' });
    expect(await before('end')).toEqual(['outside', 'marker', '1', '2', '3']);
    const receipts = client.frames.filter(({ command }) => command === 'RECEIPT').slice(-4);
    expect(receipts.slice(0, 3).map(({ headers }) => headers['receipt-id'])).toEqual([
      'held 1',
      'held 2',
      'held 3',
    ]);
  });

  test('[FRAME21] nothing of it happens after ABORT, or when the connection ends', async () => {
    const { client, topic, before } = await scene();
    await client.request('BEGIN', { transaction: 't' });
    hold(client, topic, 'aborted', { receipt: 'aborted' });
    await client.request('ABORT', { transaction: 't' });
    await expect(client.request('COMMIT', { transaction: 't' })).rejects.toMatchObject({
      refusal: { code: 'NOT_FOUND' },
    });
    await client.request('BEGIN', { transaction: 't' });
    hold(client, topic, 'left open');
    await client.disconnect();
    const cut = await connectStomp(server, { user: 'alice' });
    await cut.request('BEGIN', { transaction: 't' });
    hold(cut, topic, 'cut');
    await cut.subscribe('/user/queue/errors');
    cut.cut();
    await server.logged(
      ({ event, session }) => event === 'disconnect' && session === cut.frames[0]?.headers['session'],
    );
    expect(await before('end')).toEqual([]);
  });

  test('[FRAME22] several are open at once, and each has its own frames', async () => {
    const { client, topic, before } = await scene();
    for (const transaction of ['a', 'b', 'c']) await client.request('BEGIN', { transaction });
    for (const transaction of ['a', 'b', 'c', 'a']) {
      client.sendFrame('SEND', { destination: topic, transaction }, `of ${transaction}`);
    }
    await client.request('ABORT', { transaction: 'b' });
    await client.request('COMMIT', { transaction: 'c' });
    await client.request('COMMIT', { transaction: 'a' });
    expect(await before('end')).toEqual(['of c', 'of a', 'of a']);
  });

  test.each<[string, string, Record<string, string>, string]>([
    [
      'a SEND in a transaction that is not open',
      'SEND',
      { destination: '/topic/x', transaction: 'no' },
      'NOT_FOUND',
    ],
    ['an ACK in one that is not open', 'ACK', { id: '1-1', transaction: 'no' }, 'NOT_FOUND'],
    ['a COMMIT of one that is not open', 'COMMIT', { transaction: 'no' }, 'NOT_FOUND'],
    ['an ABORT of one that is not open', 'ABORT', { transaction: 'no' }, 'NOT_FOUND'],
    ['a BEGIN without a name', 'BEGIN', {}, 'BAD_REQUEST'],
    ['a COMMIT without a name', 'COMMIT', {}, 'BAD_REQUEST'],
    ['a BEGIN of one that is open', 'BEGIN', { transaction: 'open' }, 'CONFLICT'],
  ])('[FRAME23] %s is refused, and the connection stays', async (_name, command, headers, code) => {
    const { client } = await scene();
    await client.request('BEGIN', { transaction: 'open' });
    await expect(client.request(command, headers)).rejects.toMatchObject({ refusal: { code } });
    await client.request('COMMIT', { transaction: 'open' });
  });

  test('[FRAME24] they are bounded: 16 open, 1,000 frames, 1 MiB', async () => {
    const { client, topic, before } = await scene();
    for (let index = 0; index < 16; index += 1) await client.request('BEGIN', { transaction: `${index}` });
    await expect(client.request('BEGIN', { transaction: '16' })).rejects.toMatchObject({
      refusal: { code: 'TOO_LARGE' },
    });
    for (let index = 1; index < 16; index += 1) await client.request('ABORT', { transaction: `${index}` });
    const send = (body: string): void =>
      client.sendFrame('SEND', { destination: topic, transaction: '0' }, body);
    for (let index = 0; index < 16; index += 1) send('x'.repeat(65_000));
    const big = { destination: topic, transaction: '0', receipt: 'big' };
    await expect(client.request('SEND', big, 'x'.repeat(20_000))).rejects.toMatchObject({
      refusal: { code: 'TOO_LARGE', receipt: 'big' },
    });
    await client.request('ABORT', { transaction: '0' });
    await client.request('BEGIN', { transaction: '0' });
    for (let index = 0; index < 1_000; index += 1) send(`${index}`);
    const one = { destination: topic, transaction: '0', receipt: 'one' };
    await expect(client.request('SEND', one, 'more')).rejects.toMatchObject({
      refusal: { code: 'TOO_LARGE', receipt: 'one' },
    });
    await client.request('ABORT', { transaction: '0' });
    expect(await before('end')).toEqual([]);
  });

  test('[FRAME25] a COMMIT of which a frame is refused gets a refusal instead of its RECEIPT', async () => {
    const { client, topic, before } = await scene();
    await client.request('BEGIN', { transaction: 't' });
    hold(client, topic, 'good');
    hold(client, '/app/nothing', 'bad', { receipt: 'bad' });
    await expect(client.request('COMMIT', { transaction: 't', receipt: 'all' })).rejects.toMatchObject({
      refusal: { code: 'CONFLICT', receipt: 'all' },
    });
    expect(await client.refusal('NOT_FOUND')).toMatchObject({ receipt: 'bad', destination: '/app/nothing' });
    expect(await before('end')).toEqual(['good']);
  });

  test('[FRAME26] an ACK in a transaction counts with its COMMIT, and not after an ABORT', async () => {
    const { client, topic } = await scene();
    const durable = { durable: 'reader', ack: 'client-individual' };
    await client.subscribe(topic, durable);
    for (const body of ['1', '2', '3']) await client.send(topic, body);
    const acks = (await client.messages(topic, 3)).map(({ headers }) => headers['ack'] ?? '');
    await client.request('BEGIN', { transaction: 'kept' });
    await client.request('BEGIN', { transaction: 'dropped' });
    client.sendFrame('ACK', { id: acks[0] ?? '', transaction: 'kept' });
    client.sendFrame('ACK', { id: acks[1] ?? '', transaction: 'dropped' });
    await client.request('ABORT', { transaction: 'dropped' });
    await client.request('COMMIT', { transaction: 'kept' });
    await client.disconnect();
    const again = await connectStomp(server, { user: 'alice' });
    await again.subscribe(topic, durable);
    expect((await again.messages(topic, 2)).map(({ body }) => body)).toEqual(['2', '3']);
  });
});
