// Wildcards in SUBSCRIBE: many plain topics at once, and nothing else.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, edgeOf, layouts } from '../support/layouts.ts';
import { createRoom, range, say, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type ReceivedFrame, type TestClient } from '../support/stomp.ts';

const bodiesOf = (client: TestClient, subscription: string): string[] =>
  client.frames.filter(({ headers }) => headers['subscription'] === subscription).map(({ body }) => body);

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  test('[TOPIC11] `*` is one segment, `**` any number of them, `?` one character', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    const patterns = {
      '/topic/w/*': ['a', 'b', 'ab', 'a.b'],
      '/topic/w/?': ['a', 'b'],
      '/topic/w/a?': ['ab'],
      '/topic/w/*b': ['b', 'ab', 'a.b'],
      '/topic/w/*/c': ['a/c', 'b/c'],
      '/topic/w/**': ['a', 'b', 'ab', 'a.b', 'a/c', 'b/c', 'a/b/c'],
      '/topic/w/**/c': ['a/c', 'b/c', 'a/b/c'],
      '/topic/*/a': ['a'],
      '/topic/w/a': ['a'],
    };
    for (const pattern of Object.keys(patterns)) await alice.subscribe(pattern, { id: pattern });
    const names = ['a', 'b', 'ab', 'a.b', 'a/c', 'b/c', 'a/b/c'];
    for (const name of names) await alice.send(`/topic/w/${name}`, name);
    await alice.send('/topic/elsewhere', 'elsewhere');
    for (const [pattern, expected] of Object.entries(patterns)) {
      await alice.waitForMany(expected.length, ({ headers }) => headers['subscription'] === pattern);
    }
    await alice.subscribe('/topic/w/end');
    await alice.send('/topic/w/end', 'end');
    await alice.waitFor(({ headers }) => headers['destination'] === '/topic/w/end');
    // Topics of several shards have no common order.
    for (const [pattern, expected] of Object.entries(patterns)) {
      const seen = bodiesOf(alice, pattern).filter((body) => body !== 'end');
      expect(seen.toSorted(), pattern).toEqual(expected.toSorted());
    }
    const [frame] = alice.frames.filter(({ headers }) => headers['subscription'] === '/topic/w/**');
    expect(frame?.headers).toMatchObject({ destination: '/topic/w/a', seq: '1' });
  });

  test('[TOPIC12] wildcards show plain topics only', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const patterns = ['/topic/**', '/topic/*', '/topic/room.*', `/topic/room.${roomId}*`, '/topic/room.{x}'];
    for (const pattern of patterns) await alice.subscribe(pattern, { id: pattern });
    const bob = await connectStomp(server, { user: 'bob' });
    await bob.subscribe(`/topic/room.${roomId}`);
    await bob.subscribe(`/topic/room.${roomId}.events`);
    await say(bob, roomId, 'secret');
    await bob.send(`/app/chat.typing/${roomId}`, { typing: true });
    await bob.send('/user/alice/queue/x', 'secret');
    await bob.messages(`/topic/room.${roomId}`, 1);
    await bob.messages(`/topic/room.${roomId}.events`, 2);
    for (const topic of range(1, 8).map((number) => `/topic/end-${number}`)) await bob.send(topic, 'end');
    await alice.waitForMany(16, ({ body }) => body === 'end');
    const seen = alice.frames.filter(({ headers }) => patterns.includes(headers['subscription'] ?? ''));
    expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['end']));
    for (const pattern of ['/user/queue/*', '/app/*', '/**', '/user/**']) {
      const refusal = { code: 'NOT_FOUND', destination: pattern };
      await expect(alice.subscribe(pattern)).rejects.toMatchObject({ refusal });
    }
  });

  test('[TOPIC13] a wildcard SUBSCRIBE and then SEND on one connection take effect in that order', async () => {
    const topics = range(1, 40).map((number) => `w${number}`);
    for (const round of range(1, 5)) {
      // Without another wildcard on the edge, every shard must first hear that somebody wants all of it.
      const alice = await connectStomp(server, { user: 'alice', errors: false });
      alice.sendFrame('SUBSCRIBE', { destination: `/topic/round-${round}/*`, id: 'all' });
      for (const topic of topics) {
        alice.sendFrame('SEND', { destination: `/topic/round-${round}/${topic}` }, topic);
      }
      await alice.waitForMany(topics.length, ({ headers }) => headers['subscription'] === 'all');
      expect(bodiesOf(alice, 'all').toSorted()).toEqual(topics.toSorted());
      await alice.disconnect();
    }
  });

  test('[TOPIC15] wildcards keep the order of each topic, also where it is subscribed by name', async () => {
    const topics = range(1, 6).map((number) => `/topic/busy/${number}`);
    const readers = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const reader of readers) {
      await reader.subscribe('/topic/busy/*', { id: 'star' });
      await reader.subscribe('/topic/busy/1', { id: 'named' });
    }
    const senders = await Promise.all(range(1, 3).map(() => connectStomp(server, { user: 'bob' })));
    await Promise.all(
      senders.flatMap((sender) => topics.map((topic) => sendMany(sender, topic, range(1, 50).map(String)))),
    );
    for (const reader of readers) {
      const isOf = (subscription: string) => (frame: ReceivedFrame) =>
        frame.headers['subscription'] === subscription;
      const star = await reader.waitForMany(6 * 150, isOf('star'));
      for (const topic of topics) {
        const seqs = star.filter(({ headers }) => headers['destination'] === topic);
        expect(seqs.map(({ headers }) => Number(headers['seq']))).toEqual(range(1, 150));
      }
      const named = await reader.waitForMany(150, isOf('named'));
      expect(named.map(({ headers }) => Number(headers['seq']))).toEqual(range(1, 150));
    }
  });

  test('[TOPIC16] ending one wildcard leaves the others as they are', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/end/*', { id: 'one' });
    await alice.subscribe('/topic/end/**', { id: 'two' });
    await alice.unsubscribe('one');
    await alice.send('/topic/end/a', 'a');
    await alice.waitFor(({ body }) => body === 'a');
    await alice.unsubscribe('two');
    await alice.send('/topic/end/a', 'b');
    await alice.subscribe('/topic/end/*', { id: 'three' });
    await alice.send('/topic/end/a', 'c');
    await alice.waitFor(({ body }) => body === 'c');
    expect(['one', 'two', 'three'].map((id) => bodiesOf(alice, id))).toEqual([[], ['a'], ['c']]);
  });

  test('[TOPIC26] a topic whose own name looks like a pattern is a topic like others', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/literal/*', { id: 'star' });
    await alice.send('/topic/literal/*', 'one');
    await alice.send('/topic/literal/*', 'two');
    await alice.send('/topic/literal/a', 'end');
    await alice.waitFor(({ body }) => body === 'end');
    await alice.waitFor(({ body }) => body === 'two');
    expect(bodiesOf(alice, 'star').toSorted()).toEqual(['end', 'one', 'two']);
  });

  test('[TOPIC17] a wildcard with ack: client is acknowledged message by message', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/acked/*', { id: 'all', ack: 'client-individual' });
    await sendMany(alice, '/topic/acked/a', ['a1', 'a2', 'a3']);
    await sendMany(alice, '/topic/acked/b', ['b1']);
    const messages = await alice.waitForMany(4, ({ headers }) => headers['subscription'] === 'all');
    const acks = messages.map(({ headers }) => headers['ack'] ?? '');
    expect(new Set(acks).size).toBe(4);
    for (const id of acks) await alice.request('ACK', { id });
    await expect(alice.request('ACK', { id: 'nothing' })).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST' },
    });
  });
});

/** Clients of one user: this many on each edge. */
async function spread(server: TestServer, count: number): Promise<readonly TestClient[][]> {
  const byEdge = new Map<string, TestClient[]>();
  while (byEdge.size < 2 || [...byEdge.values()].some(({ length }) => length < count)) {
    const client = await connectStomp(server, { user: 'alice' });
    const edge = await edgeOf(server, client);
    byEdge.set(edge, [...(byEdge.get(edge) ?? []), client]);
  }
  return [...byEdge.values()];
}

test('[TOPIC14] what has got its RECEIPT as a wildcard misses nothing that is sent after it', async () => {
  const server = await startServer({ settings: { edges: '2', shards: '1' } });
  const [[reader, ...others] = [], [sender] = []] = await spread(server, 5);
  if (!reader || !sender) throw new Error('no clients');
  // A busy way from the reader's edge to the shard: what the sender's edge asks could be there first.
  const traffic = { ends: false };
  const load = others.map(async (client, index) => {
    while (!traffic.ends) await sendMany(client, `/topic/load/${index}`, Array(40).fill('x'.repeat(2_000)));
  });
  const missed: number[] = [];
  for (const round of range(1, 60)) {
    const id = await reader.subscribe('/topic/after/*', { id: `round-${round}` });
    await sender.send('/topic/after/a', `first ${round}`);
    await sender.send('/topic/after/a', `second ${round}`);
    await reader.waitFor(({ body }) => body === `second ${round}`);
    if (!reader.frames.some(({ body }) => body === `first ${round}`)) missed.push(round);
    await reader.unsubscribe(id);
  }
  traffic.ends = true;
  await Promise.all(load);
  expect(missed).toEqual([]);
});
