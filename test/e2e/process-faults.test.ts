// Faults in the threads: what dies takes nothing else with it, and nothing of what was promised is lost.
import { describe, expect, test } from 'vitest';
import { startServer, type LogLine, type ServerOptions, type TestServer } from '../support/server.ts';
import { connectStomp, isMessageOf, openSocket, RefusedError, type TestClient } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const unavailable = { refusal: { code: 'UNAVAILABLE' } };

function startFaulty(settings: ServerOptions['settings'] = {}): Promise<TestServer> {
  return startServer({ kindsUrl, settings });
}

interface Told {
  readonly body: string;
  readonly seq: string | undefined;
}

const toldTo = (client: TestClient, destination: string): Told[] =>
  client.received(destination).map(({ body, headers }) => ({ body, seq: headers['seq'] }));

const isBack = ({ msg }: LogLine): boolean => msg === 'thread is back';

/** Waits until so many threads have been started again. */
async function threadsBack(server: TestServer, count: number): Promise<void> {
  await server.logged(() => server.log.filter(isBack).length >= count, `${count} threads started again`);
}

/** What the database holds of a plain topic: a subscription that resumes from its start. */
async function stored(server: TestServer, destination: string, like: TestClient): Promise<Told[]> {
  const [first] = await like.messages(destination, 1);
  const reader = await connectStomp(server, { user: 'reader' });
  await reader.subscribe(destination, { resume: `${first?.headers['epoch']}:0` });
  await reader.send(destination, 'end of what is stored');
  await reader.waitFor((frame) => frame.body === 'end of what is stored');
  await reader.disconnect();
  return toldTo(reader, destination).slice(0, -1);
}

/** Sends until it is taken; meanwhile the only answer may be UNAVAILABLE. */
async function sendUntilTaken(client: TestClient, destination: string, body: string): Promise<void> {
  for (;;) {
    try {
      return await client.send(destination, body);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(RefusedError);
      expect(thrown).toMatchObject(unavailable);
    }
  }
}

