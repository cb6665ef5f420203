// The rate limit as clients meet it: per user, over all connections, and nothing of what is refused happens.
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { startServer, testSecret, type TestServer } from '../support/server.ts';
import { connectStomp, parse, RefusedError, type TestClient } from '../support/stomp.ts';

/** Connections of one user, on every edge thread at least one. */
async function connectOnAllEdges(server: TestServer, user: string, edges: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  const threads = new Set<unknown>();
  while (clients.length < 2 || threads.size < edges) {
    const client = await connectStomp(server, { user });
    const session = client.frames[0]?.headers['session'];
    threads.add((await server.logged((line) => line['session'] === session))['thread']);
    clients.push(client);
  }
  return clients;
}

interface Attempt {
  readonly body: string;
  /** Null when it got its RECEIPT. */
  readonly refusal: RefusedError['refusal'] | null;
}

async function attempt(client: TestClient, destination: string, body: string): Promise<Attempt> {
  try {
    await client.send(destination, body);
    return { body, refusal: null };
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RefusedError);
    return { body, refusal: (thrown as RefusedError).refusal };
  }
}

describe.concurrent('the rate limit', () => {
  test.each([1, 2])(
    '[LIMIT1] 30 messages in 10 s unless set, over all connections of a user, with %i edge threads',
    async (edges) => {
      const settings = { edges: `${edges}`, jwtSecret: testSecret, databaseUrl: 'memory:' };
      const server = await startServer({ bare: true, settings });
      const witness = await connectStomp(server, { user: 'witness' });
      await witness.subscribe('/topic/a');
      const clients = await connectOnAllEdges(server, 'alice', edges);
      const startedMs = systemClock.now();
      const attempts = await Promise.all(
        Array.from({ length: 90 }, (_, index) =>
          attempt(clients[index % clients.length] as TestClient, '/topic/a', `${index}`),
        ),
      );
      const tookMs = systemClock.now() - startedMs;
      const taken = attempts.filter(({ refusal }) => refusal === null);
      expect(taken.length).toBeGreaterThanOrEqual(30);
      // One comes back every third of a second.
      expect(taken.length).toBeLessThanOrEqual(31 + tookMs / 333);
      for (const { refusal } of attempts.filter((one) => one.refusal !== null)) {
        expect(refusal).toMatchObject({ code: 'RATE_LIMITED', destination: '/topic/a' });
        expect(refusal?.['retryAfterMs']).toSatisfy(
          (ms) => Number.isInteger(ms) && Number(ms) > 0 && Number(ms) <= 10_000,
        );
      }
      await witness.send('/topic/a', 'others are not meant');
      const seen = await witness.messages('/topic/a', taken.length + 1);
      expect(seen.map(({ body }) => body).toSorted()).toEqual(
        ['others are not meant', ...taken.map(({ body }) => body)].toSorted(),
      );
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );

  test('[LIMIT2] a limited user may still ACK, SUBSCRIBE, UNSUBSCRIBE, COMMIT and DISCONNECT', async () => {
    const server = await startServer({ settings: { rateLimit: '3/1h' } });
    const client = await connectStomp(server, { user: 'alice' });
    await client.subscribe('/topic/a', { id: 's', ack: 'client-individual', durable: 'd' });
    for (const body of ['1', '2']) await client.send('/topic/a', body);
    await client.request('BEGIN', { transaction: 't' });
    client.sendFrame('SEND', { destination: '/topic/a', transaction: 't' }, '3');
    expect((await attempt(client, '/topic/a', 'no')).refusal?.['code']).toBe('RATE_LIMITED');
    for (const frame of await client.messages('/topic/a', 2)) {
      await client.request('ACK', { id: frame.headers['ack'] ?? '' });
      await client.request('NACK', { id: frame.headers['ack'] ?? '' });
    }
    // What was held back has paid when it came.
    await client.request('COMMIT', { transaction: 't' });
    expect((await client.messages('/topic/a', 3)).map(({ body }) => body)).toEqual(['1', '2', '3']);
    await client.subscribe('/topic/b', { id: 'b' });
    await client.unsubscribe('b');
    await client.unsubscribe('s');
    await client.disconnect();
    const again = await connectStomp(server, { user: 'alice' });
    expect((await attempt(again, '/topic/a', 'no')).refusal?.['code']).toBe('RATE_LIMITED');
    await server.stop();
  });

  test('[LIMIT3] after retryAfterMs one more is taken', async () => {
    const server = await startServer({ settings: { rateLimit: '2/1s' } });
    const client = await connectStomp(server, { user: 'alice' });
    const first = await Promise.all(['1', '2', '3'].map((body) => attempt(client, '/topic/a', body)));
    expect(first.map(({ refusal }) => refusal?.['code'])).toEqual([undefined, undefined, 'RATE_LIMITED']);
    const retryAfterMs = Number(first[2]?.refusal?.['retryAfterMs']);
    expect(retryAfterMs).toBeLessThanOrEqual(500);
    await new Promise<void>((resolve) => systemClock.after(retryAfterMs, resolve));
    expect((await attempt(client, '/topic/a', '4')).refusal).toBeNull();
    const refusals = client.received('/user/queue/errors').map(parse);
    expect(refusals).toHaveLength(1);
    await server.stop();
  });
});
