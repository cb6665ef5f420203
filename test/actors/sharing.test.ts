// What kinds tell other nodes, and when: behind the gate as all that a turn sends.
import { expect, test } from 'vitest';
import type { AnyKind } from '../../src/actors/actor.ts';
import { orderKind } from '../../src/actors/kinds/order.ts';
import { presenceKind } from '../../src/actors/kinds/presence.ts';
import { replayKind } from '../../src/actors/kinds/replay.ts';
import { roomKind } from '../../src/actors/kinds/room.ts';
import { topicKind } from '../../src/actors/kinds/topic.ts';
import { ToShard } from '../../src/link/messages.ts';
import type { SharedChange } from '../../src/storage/shared.ts';
import { messageRow, roomRows } from '../support/chat-rows.ts';
import { FakeShared } from '../support/fake-shared.ts';
import { FakeStorage, unavailable } from '../support/fake-storage.ts';
import { rounds, TestShard, type Asked } from './test-shard.ts';

const kinds: readonly AnyKind[] = [orderKind, presenceKind, replayKind, roomKind, topicKind];
const destination = '/topic/news';
const topic = 'topic/news';

class Sharing extends TestShard {
  readonly shared: FakeShared;

  constructor(storage = new FakeStorage()) {
    const shared = new FakeShared();
    super({}, { kinds, shared, storage });
    this.shared = shared;
  }

  attach(actor: string, session: string, user: string, isAgain = false, edge = 0): void {
    this.shard.receive(edge, [ToShard.attach, actor, session, user, isAgain]);
  }

  detach(actor: string, session: string): void {
    this.shard.receive(0, [ToShard.detach, actor, session]);
  }

  acknowledge(name: string, epoch: string, seq: number): void {
    const asker = ['alice', []] as const;
    this.shard.receive(0, [ToShard.acknowledge, 999, topic, destination, asker, name, epoch, seq]);
  }

  async told(): Promise<SharedChange[]> {
    await rounds();
    return this.shared.take();
  }

  json(command: string, json: unknown, asked: Asked): Promise<string | null> {
    return this.answerOf(command, { ...asked, body: JSON.stringify(json) });
  }

  /** A topic's subscription, under a durable name. */
  durable(name: string): number {
    const of = { actor: topic, stream: 'messages', destination, user: 'alice' };
    return this.subscribe({ ...of, from: ['durable', name] });
  }
}

async function withOrder(): Promise<Sharing> {
  const sharing = new Sharing();
  const order = { orderId: 'o1', userId: 'alice', status: 'PLACED' };
  await sharing.json('create', order, { actor: 'order/o1', roles: ['service'] });
  expect(await sharing.told()).toEqual([]);
  return sharing;
}

const track = { actor: 'order/o1', user: 'alice' };

test('[BETWEEN12] each session of a user is told when it comes and when it goes', async () => {
  const sharing = new Sharing();
  sharing.attach('presence/alice', 's1', 'alice');
  sharing.attach('presence/alice', 's2', 'alice', false, 1);
  expect(await sharing.told()).toEqual([
    ['session', 'alice', 's1', true],
    ['session', 'alice', 's2', true],
  ]);
  sharing.detach('presence/alice', 's1');
  sharing.shard.removeEdge(1);
  expect(await sharing.told()).toEqual([
    ['session', 'alice', 's1', false],
    ['session', 'alice', 's2', false],
  ]);
});

test('[BETWEEN12] sessions and trackings are told again to whoever follows a lost shard', async () => {
  const sharing = new Sharing();
  sharing.attach('presence/alice', 's1', 'alice', true);
  sharing.attach('order/o1', 's1', 'alice', true);
  const told = await sharing.told();
  expect(told).toHaveLength(2);
  expect(told).toContainEqual(['session', 'alice', 's1', true]);
  expect(told).toContainEqual(['tracking', 'o1', 'alice', true]);
});

test('[BETWEEN12] a user tracks an order from its first session that does until its last', async () => {
  const sharing = await withOrder();
  await sharing.answerOf('track', { ...track, session: 's1' });
  await sharing.answerOf('track', { ...track, session: 's2' });
  const told = await sharing.told();
  expect(new Set(told.map((change) => JSON.stringify(change)))).toEqual(
    new Set([JSON.stringify(['tracking', 'o1', 'alice', true])]),
  );
  await sharing.answerOf('untrack', { ...track, session: 's1' });
  expect(await sharing.told()).toEqual([]);
  sharing.detach('order/o1', 's2');
  expect(await sharing.told()).toEqual([['tracking', 'o1', 'alice', false]]);
});

test('[BETWEEN12] one that untracks with its only session tracks no more; a refused one says nothing', async () => {
  const sharing = await withOrder();
  expect(await sharing.answerOf('track', { ...track, user: 'bob', session: 's9' })).toBe('FORBIDDEN');
  expect(await sharing.told()).toEqual([]);
  await sharing.answerOf('track', { ...track, session: 's1' });
  await sharing.answerOf('untrack', { ...track, session: 's1' });
  expect((await sharing.told()).at(-1)).toEqual(['tracking', 'o1', 'alice', false]);
});

