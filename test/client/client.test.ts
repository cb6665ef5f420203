// The client on a real server: connections, what is sent, what is heard.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ChatMessage, StagewireError } from '../../src/client/index.ts';
import { closeOurClients, connectOurs } from '../support/our-client.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
/** Nobody listens there. */
const nowhere = 'ws://127.0.0.1:1/ws';

beforeAll(async () => {
  server = await startServer();
});
afterEach(closeOurClients);

/** A server of its own for a test that ends it, and a port that it comes back to. */
async function freePort(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return String(port);
}

describe('connections', () => {
  test('[CLIENT1] its states can be shown: connecting, connected with the user, closed', async () => {
    const ann = await connectOurs(server, 'ann');
    await ann.close();
    expect(ann.states).toEqual([
      { name: 'connecting', attempt: 1 },
      { name: 'connected', user: 'ann' },
      { name: 'closed' },
    ]);
  });

  test('[CLIENT2] comes back after the server did, and says meanwhile when it tries again', async () => {
    const own = await startServer({ settings: { port: await freePort() } });
    const ann = await connectOurs(own, 'ann');
    await own.kill();
    await ann.is('waiting');
    expect(ann.state).toMatchObject({ name: 'waiting', attempt: 1, retryAtMs: expect.any(Number) as number });
    await own.restart();
    await ann.is('connected');
  });

  test('[CLIENT3] gives up after so many attempts as it may make, and tries again when asked', async () => {
    const port = await freePort();
    const ann = await connectOurs(server, 'ann', { url: `ws://127.0.0.1:${port}/ws`, maxAttempts: 2 }, false);
    await ann.is('failed');
    expect(ann.state).toMatchObject({ reason: 'attempts' });
    expect(ann.states.filter(({ name }) => name === 'connecting')).toHaveLength(2);
    ann.connect();
    await ann.until(() => ann.states.filter(({ name }) => name === 'failed').length === 2, 'failed again');
  });

  test('[CLIENT4] a token that is refused twice in a row is tried no more', async () => {
    let asked = 0;
    const token = (): string => {
      asked += 1;
      return 'no.good.token';
    };
    const ann = await connectOurs(server, 'ann', { token }, false);
    await ann.is('failed');
    expect(ann.state).toMatchObject({ reason: 'unauthorized' });
    expect(asked).toBe(2);
  });

  test('[CLIENT5] a token is renewed before it ends, over the same connection', async () => {
    let asked = 0;
    const token = (): Promise<string> => {
      asked += 1;
      return server.token('ann', [], asked === 1 ? 2_500 : 3_600_000);
    };
    const ann = await connectOurs(server, 'ann', { token });
    const [, payload = ''] = (await server.token('ann', [], 2_500)).split('.');
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number };
    // The server closes at a token's end: what is answered afterwards went under the new one.
    while (Date.now() < exp * 1_000 + 1_100) await ann.topics.publish('/topic/client-5', 'on');
    expect(asked).toBe(2);
    expect(ann.states.map(({ name }) => name)).toEqual(['connecting', 'connected']);
  });
});