test('[PROC20] a throw in a turn: INTERNAL, nothing of it has happened, the actor goes on', async () => {
  const server = await startFaulty();
  const client = await connectStomp(server, { user: 'alice' });
  await client.subscribe('/topic/a');
  await client.send('/topic/a', 'one');
  await expect(client.send('/topic/a', 'fault:throw')).rejects.toBeInstanceOf(RefusedError);
  const refusal = await client.refusal('INTERNAL');
  expect(refusal).toMatchObject({ destination: '/topic/a' });
  expect(JSON.stringify(refusal)).not.toMatch(/asked for|\.js|SQL/);
  await client.send('/topic/a', 'two');
  await client.messages('/topic/a', 2);
  const expected = [
    { body: 'one', seq: '1' },
    { body: 'two', seq: '2' },
  ];
  expect(toldTo(client, '/topic/a')).toEqual(expected);
  expect(await stored(server, '/topic/a', client)).toEqual(expected);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

const topics = Array.from({ length: 6 }, (_, index) => `/topic/t${index}`);

/** One message to every topic in each round; what was refused goes to `refused`. */
async function sendRounds(
  writer: TestClient,
  rounds: readonly string[],
  refused: unknown[],
): Promise<string[]> {
  const sent = topics.flatMap((topic) =>
    rounds.map(async (round) => {
      const body = `${round} ${topic}`;
      try {
        await writer.send(topic, body);
        return [body];
      } catch (thrown) {
        refused.push(thrown);
        return [];
      }
    }),
  );
  return (await Promise.all(sent)).flat();
}

describe.concurrent.each([
  ['one shard with the database in its thread', { shards: '1', edges: '1' }],
  ['two shards with a storage thread, and two edges', { shards: '2', edges: '2' }],
])('%s', (_name, settings) => {
  test.each(['fault:exit', 'fault:uncaught'])(
    '[PROC21] %s in a shard: clients stay, commands are UNAVAILABLE, subscribers miss nothing',
    async (fault) => {
      const server = await startFaulty(settings);
      const users = ['reader-1', 'reader-2', 'reader-3'];
      const readers = await Promise.all(users.map((user) => connectStomp(server, { user })));
      for (const reader of readers) await Promise.all(topics.map((topic) => reader.subscribe(topic)));
      const writer = await connectStomp(server, { user: 'writer' });
      const refused: unknown[] = [];
      const names = (from: number): string[] => Array.from({ length: 30 }, (_, index) => `${from + index}`);
      const before = sendRounds(writer, names(0), refused);
      const killed = writer.send('/topic/t0', fault);
      const after = sendRounds(writer, names(100), refused);
      if (fault === 'fault:exit') await expect(killed).rejects.toMatchObject(unavailable);
      else await killed.catch((thrown: unknown) => refused.push(thrown));
      const kept = [...(await before), ...(await after)];
      for (const thrown of refused) expect(thrown).toMatchObject(unavailable);

      await threadsBack(server, 1);
      for (const topic of topics) await sendUntilTaken(writer, topic, 'last');
      for (const topic of topics) {
        for (const reader of readers) {
          await reader.waitFor(
            (frame) => isMessageOf(topic)(frame) && frame.body === 'last',
            `last of ${topic}`,
          );
        }
        const database = await stored(server, topic, readers[0] as TestClient);
        for (const reader of readers) {
          const told = toldTo(reader, topic);
          expect(told.filter(({ body }) => body !== 'end of what is stored')).toEqual(database);
        }
        const bodies = database.map(({ body }) => body);
        const receipted = kept.filter((body) => body.endsWith(` ${topic}`));
        expect(bodies.filter((body) => receipted.includes(body))).toEqual(receipted);
        expect(database.map(({ seq }) => seq)).toEqual(bodies.map((_, index) => `${index + 1}`));
      }
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );
});

test.concurrent('[PROC25] a REST request that a dying shard has not answered is 503', async () => {
  const server = await startFaulty();
  const client = await connectStomp(server, { user: 'alice' });
  client.sendFrame('SEND', { destination: '/topic/a' }, 'fault:slow');
  client.sendFrame('SEND', { destination: '/topic/a' }, 'fault:exit');
  // The edge itself answers this one, so it has handled the frames before.
  await client.subscribe('/user/queue/errors', { id: 'more errors' });
  const answer = await server.rest('GET', '/api/rooms', { user: 'alice' });
  expect(answer).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  await threadsBack(server, 1);
  expect(await server.rest('GET', '/api/rooms', { user: 'alice' })).toMatchObject({ status: 200, body: [] });
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

describe.concurrent('faults in an edge', () => {
  test('[PROC22] a throw in a callback ends that connection alone', async () => {
    const server = await startFaulty();
    const bystander = await connectStomp(server, { user: 'bystander' });
    await bystander.subscribe('/topic/a');
    const culprit = await connectStomp(server, { user: 'culprit' });
    culprit.sendFrame('SEND', { destination: '/app/edge.throw' });
    expect((await culprit.closed).code).toBe(1011);
    const opener = await openSocket(server, { token: 'throw-on-open', tokenIn: 'url' });
    expect((await opener.closed).code).toBe(1011);
    await bystander.send('/topic/a', 'still here');
    expect(await bystander.messages('/topic/a', 1)).toMatchObject([{ body: 'still here' }]);
    await bystander.disconnect();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test.each(['/app/edge.uncaught', '/app/edge.reject'])(
    '[PROC23] %s: the edge starts again in a process that lives on, and its clients connect again and resume',
    async (fault) => {
      const server = await startFaulty({ edges: '1' });
      let last: TestClient | null = null;
      for (const round of [1, 2]) {
        const culprit = await connectStomp(server, { user: 'culprit' });
        const client = await connectStomp(server, { user: 'alice' });
        const epoch = last?.received('/topic/a').at(-1)?.headers['epoch'];
        await client.subscribe('/topic/a', last ? { resume: `${epoch}:${round - 1}` } : {});
        await client.send('/topic/a', `round ${round}`);
        const [message] = await client.messages('/topic/a', 1);
        expect(message).toMatchObject({ body: `round ${round}`, headers: { seq: `${round}` } });
        if (last) expect(message?.headers['recovered']).toBe('true');
        culprit.sendFrame('SEND', { destination: fault });
        await Promise.all([culprit.closed, client.closed]);
        await threadsBack(server, round);
        last = client;
      }
      expect((await server.rest('GET', '/readyz')).status).toBe(200);
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );

  test('[PROC24] clients of another edge stay, and reach those of the one started again', async () => {
    const server = await startFaulty({ edges: '2', shards: '2' });
    const byThread = new Map<unknown, TestClient>();
    for (let index = 0; byThread.size < 2; index += 1) {
      const user = `user-${index}`;
      const client = await connectStomp(server, { user });
      const line = await server.logged(({ event, user: who }) => event === 'connect' && who === user);
      byThread.set(line['thread'], client);
    }
    const [culprit, bystander] = [...byThread.values()] as [TestClient, TestClient];
    await bystander.subscribe('/topic/a');
    culprit.sendFrame('SEND', { destination: '/app/edge.uncaught' });
    await culprit.closed;
    await bystander.send('/topic/a', 'while it is away');
    await threadsBack(server, 1);
    const clients = await Promise.all(
      Array.from({ length: 8 }, (_, index) => connectStomp(server, { user: `new-${index}` })),
    );
    await Promise.all(clients.map((client) => client.subscribe('/topic/a')));
    await bystander.send('/topic/a', 'to all');
    const all = await Promise.all(clients.map((client) => client.messages('/topic/a', 1)));
    expect(all.map(([frame]) => frame?.body)).toEqual(all.map(() => 'to all'));
    expect((await bystander.messages('/topic/a', 2)).map(({ body }) => body)).toEqual([
      'while it is away',
      'to all',
    ]);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});