test('[BETWEEN12] what comes and goes while nothing can be stored is told all the same', async () => {
  const sharing = new Sharing();
  sharing.storage.holdsCommits = true;
  sharing.attach('presence/alice', 's1', 'alice');
  await rounds();
  expect(sharing.shared.take()).toEqual([]);
  sharing.storage.nextCommit().settle(() => unavailable());
  expect(await sharing.told()).toEqual([['session', 'alice', 's1', true]]);
  sharing.detach('presence/alice', 's1');
  await rounds();
  sharing.storage.nextCommit().settle(() => unavailable());
  expect(await sharing.told()).toEqual([['session', 'alice', 's1', false]]);
});

test('[BETWEEN13] a message is told once it is committed, and never when its commit fails', async () => {
  const storage = new FakeStorage();
  await storage.commit([roomRows('r1', ['alice'], 1)]);
  const sharing = new Sharing(storage);
  const { clock } = sharing;
  const room = { actor: 'room/r1', user: 'alice' };
  storage.holdsCommits = true;
  await sharing.json('send', { content: 'lost' }, room);
  storage.nextCommit().settle(() => unavailable());
  expect(await sharing.told()).toEqual([]);
  await sharing.json('send', { content: 'kept' }, room);
  expect(await sharing.told()).toEqual([]);
  storage.nextCommit().settle();
  expect(await sharing.told()).toEqual([['unacked', 'r1', expect.any(String), clock.now()]]);
});

test('[BETWEEN13] an acknowledged message is told, as often as it is acknowledged, and no other', async () => {
  const storage = new FakeStorage();
  await storage.commit([[...roomRows('r1', ['alice'], 1), messageRow('r1', 1, 2)]]);
  const sharing = new Sharing(storage);
  const acknowledge = (messageId: string): Promise<string | null> =>
    sharing.json('acknowledge', { messageId }, { actor: 'replay/alice', params: { roomId: 'r1' } });
  expect(await acknowledge('none')).toBe('NOT_FOUND');
  expect(await sharing.told()).toEqual([]);
  await acknowledge('r1-1');
  await acknowledge('r1-1');
  const acked = ['acked', 'r1', 'r1-1'];
  expect(await sharing.told()).toEqual([acked, acked]);
});

test('[BETWEEN14] the position of a durable subscription is told when it begins and when it moves', async () => {
  const sharing = new Sharing();
  await sharing.answerOf('send', { actor: topic, body: 'one' });
  sharing.durable('reader');
  const [first] = await sharing.told();
  expect(first).toEqual(['position', 'alice', 'reader', destination, expect.any(String), 1]);
  sharing.acknowledge('reader', String(first?.[4]), 7);
  expect(await sharing.told()).toEqual([['position', 'alice', 'reader', destination, first?.[4], 7]]);
});

/** A subscription that has acknowledged the second of three messages. */
async function withPosition(): Promise<{ sharing: Sharing; epoch: string }> {
  const sharing = new Sharing();
  for (const body of ['one', 'two']) await sharing.answerOf('send', { actor: topic, body });
  sharing.durable('reader');
  const [first] = await sharing.told();
  await sharing.answerOf('send', { actor: topic, body: 'three' });
  return { sharing, epoch: String(first?.[4]) };
}

test('[BETWEEN14] a shared position is not believed while the database has one', async () => {
  const { sharing, epoch } = await withPosition();
  sharing.shared.positions.set(JSON.stringify(['alice', 'reader', destination]), { epoch, seq: 3 });
  const number = sharing.durable('reader');
  await rounds();
  expect(sharing.edge.starts(number)).toMatchObject([{ 2: true, 3: true, 5: 3, 6: { length: 1 } }]);
});

test('[BETWEEN14] a position that the database can not give is taken from what is shared', async () => {
  const { sharing } = await withPosition();
  sharing.storage.brokenQueries.add('durablePosition');
  const number = sharing.durable('reader');
  await rounds();
  expect(sharing.edge.starts(number)).toMatchObject([{ 2: true, 3: true, 5: 3, 6: { length: 1 } }]);
});

test('[BETWEEN14] a shared position of another life, or beyond what there is, is not believed even then', async () => {
  const { sharing, epoch } = await withPosition();
  sharing.storage.brokenQueries.add('durablePosition');
  const key = JSON.stringify(['alice', 'reader', destination]);
  for (const position of [{ epoch: 'another', seq: 2 }, { epoch, seq: 4 }, { epoch, seq: -1 }, null]) {
    if (position) sharing.shared.positions.set(key, position);
    else sharing.shared.positions.delete(key);
    const commits = sharing.storage.commits.length;
    const number = sharing.durable('reader');
    await rounds();
    expect(sharing.edge.starts(number)).toEqual(['UNAVAILABLE']);
    expect(sharing.storage.commits).toHaveLength(commits);
  }
});
