// How the process ends: a drain, a second signal, a crash; and that it never aborts.
import { Agent, get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { DatabaseView } from '../support/database.ts';
import { spawnServer, startServer, type TestServer } from '../support/server.ts';
import { connectStomp, openSocket, type TestClient } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const clean = { code: 0, signal: null };

/** Sends on and on until the connection ends; resolves with the bodies that got a RECEIPT. */
async function sendAlways(client: TestClient, destination: string, name: string): Promise<string[]> {
  const kept: string[] = [];
  const lane = async (number: number): Promise<void> => {
    for (let index = 0; index < 100_000; index += 1) {
      const body = `${name} ${number} ${index}`;
      await client.send(destination, body);
      kept.push(body);
    }
  };
  await Promise.allSettled([lane(0), lane(1), lane(2)]);
  return kept;
}

/** Bodies of all messages of plain topics. */
function storedBodies(server: TestServer): Set<string> {
  const database = new DatabaseView(server.databaseUrl);
  const rows = database.rows('SELECT body FROM topic_messages');
  database.close();
  return new Set(rows.map(({ body }) => (body as Buffer).toString()));
}

interface Load {
  readonly clients: readonly TestClient[];
  /** Resolves when every connection has ended. */
  readonly receipted: Promise<readonly string[]>;
}

/** 50 clients, all subscribed, ten of them sending as fast as they get receipts. */
async function startLoad(server: TestServer): Promise<Load> {
  const clients = await Promise.all(
    Array.from({ length: 50 }, (_, index) => connectStomp(server, { user: `user-${index}` })),
  );
  await Promise.all(clients.map((client, index) => client.subscribe(`/topic/t${index % 5}`)));
  const sending = clients
    .slice(0, 10)
    .map((client, index) => sendAlways(client, `/topic/t${index % 5}`, `${index}`));
  for (const topic of ['/topic/t0', '/topic/t4']) await clients[Number(topic.at(-1))]?.messages(topic, 100);
  return { clients, receipted: Promise.all(sending).then((all) => all.flat()) };
}

describe.concurrent('a signal', () => {
  test.each([
    ['SIGTERM', { edges: '1', shards: '1' }],
    ['SIGINT', { edges: '2', shards: '2' }],
  ] as const)(
    '[PROC10] %s under load: 1012 for all, exit code 0, all that got a receipt is stored',
    async (signal, settings) => {
      const server = await startServer({ settings });
      const { clients, receipted } = await startLoad(server);
      const startedMs = systemClock.now();
      expect(await server.stop(signal)).toEqual(clean);
      expect(systemClock.now() - startedMs).toBeLessThan(10_000);
      const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code));
      expect(codes).toEqual(clients.map(() => 1012));
      const kept = await receipted;
      expect(kept.length).toBeGreaterThan(100);
      const stored = storedBodies(server);
      expect(kept.filter((body) => !stored.has(body))).toEqual([]);
      const ends = server.log.filter(
        ({ event, reason }) => event === 'disconnect' && reason === 'server drains',
      );
      expect(ends).toHaveLength(clients.length);
      expect(server.log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
    },
  );

  test('[PROC16] what was received before the signal is done and answered first', async () => {
    const server = await startServer({ kindsUrl });
    const client = await connectStomp(server, { user: 'alice' });
    const bodies = ['fault:slow', ...Array.from({ length: 20 }, (_, index) => `${index}`)];
    const sent = bodies.map((body) => client.send('/topic/a', body));
    // The edge itself answers this one, so it has handled the frames before.
    await client.subscribe('/user/queue/errors', { id: 'more errors' });
    server.signal('SIGTERM');
    await Promise.all(sent);
    expect((await client.closed).code).toBe(1012);
    expect(await server.exit()).toEqual(clean);
    expect(storedBodies(server)).toEqual(new Set(bodies));
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '[PROC11] a second %s ends a drain that hangs, at once',
    async (signal) => {
      const { server, client } = await startHung('1h');
      server.signal(signal);
      await server.logged(({ msg }) => msg === 'draining');
      expect(await server.stop(signal)).toEqual({ code: null, signal });
      expect((await client.closed).code).toBe(1006);
    },
  );

  test('[PROC12] a drain: /readyz is 503, nobody gets in, and what takes too long is cut off', async () => {
    const { server } = await startHung('2s');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await status(server, agent, '/readyz')).toBe(200);
    server.signal('SIGTERM');
    await server.logged(({ msg }) => msg === 'draining');
    // The main thread says so before the edge has heard it.
    while ((await status(server, agent, '/readyz')) === 200);
    expect(await status(server, agent, '/readyz')).toBe(503);
    expect(await status(server, agent, '/healthz')).toBe(200);
    await expect(openSocket(server)).rejects.toThrow(/ECONNREFUSED/);
    expect(await server.exit()).toEqual({ code: null, signal: 'SIGKILL' });
    agent.destroy();
  });

  test('[PROC13] a signal while it starts ends it, at whatever point, and never by an abort', async () => {
    for (let delayMs = 60; delayMs <= 300; delayMs += 40) {
      const server = await spawnServer({ settings: { edges: '2', shards: '2' } });
      await new Promise<void>((resolve) => systemClock.after(delayMs, resolve));
      expect([clean, { code: null, signal: 'SIGTERM' }]).toContainEqual(await server.stop('SIGTERM'));
    }
  });
});

