// Faults: what dies takes nothing else with it, and nothing of what was promised is lost.
import { describe, expect, test } from 'vitest';
import { startServer, type ServerOptions, type TestServer } from '../support/server.ts';
import { connectStomp, isMessageOf, RefusedError, type TestClient } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;

function startFaulty(settings: ServerOptions['settings'] = {}): Promise<TestServer> {
  return startServer({ kindsUrl, settings });
}

const bodies = (client: TestClient, destination: string): string[] =>
  client.received(destination).map(({ body }) => body);

/** Bodies and seqs of a plain topic as the database holds them: a subscription that resumes from the start. */
async function stored(server: TestServer, destination: string, epoch: string, count: number) {
  const reader = await connectStomp(server, { user: 'reader' });
  await reader.subscribe(destination, { resume: `${epoch}:0` });
  const messages = await reader.messages(destination, count);
  await reader.disconnect();
  return messages.map(({ body, headers }) => ({ body, seq: headers['seq'] }));
}

/** Sends until the shard answers again; what it may answer meanwhile is UNAVAILABLE. */
async function sendUntilBack(client: TestClient, destination: string, body: string): Promise<void> {
  for (;;) {
    try {
      return await client.send(destination, body);
    } catch (thrown) {
      if (!(thrown instanceof RefusedError)) throw thrown;
      expect(thrown.refusal['code']).toBe('UNAVAILABLE');
    }
  }
}

test('[PROC20] a throw in a turn: its sender gets INTERNAL, nothing of the turn happened, and the actor goes on', async () => {
  const server = await startFaulty();
  const client = await connectStomp(server, { user: 'alice' });
  await client.subscribe('/topic/a');
  await client.send('/topic/a', 'one');
  await expect(client.send('/topic/a', 'fault:throw')).rejects.toMatchObject({
    refusal: { code: 'INTERNAL', destination: '/topic/a' },
  });
  const refusal = await client.refusal('INTERNAL');
  expect(JSON.stringify(refusal)).not.toMatch(/asked for|at |\.js/);
  await client.send('/topic/a', 'two');
  const messages = await client.messages('/topic/a', 2);
  expect(messages.map(({ body, headers }) => [body, headers['seq']])).toEqual([
    ['one', '1'],
    ['two', '2'],
  ]);
  expect(await stored(server, '/topic/a', messages[0]?.headers['epoch'] ?? '', 2)).toEqual([
    { body: 'one', seq: '1' },
    { body: 'two', seq: '2' },
  ]);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

describe.each([
  ['one shard, which has the database itself', { shards: '1', edges: '1' }],
  ['two shards and a storage thread, two edges', { shards: '2', edges: '2' }],
])('a shard thread dies: %s', (_name, settings) => {
  test.each(['fault:exit', 'fault:uncaught'])(
    '[PROC21] %s: clients stay, what was in flight is UNAVAILABLE, and subscribers miss no committed message',
    async (fault) => {
      const server = await startFaulty(settings);
      const names = Array.from({ length: 8 }, (_, index) => `/topic/t${index}`);
      const readers = await Promise.all(
        [0, 1].map((index) => connectStomp(server, { user: `reader-${index}` })),
      );
      for (const reader of readers) await Promise.all(names.map((name) => reader.subscribe(name)));
      const writer = await connectStomp(server, { user: 'writer' });
      await Promise.all(names.map((name) => writer.send(name, 'first')));

      const kept = new Map(names.map((name) => [name, ['first']]));
      const refusals: unknown[] = [];
      const sendAll = async (round: number): Promise<void> => {
        await Promise.all(
          names.map(async (name) => {
            const body = `round ${round}`;
            await writer.send(name, body).then(
              () => kept.get(name)?.push(body),
              (thrown: unknown) => refusals.push((thrown as RefusedError).refusal['code']),
            );
          }),
        );
      };
      const rounds = Array.from({ length: 40 }, (_, round) => sendAll(round));
      const killed = writer.send('/topic/t0', fault);
      const later = Array.from({ length: 40 }, (_, round) => sendAll(100 + round));
      await expect(killed).rejects.toMatchObject({ refusal: { code: 'UNAVAILABLE' } });
      await Promise.all([...rounds, ...later]);
      expect(new Set(refusals)).toEqual(new Set(['UNAVAILABLE']));

      for (const name of names) await sendUntilBack(writer, name, 'last');
      for (const reader of readers) {
        for (const name of names) {
          await reader.waitFor(
            (frame) => isMessageOf(name)(frame) && frame.body === 'last',
            `last of ${name}`,
          );
        }
      }
      for (const name of names) {
        const [reader, other] = readers.map((one) => one.received(name)) as [never[], never[]];
        const seen = bodies(readers[0] as TestClient, name);
        console.log(name, readers.map((r) => r.received(name).map((f) => `${f.headers['seq']}=${f.body}`).join(' ')), kept.get(name));
        const epoch = readers[0]?.received(name)[0]?.headers['epoch'] ?? '';
        expect(await stored(server, name, epoch, seen.length)).toEqual(
          readers[0]?.received(name).map(({ body, headers }) => ({ body, seq: headers['seq'] })),
        );
        expect(other).toEqual(reader.map((frame) => frame));
        expect(seen.filter((body) => kept.get(name)?.includes(body))).toEqual(kept.get(name));
        expect(new Set(seen).size).toBe(seen.length);
      }
      expect(server.log.filter(({ event }) => event === 'disconnect' && event !== 'reader')).not.toHaveLength(
        0,
      );
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );
});