describe('what is sent', () => {
  test('[CLIENT20] resolves when it is stored, and rejects with what the server refuses it for', async () => {
    const ann = await connectOurs(server, 'ann');
    const { roomId } = await ann.rooms.create('lobby');
    await ann.rooms.room(roomId).send('stored');
    expect(await ann.rooms.room(roomId).history()).toMatchObject([{ content: 'stored', senderId: 'ann' }]);
    const refusal = ann.rooms.room('nowhere').send('lost');
    await expect(refusal).rejects.toMatchObject({ code: 'NOT_FOUND', detail: { roomId: 'nowhere' } });
    await expect(ann.rooms.room('nowhere').details()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('[CLIENT21] what is sent without a connection waits, and is done once and in order', async () => {
    const own = await startServer({ settings: { port: await freePort() } });
    const ann = await connectOurs(own, 'ann');
    const room = ann.rooms.room((await ann.rooms.create('lobby')).roomId);
    const bob = await connectOurs(own, 'bob');
    bob.rooms.room(room.roomId).onMessage({ message: bob.note('heard') });
    await room.send('0');
    await bob.heard('heard', 1);
    await own.kill();
    const sent = Array.from({ length: 30 }, (_, index) => room.send(String(index + 1)));
    expect(ann.waiting).toBe(30);
    await own.restart();
    await Promise.all(sent);
    const heard = await bob.heard<ChatMessage>('heard', 31);
    expect(heard.map(({ content, seq }) => [content, seq])).toEqual(
      Array.from({ length: 31 }, (_, index) => [String(index), index + 1]),
    );
    expect(ann.waiting).toBe(0);
  });

  test('[CLIENT22] what may wait is bounded, in number, size and time', async () => {
    const ann = await connectOurs(server, 'ann');
    await expect(ann.topics.publish('/topic/large', 'x'.repeat(65_500))).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
    const away = await connectOurs(server, 'ann', { url: nowhere, outboxMax: 2, sendWithinMs: 50 }, false);
    const waiting = ['one', 'two', 'three'].map((text) =>
      away.topics.publish('/topic/late', text).catch((error: StagewireError) => error.code),
    );
    expect(await Promise.all(waiting)).toEqual(['EXPIRED', 'EXPIRED', 'FULL']);
    const left = away.topics.publish('/topic/late', 'four');
    await Promise.all([expect(left).rejects.toMatchObject({ code: 'CLOSED' }), away.close()]);
  });

  test('[CLIENT23] over the rate it waits as long as the server says, and all arrives', async () => {
    const slow = await startServer({ settings: { rateLimit: '5/1s' } });
    const ann = await connectOurs(slow, 'ann');
    const topic = '/topic/fast';
    ann.topics.on(topic, { message: ann.note('fast') });
    await Promise.all(Array.from({ length: 8 }, (_, index) => ann.topics.publish(topic, String(index))));
    expect(await ann.heard('fast', 8)).toHaveLength(8);
  });

  test('[CLIENT24] the same key has one effect', async () => {
    const ann = await connectOurs(server, 'ann');
    const room = ann.rooms.room((await ann.rooms.create('lobby')).roomId);
    await room.send('once', { key: 'k' });
    await room.send('once', { key: 'k' });
    expect(await room.history()).toHaveLength(1);
  });

  test('[CLIENT25] a frame that the server does not take is found out, and alone rejects', async () => {
    const ann = await connectOurs(server, 'ann', { backoffMs: 2 });
    ann.topics.on('/topic/broken', { message: ann.note('broken') });
    const headers = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`header-${index}`, 'x']));
    const sent = Array.from({ length: 20 }, (_, index) =>
      ann.topics
        .publish('/topic/broken', String(index), index === 7 ? { headers } : {})
        .catch(({ code }: StagewireError) => code),
    );
    expect((await Promise.all(sent)).filter((one) => one !== undefined)).toEqual(['BAD_REQUEST']);
    const heard = await ann.heard<{ body: string }>('broken', 19);
    expect(heard.map(({ body }) => Number(body))).toEqual([0, 1, 2, 3, 4, 5, 6, ...range(8, 19)]);
  });
});

describe('what is heard', () => {
  test('[CLIENT30] [RESUME14] a subscription goes on after the last message, though none had come before the loss', async () => {
    const own = await startServer({ settings: { port: await freePort() } });
    const [ann, bob] = [await connectOurs(own, 'ann'), await connectOurs(own, 'bob', { backoffMs: 2_000 })];
    bob.topics.on('/topic/news', { message: bob.note('news') });
    // Asked after it over the same connection: the topic is subscribed to when that is answered.
    await bob.topics.publish('/topic/other', 'done');
    await own.kill();
    await own.restart();
    await ann.topics.publish('/topic/news', 'while bob was away');
    await bob.is('connected');
    await ann.topics.publish('/topic/news', 'and now');
    const heard = await bob.heard<{ body: string }>('news', 2);
    expect(heard.map(({ body }) => body)).toEqual(['while bob was away', 'and now']);
  });

  test('[CLIENT31] a subscription that is refused, or may no longer be, says why', async () => {
    const ann = await connectOurs(server, 'ann');
    const bob = await connectOurs(server, 'bob');
    const { roomId } = await ann.rooms.create('secret', true);
    const room = bob.rooms.room(roomId);
    room.onMessage({ message: bob.note('secret'), refused: bob.note('refused') });
    expect(await bob.heard('refused', 1)).toMatchObject([{ code: 'FORBIDDEN' }]);
    await ann.rooms.room(roomId).addMember('bob');
    room.onMessage({ message: bob.note('secret'), refused: bob.note('refused') });
    await bob.topics.publish('/topic/other', 'done');
    await ann.rooms.room(roomId).removeMember('bob');
    expect(await bob.heard('refused', 2)).toMatchObject([{ code: 'FORBIDDEN' }, { code: 'FORBIDDEN' }]);
    expect(bob.noted('secret')).toEqual([]);
  });

  test('[CLIENT32] what was ended is heard no more', async () => {
    const ann = await connectOurs(server, 'ann');
    const stop = ann.topics.on('/topic/ended', { message: ann.note('ended') });
    await ann.topics.publish('/topic/ended', 'one');
    await ann.heard('ended', 1);
    stop();
    ann.topics.on('/topic/ended', { message: ann.note('again') });
    await ann.topics.publish('/topic/ended', 'two');
    await ann.heard('again', 1);
    expect(ann.noted('ended')).toHaveLength(1);
  });
});