describe.concurrent('an end that nobody asked for', () => {
  test('[PROC14] after a crash all that got a receipt is there, and clients resume', async () => {
    const server = await startServer();
    const { clients, receipted } = await startLoad(server);
    expect(await server.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    const kept = await receipted;
    const again = await server.restart();
    const listener = clients[0] as TestClient;
    const seen = listener.received('/topic/t0');
    const last = seen.at(-1);
    const client = await connectStomp(again, { user: 'user-0' });
    await client.subscribe('/topic/t0', { resume: `${last?.headers['epoch']}:${last?.headers['seq']}` });
    await client.send('/topic/t0', 'after the crash');
    await client.waitFor(({ body }) => body === 'after the crash');
    const all = [...seen, ...client.received('/topic/t0')];
    expect(client.received('/topic/t0')[0]?.headers['recovered']).toBe('true');
    expect(all.map(({ headers }) => headers['seq'])).toEqual(all.map((_, index) => `${index + 1}`));
    expect(await again.stop()).toEqual(clean);
    const stored = storedBodies(again);
    expect(kept.filter((body) => !stored.has(body))).toEqual([]);
    expect(all.filter(({ body }) => !stored.has(body))).toEqual([]);
  });
});

describe.concurrent('a thread that can not start', () => {
  const kindsModule = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
  const faultyKind = (fields: string): string =>
    kindsModule(
      `export const kinds = [{ name: 'x', streams: {}, commands: {}, load: () => ({}), ${fields} }];`,
    );

  test.each([
    ['a module without kinds', kindsModule('export const kinds = 1;'), /exports no list of kinds/],
    ['a module that ends the thread', kindsModule('process.exit(7);'), /exited with code: 7/],
    [
      'a route that is none, which edges alone look at',
      faultyKind(`commands: { a: { routes: ['GET a'] } }`),
      /not a route/,
    ],
  ])('[PROC15] %s: exit code 1, and no abort', async (_name, module, text) => {
    const server = await spawnServer({ kindsUrl: module, settings: { shards: '2', edges: '2' } });
    expect(await server.exit()).toEqual({ code: 1, signal: null });
    expect(server.log.map((line) => JSON.stringify(line)).join('\n')).toMatch(text);
    expect(server.outputLines).toEqual([]);
  });
});

/** A server whose only shard hangs in a turn, so that a drain can't come to its end. */
async function startHung(drainWithinMs: string): Promise<{ server: TestServer; client: TestClient }> {
  const server = await startServer({ kindsUrl, settings: { drainWithinMs, shards: '1', edges: '1' } });
  const client = await connectStomp(server, { user: 'alice' });
  client.sendFrame('SEND', { destination: '/topic/a' }, 'fault:hang');
  // The edge itself answers this one, so it has handled the frame before.
  await client.subscribe('/user/queue/errors', { id: 'more errors' });
  return { server, client };
}

function status(server: TestServer, agent: Agent, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${server.url}${path}`, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}
