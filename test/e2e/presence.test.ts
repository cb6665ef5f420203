// Presence: who is there, with how many sessions, and who was there last.
import { beforeAll, describe, expect, test } from 'vitest';
import { placement } from '../../src/actors/placement.ts';
import { connectOnEveryEdge, layouts, topicOn } from '../support/layouts.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, type ReceivedFrame, type TestClient } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const sessionsOf = (frame: ReceivedFrame): unknown => parse(frame)['sessions'];

/** Waits until the viewer has been told of so many sessions; what it was told up to then. */
async function toldOf(viewer: TestClient, user: string, sessions: number): Promise<unknown[]> {
  const destination = `/topic/presence.${user}`;
  await viewer.waitFor(
    (frame) => frame.headers['destination'] === destination && sessionsOf(frame) === sessions,
    `${sessions} sessions of ${user}`,
  );
  return viewer.received(destination).map(sessionsOf);
}

interface Entry {
  readonly userId: string;
  readonly online: boolean;
  readonly sessions: number;
  readonly lastSeen: string | null;
}

async function query(server: TestServer, users: string): Promise<Entry[]> {
  const answer = await server.rest('GET', `/api/presence?users=${users}`, { user: 'viewer' });
  expect(answer.status).toBe(200);
  return answer.body as Entry[];
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let viewer: TestClient;

  beforeAll(async () => {
    server = await startServer({ settings: { ...layout.settings, heartBeatMs: '1s' } });
    viewer = await connectStomp(server, { user: 'viewer' });
  });

  test('[PRESENCE1] whoever subscribes is told at once how it is', async () => {
    const subscription = await viewer.subscribe('/topic/presence.anna');
    const [away] = await viewer.messages('/topic/presence.anna', 1);
    expect(away && parse(away)).toEqual({ userId: 'anna', online: false, sessions: 0, timestamp: isoTime });
    expect(away?.headers).toMatchObject({ subscription, 'content-type': 'application/json' });
    expect(away?.headers).not.toHaveProperty('seq');
    const anna = await connectStomp(server, { user: 'anna' });
    await anna.subscribe('/topic/presence.anna');
    const [self] = await anna.messages('/topic/presence.anna', 1);
    expect(self && parse(self)).toMatchObject({ userId: 'anna', online: true, sessions: 1 });
  });

  test('[PRESENCE2] viewers on every edge see each change of the number of sessions, first and last', async () => {
    const viewers = await connectOnEveryEdge(server, layout, { user: 'viewer' });
    for (const one of viewers) await one.subscribe('/topic/presence.bob');
    const first = await connectStomp(server, { user: 'bob' });
    await toldOf(viewer, 'anna', 1);
    for (const one of viewers) await toldOf(one, 'bob', 1);
    const tabs = await connectOnEveryEdge(server, layout, { user: 'bob' });
    for (const one of viewers) await toldOf(one, 'bob', 1 + tabs.length);
    for (const tab of tabs) await tab.disconnect();
    await first.disconnect();
    const up = Array.from({ length: tabs.length + 2 }, (_none, index) => index);
    for (const one of viewers) {
      const told = await one.waitForMany(
        2 * up.length - 1,
        ({ headers }) => headers['destination'] === '/topic/presence.bob',
      );
      expect(told.map(sessionsOf)).toEqual([...up, ...up.toReversed().slice(1)]);
      expect(told.map((frame) => parse(frame)['online'])).toEqual(
        told.map((frame) => sessionsOf(frame) !== 0),
      );
    }
  });

  test('[PRESENCE3] many users are asked for at once, over STOMP and REST', async () => {
    const before = new Date().toISOString();
    const carol = await connectStomp(server, { user: 'carol' });
    const dave = await connectStomp(server, { user: 'dave' });
    await dave.disconnect();
    await viewer.subscribe('/topic/presence.dave');
    await toldOf(viewer, 'dave', 0);

    const answer = await query(server, 'carol,nobody,dave');
    expect(answer).toEqual([
      { userId: 'carol', online: true, sessions: 1, lastSeen: isoTime },
      { userId: 'nobody', online: false, sessions: 0, lastSeen: null },
      { userId: 'dave', online: false, sessions: 0, lastSeen: isoTime },
    ]);
    for (const entry of answer) if (entry.lastSeen !== null) expect(entry.lastSeen >= before).toBe(true);
    const id = await viewer.subscribe('/app/presence.query?users=dave,carol');
    const message = await viewer.waitFor(({ headers }) => headers['subscription'] === id);
    expect(JSON.parse(message.body)).toMatchObject([
      { userId: 'dave', online: false, lastSeen: answer[2]?.lastSeen },
      { userId: 'carol', online: true, sessions: 1 },
    ]);
    await carol.disconnect();
  });

  test('[PRESENCE3] a comma in a name is encoded; a list is told as well where all of its commas are', async () => {
    const namesOf = async (users: string): Promise<string[]> =>
      (await query(server, users)).map(({ userId }) => userId);
    expect(await namesOf('a%2Cb,c')).toEqual(['a,b', 'c']);
    expect(await namesOf('a%2Cb,')).toEqual(['a,b']);
    expect(await namesOf('a%2Cb%2Cc')).toEqual(['a', 'b', 'c']);
    expect(await namesOf('first,one&users=x+y,%252C')).toEqual(['x y', '%2C']);
    expect(await namesOf('a%26users=b,c&other=d')).toEqual(['a&users=b', 'c']);
  });

  test('[PRESENCE4] a query for nobody, too many or impossible names is BAD_REQUEST, without a token UNAUTHORIZED', async () => {
    const tooMany = Array.from({ length: 501 }, (_none, index) => index).join();
    for (const asked of ['', '?users=', `?users=${'x'.repeat(37)}`, '?users=a%00b', `?users=${tooMany}`]) {
      const answer = await server.rest('GET', `/api/presence${asked}`, { user: 'viewer' });
      expect(answer, asked).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    }
    expect(await server.rest('GET', '/api/presence?users=a')).toMatchObject({ status: 401 });
    const subscribed = viewer.subscribe('/app/presence.query');
    await expect(subscribed).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
    const long = viewer.subscribe(`/topic/presence.${'x'.repeat(37)}`);
    await expect(long).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST' } });
  });

  test('[PRESENCE5] nobody but the server tells of presence', async () => {
    await viewer.subscribe('/topic/presence.erin');
    const forged = viewer.send('/topic/presence.erin', { userId: 'erin', online: true });
    await expect(forged).rejects.toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    const wild = await viewer.subscribe('/topic/**');
    const erin = await connectStomp(server, { user: 'erin' });
    expect(await toldOf(viewer, 'erin', 1)).toEqual([0, 1]);
    expect(viewer.frames.filter(({ headers }) => headers['subscription'] === wild)).toEqual([]);
    await viewer.unsubscribe(wild);
    await erin.disconnect();
  });

  test('[PRESENCE6] sessions that vanish without a word go: one that was cut, and one that is silent', async () => {
    await viewer.subscribe('/topic/presence.frank');
    const cut = await connectStomp(server, { user: 'frank' });
    const silent = await connectStomp(server, { user: 'frank', heartBeat: '1000,0' });
    await toldOf(viewer, 'frank', 2);
    // It stays open, and says nothing any more.
    silent.pause();
    cut.cut();
    await viewer.messages('/topic/presence.frank', 5);
    expect(viewer.received('/topic/presence.frank').map(sessionsOf)).toEqual([0, 1, 2, 1, 0]);
    expect(await query(server, 'frank')).toMatchObject([{ online: false, lastSeen: isoTime }]);
    silent.cut();
  });

  test('[PRESENCE9] users of any name are told of', async () => {
    for (const user of ['a/b', '100%', 'a%2Fb', '*', 'a,b']) {
      await viewer.subscribe(`/topic/presence.${user}`, { id: user }).catch((thrown: unknown) => {
        // What looks like a pattern is one: it shows plain topics only.
        if (user !== '*') throw thrown;
      });
      const client = await connectStomp(server, { user });
      if (user !== '*') expect(await toldOf(viewer, user, 1)).toEqual([0, 1]);
      if (user !== 'a,b') {
        expect(await query(server, encodeURIComponent(user))).toMatchObject([{ userId: user, sessions: 1 }]);
      }
      await client.disconnect();
    }
  });

  test('[PRESENCE8] when a shard dies viewers are told once how many sessions there are', async () => {
    const faulty = await startServer({ settings: layout.settings, kindsUrl });
    const watching = await connectStomp(faulty, { user: 'viewer' });
    await watching.subscribe('/topic/presence.hugo');
    for (let session = 1; session <= 3; session += 1) await connectStomp(faulty, { user: 'hugo' });
    await toldOf(watching, 'hugo', 3);
    const shards = Number(layout.settings.shards);
    const killed = watching.send(topicOn(placement('presence/hugo', shards), shards), 'fault:exit');
    await expect(killed).rejects.toMatchObject({ refusal: { code: 'UNAVAILABLE' } });
    await watching.messages('/topic/presence.hugo', 5);
    await connectStomp(faulty, { user: 'hugo' });
    expect(await toldOf(watching, 'hugo', 4)).toEqual([0, 1, 2, 3, 3, 4]);
    expect(await faulty.stop()).toEqual({ code: 0, signal: null });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    '[PRESENCE7] who was there outlives the server: %s',
    async (signal) => {
      const server2 = await startServer({ settings: layout.settings });
      const grace = await connectStomp(server2, { user: 'grace' });
      await grace.subscribe('/topic/presence.grace');
      await toldOf(grace, 'grace', 1);
      const [{ lastSeen: there }] = (await query(server2, 'grace')) as [Entry];
      await server2.stop(signal);
      const again = await server2.restart();
      const [after] = await query(again, 'grace');
      expect(after).toEqual({ userId: 'grace', online: false, sessions: 0, lastSeen: isoTime });
      if (signal === 'SIGTERM') expect(String(after?.lastSeen) >= String(there)).toBe(true);
      await again.stop();
    },
  );
});
