// Why there is no connection, and what becomes of what is sent then.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Stagewire, type ClientState, type StagewireError } from '../../src/client/index.ts';
import { closeOurClients, connectOurs, type OurClient } from '../support/our-client.ts';
import { startScripted } from '../support/scripted-server.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { rateLimit: '20/10s' } });
});
afterEach(closeOurClients);

/** Nobody listens there. */
const nowhere = 'ws://127.0.0.1:1/ws';
const codeOf = (thrown: StagewireError): string => thrown.code;

const isSilent = (state: ClientState): boolean => state.name === 'waiting' && state.reason === 'silent';

async function waitsFor(client: OurClient, reason: string): Promise<string> {
  const whys = (): ClientState[] =>
    client.states.filter((state) => state.name === 'waiting' && state.reason === reason);
  await client.until(() => whys().length > 0, reason);
  const [why] = whys();
  return why?.name === 'waiting' ? why.message : '';
}

describe('a state says why', () => {
  test('[CLIENT83] an attempt has failed: the token, the socket, nobody there, the wrong path, the time', async () => {
    const token = (): Promise<string> => Promise.reject(new Error('the backend is away'));
    const noToken = await connectOurs(server, 'ann', { token }, false);
    expect(await waitsFor(noToken, 'token')).toBe('the backend is away');
    const socket = (): never => {
      throw new Error('not on this page');
    };
    const noSocket = await connectOurs(server, 'ann', { socket }, false);
    expect(await waitsFor(noSocket, 'socket')).toBe('not on this page');
    const noServer = await connectOurs(server, 'ann', { url: nowhere }, false);
    expect(await waitsFor(noServer, 'unreachable')).toMatch(/^The server can not be reached: .*ECONNREFUSED/);
    const noPath = await connectOurs(server, 'ann', { url: `${server.wsUrl}/no/such` }, false);
    expect(await waitsFor(noPath, 'unreachable')).toMatch(/404/);
    const never = (): Promise<string> => new Promise(() => undefined);
    const late = await connectOurs(server, 'ann', { token: never, connectWithinMs: 20 }, false);
    expect(await waitsFor(late, 'timeout')).toBe('There was no connection within 20 ms.');
  });

  test('[CLIENT83] a connection was lost: it broke, was closed, or says nothing any more', async () => {
    const scripted = await startScripted();
    const ann = await connectOurs(scripted, 'ann', { heartBeatMs: 20 });
    scripted.visit.close();
    expect(await waitsFor(ann, 'lost')).toBe('The connection was lost.');
    await ann.is('connected');
    scripted.visit.close(1012);
    expect(await waitsFor(ann, 'closed')).toBe('The server restarts. (1012)');
    await ann.is('connected');
    // As a server says that it hears nothing.
    scripted.visit.send('ERROR', { message: 'Session closed.' });
    expect(await waitsFor(ann, 'silent')).toMatch(/^Heart-beats stopped/);
    await ann.is('connected');
    scripted.visit.send('ERROR', { message: 'BAD_REQUEST' }, 'A frame was unreadable.');
    expect(await waitsFor(ann, 'refused')).toBe('A frame was unreadable.');
    await ann.is('connected');
    scripted.heartBeat = '20,20';
    scripted.visit.close(1013);
    await ann.until(
      () => ann.states.filter(({ name }) => name === 'connected').length === 6,
      'connected anew',
    );
    scripted.visit.hush();
    await ann.until(() => ann.states.filter(isSilent).length === 2, 'silent once more');
  });

  test('[CLIENT83] the client has failed: what the server said of the token, why the last attempt was in vain', async () => {
    const expired = await server.token('ann', [], -60_000);
    const ann = await connectOurs(server, 'ann', { token: () => expired }, false);
    await ann.is('failed');
    const message = expect.stringMatching(/^The token has expired/) as string;
    expect(ann.state).toEqual({ name: 'failed', reason: 'unauthorized', message });
    expect(ann.states).toContainEqual(expect.objectContaining({ name: 'waiting', reason: 'token', message }));
    const bob = await connectOurs(server, 'bob', { url: nowhere, maxAttempts: 1 }, false);
    await bob.is('failed');
    expect(bob.state).toMatchObject({
      reason: 'attempts',
      message: expect.stringMatching(/ECONNREFUSED/) as string,
    });
  });
});

