// What time does to a connection: tokens that end, heart-beats, and a first frame that never comes.
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { Authenticator } from '../../src/edge/auth.ts';
import type { Connection } from '../../src/edge/connection.ts';
import { Edge } from '../../src/edge/edge.ts';
import { RouteTable } from '../../src/edge/route-table.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { edgeLimits, headLimits } from '../../src/limits.ts';
import { openLog } from '../../src/log.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startServer, testSecret, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { heartBeatMs: '1s' } });
});

/** What came for a SEND to `/app/auth.refresh`: `RECEIPT`, or the code of the refusal. */
async function refresh(client: TestClient, body: unknown): Promise<unknown> {
  return client.send('/app/auth.refresh', body).then(
    () => 'RECEIPT',
    (thrown: { refusal?: { code?: unknown } }) => thrown.refusal?.code,
  );
}

describe.concurrent('tokens that end', () => {
  test('[CONN10] at its exp a session is closed within a second, unless a fresh token came', async () => {
    const token = await server.token('alice', [], 3_000);
    const endsAtMs = (decodeJwt(token).exp ?? 0) * 1_000;
    const [ends, goesOn, failsToRefresh] = await Promise.all([
      connectStomp(server, { token }),
      connectStomp(server, { token }),
      connectStomp(server, { token }),
    ]);
    const good = await server.token('alice', ['service']);
    expect(await refresh(goesOn, { token: good })).toBe('RECEIPT');
    const attempts: [unknown, string][] = [
      [{ token: await server.token('mallory') }, 'FORBIDDEN'],
      [{ token: await server.token('alice', [], -1_000) }, 'UNAUTHORIZED'],
      [{ token: 'garbage' }, 'UNAUTHORIZED'],
      [{ token: 7 }, 'BAD_REQUEST'],
      ['no JSON', 'BAD_REQUEST'],
      ['', 'BAD_REQUEST'],
    ];
    for (const [body, code] of attempts) expect(await refresh(failsToRefresh, body)).toBe(code);

    for (const client of [ends, failsToRefresh]) {
      const { error, closed } = await client.failure();
      const lateMs = systemClock.now() - endsAtMs;
      expect(error.headers['message']).toBe('UNAUTHORIZED');
      expect(closed.code).toBe(1008);
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThan(1_000);
    }
    await goesOn.send('/topic/a', 'I am still here');
    await goesOn.disconnect();
  });

  test('[CONN10] a refresh inside a transaction takes effect with its COMMIT', async () => {
    const client = await connectStomp(server, { user: 'alice' });
    await client.request('BEGIN', { transaction: 't' });
    const token = await server.token('alice');
    client.sendFrame(
      'SEND',
      { destination: '/app/auth.refresh', transaction: 't' },
      JSON.stringify({ token }),
    );
    const answer = await client.request('COMMIT', { transaction: 't' });
    expect(answer.command).toBe('RECEIPT');
    await client.disconnect();
  });
});

describe.concurrent('heart-beats', () => {
  test('[CONN11] the beats of the server come at least as often as was agreed', async () => {
    const client = await connectStomp(server, { user: 'alice', heartBeat: '0,1000' });
    expect(client.frames[0]?.headers['heart-beat']).toBe('1000,1000');
    await client.waitForBeats(1);
    const startedMs = systemClock.now();
    await client.waitForBeats(5);
    // Four beats later: on the average none took longer than a second.
    expect(systemClock.now() - startedMs).toBeLessThanOrEqual(4_000);
    await client.disconnect();
  });

  test('[CONN11] no beats come to a client that wants none', async () => {
    const client = await connectStomp(server, { user: 'alice' });
    const other = await connectStomp(server, { user: 'alice', heartBeat: '0,1000' });
    await other.waitForBeats(2);
    expect(client.beats).toBe(0);
    await Promise.all([client.disconnect(), other.disconnect()]);
  });

  test('[CONN12] a client that promised beats and stops is closed after three intervals, with ERROR', async () => {
    const startedMs = systemClock.now();
    const silent = await connectStomp(server, { user: 'silent', heartBeat: '1000,0', errors: false });
    const promisedNothing = await connectStomp(server, { user: 'quiet', heartBeat: '0,0' });
    const beating = await connectStomp(server, { user: 'beating', heartBeat: '1000,0' });
    const sending = await connectStomp(server, { user: 'sending', heartBeat: '1000,0' });
    const timer = systemClock.every(700, () => {
      beating.sendRaw('\n');
      sending.sendFrame('SEND', { destination: '/topic/beats' }, 'any frame counts');
    });
    const { error, closed } = await silent.failure();
    expect(systemClock.now() - startedMs).toBeGreaterThanOrEqual(3_000);
    expect(error.headers['message']).toBe('Session closed.');
    expect(closed.code).toBe(1002);
    for (const client of [beating, sending, promisedNothing]) await client.send('/topic/beats', 'still here');
    timer.cancel();
    await server.logged(
      ({ event, user, reason }) =>
        [event, user, reason].join() === 'disconnect,silent,No heart-beat came in time.',
    );
    for (const client of [beating, sending, promisedNothing]) await client.disconnect();
  });
});

describe('the first frame', () => {
  /** An edge on a clock that stands still, with one connection that notes how it is closed. */
  function openOne() {
    const clock = new FakeClock();
    const closes: [code: number, reason: string][] = [];
    const edge: Edge = new Edge({
      config: { ...edgeLimits, frames: { ...headLimits, frameBytesMax: 65_536 }, heartBeatMs: 10_000 },
      shardCount: 1,
      routes: new RouteTable([]),
      sessionKinds: [],
      authenticator: new Authenticator({ clock, secret: testSecret }),
      rateLimiter: null,
      groups: { publish: () => undefined },
      clock,
      log: openLog('silent', 'test'),
    });
    const connection: Connection = {
      address: '127.0.0.1',
      transport: 'websocket',
      encoding: 'plain',
      bufferedBytes: 0,
      send: () => undefined,
      sendGathered: () => undefined,
      join: () => undefined,
      leave: () => undefined,
      takeOverBeats: () => undefined,
      close(code, reason) {
        closes.push([code, reason]);
        edge.closed(session);
      },
    };
    const session = edge.open(connection, null);
    return { clock, closes, session };
  }

  test.each([
    ['nothing', ''],
    ['heart-beats', '\n'],
    ['a piece of a frame', 'CONNECT\naccept'],
  ])(
    '[CONN13] a connection that sends %s and no whole frame is closed after 60 seconds, not before',
    (_name, text) => {
      const { clock, closes, session } = openOne();
      for (let second = 0; second < 59; second += 1) {
        clock.advance(1_000);
        session.receive(Buffer.from(second === 0 || text === '\n' ? text : ''), true);
      }
      expect(closes).toEqual([]);
      clock.advance(2_000);
      expect(closes).toEqual([[4500, 'no first frame in time']]);
      expect(session.phase).toBe('closed');
    },
  );
});