describe('a refusal', () => {
  test('[CLIENT84] of a subscription that has no listener for it goes to onRefusal', async () => {
    const [ann, bob] = [await connectOurs(server, 'eve'), await connectOurs(server, 'bob')];
    const { roomId } = await ann.rooms.create('secret', true);
    bob.onRefusal(bob.note('refusals'));
    const room = bob.rooms.room(roomId);
    room.onMessage({ message: bob.note('heard') });
    room.onEvent(bob.note('heard'));
    room.onRead(bob.note('heard'));
    bob.presences.watch('x'.repeat(40), bob.note('heard'));
    bob.topics.onOwn('no/such\n', bob.note('heard'));
    const refusals = await bob.heard<StagewireError>('refusals', 4);
    const of = (stream: string): string => `/topic/room.${roomId}${stream}`;
    const places = refusals.map(({ code, detail }) => [code, detail['destination']]);
    expect(places).toContainEqual(['FORBIDDEN', of('')]);
    expect(places).toContainEqual(['FORBIDDEN', of('.events')]);
    expect(places).toContainEqual(['FORBIDDEN', of('.receipts')]);
    expect(places).toContainEqual(['BAD_REQUEST', `/topic/presence.${'x'.repeat(40)}`]);
  });

  test('[CLIENT85] of what is only told, for the rate, goes nowhere', async () => {
    const ann = await connectOurs(server, 'fay');
    const room = ann.rooms.room((await ann.rooms.create('lobby')).roomId);
    const nowhereRoom = ann.rooms.room('nowhere');
    ann.onRefusal(ann.note('refusals'));
    ann.subscribe('/user/queue/errors', { message: ({ body }) => ann.note('errors')(JSON.parse(body)) });
    nowhereRoom.typing();
    for (let count = 0; count < 40; count += 1) room.typing();
    // Answered by the edge, after what it has refused before.
    await expect(ann.ask('/app/no.such')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(ann.noted('errors')).toContainEqual(expect.objectContaining({ code: 'RATE_LIMITED' }));
    // By the actor of the room, so maybe later.
    expect(await ann.heard('refusals', 1)).toMatchObject([{ code: 'NOT_FOUND' }]);
  });
});

describe('what is sent', () => {
  test('[CLIENT86] after close rejects at once, and waits again once it is asked to connect', async () => {
    const ann = await connectOurs(server, 'gil');
    await ann.close();
    await expect(ann.topics.publish('/topic/closed', 1)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(ann.presences.query(['bob'])).rejects.toMatchObject({ code: 'CLOSED' });
    ann.connect();
    await ann.topics.publish('/topic/closed', 1);
  });

  test('[CLIENT86] when the client fails rejects with why, and at once when it has', async () => {
    const expired = await server.token('ann', [], -60_000);
    const ann = await connectOurs(server, 'ann', { token: expired }, false);
    const refused = { code: 'UNAUTHORIZED', message: expect.stringMatching(/expired/) as string };
    const waiting = [ann.topics.publish('/topic/failed', 1), ann.presences.query(['bob'])];
    for (const one of waiting) await expect(one).rejects.toMatchObject(refused);
    await expect(ann.topics.publish('/topic/failed', 2)).rejects.toMatchObject(refused);
    await expect(ann.presences.query(['bob'])).rejects.toMatchObject(refused);
    expect(ann.waiting).toBe(0);
    const bob = await connectOurs(server, 'bob', { url: nowhere, maxAttempts: 1 }, false);
    await expect(bob.topics.publish('/topic/failed', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('[CLIENT86] that was under way when the client fails may be done: EXPIRED', async () => {
    const scripted = await startScripted();
    scripted.onFrame = ({ command }) => command === 'SEND';
    let tokens = 0;
    const token = (): Promise<string> => {
      tokens += 1;
      return tokens === 1 ? scripted.token() : Promise.reject(new Error('logged out'));
    };
    const ann = await connectOurs(scripted, 'ann', { token, maxAttempts: 1 });
    const [first, second] = [
      ann.topics.publish('/topic/x', 1),
      ann.topics.publish('/topic/x', 2, { isOnce: true }),
    ];
    const all = Promise.all([first.catch(codeOf), second.catch(codeOf)]);
    await scripted.until(() => scripted.visit.frames.some(({ command }) => command === 'SEND'), 'it is sent');
    scripted.visit.close();
    await ann.is('waiting');
    const third = ann.topics.publish('/topic/x', 3);
    await expect(third).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'logged out' });
    expect(await all).toEqual(['EXPIRED', 'EXPIRED']);
  });

  test('[CLIENT86] after close, or when the client has failed, keeps no program from ending', async () => {
    const script = `
      import { Stagewire } from 'stagewire/client';
      import { WebSocket } from 'ws';
      const socket = (url) => new WebSocket(url, ['v12.stomp']);
      const token = ${JSON.stringify(await server.token('hal'))};
      for (const url of [${JSON.stringify(server.wsUrl)}, ${JSON.stringify(nowhere)}]) {
        const client = new Stagewire({ url, socket, token, maxAttempts: 1 });
        client.connect();
        client.rooms.room('none').follow({ message() {} });
        await client.topics.publish('/topic/x', 1).catch(({ code }) => console.log(code));
        if (client.state.name !== 'failed') await client.close();
        await client.topics.publish('/topic/x', 1).catch(({ code }) => console.log(code));
        await client.ask('/app/x').catch(({ code }) => console.log(code));
      }`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 9_000,
    });
    expect(stdout.split('\n')).toEqual(['CLOSED', 'CLOSED', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE', '']);
  });

  test('[CLIENT88] must be something that JSON can say', async () => {
    const ann = await connectOurs(server, 'ida');
    for (const body of [undefined, 1n, () => 1]) {
      await expect(ann.topics.publish('/topic/json', body)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      expect(() => ann.tell('/topic/json', body)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    }
    expect(ann.waiting).toBe(0);
  });

  test('[CLIENT88] may have any key, also one like a receipt of the client', async () => {
    const ann = await connectOurs(server, 'joe');
    ann.topics.on('/topic/keys', { message: ann.note('heard') });
    for (const key of ['live s1', 'close-0', 'key x']) await ann.topics.publish('/topic/keys', key, { key });
    await expect(ann.rooms.room('nowhere').send('x', { key: 'live s1' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await ann.topics.publish('/topic/keys', 'last');
    expect((await ann.heard<{ body: string }>('heard', 4)).map(({ body }) => body)).toEqual([
      'live s1',
      'close-0',
      'key x',
      'last',
    ]);
  });
});

test('[CLIENT87] where there is no WebSocket, making a client throws and says what to pass', () => {
  const make = (options: object = {}): Stagewire => new Stagewire({ url: nowhere, token: 't', ...options });
  vi.stubGlobal('WebSocket', undefined);
  expect(() => make()).toThrow(/pass `socket: \(url\) => new WebSocket\(url, \['v12\.stomp'\]\)`/);
  expect(() => make({ socket: undefined })).toThrow(RangeError);
  vi.stubGlobal('WebSocket', WebSocket);
  expect(make().state.name).toBe('closed');
  vi.unstubAllGlobals();
});

test('[CLIENT89] presence is asked of whole names, whatever is in them', async () => {
  const names = ['a,b', 'c&d=e', 'f+g h', 'i%2Cj', 'ü/?#'];
  const client = await connectOurs(server, 'k,l');
  for (const asked of [...names.map((name) => [name]), names]) {
    expect((await client.presences.query(asked)).map(({ userId }) => userId)).toEqual(asked);
  }
  expect(await client.presences.query(['k,l'])).toMatchObject([{ userId: 'k,l', online: true }]);
});
