// The stream of a user's notifications before and around the first one: others write to it, and with it comes its epoch.
import { expect, test } from 'vitest';
import { notificationsKind } from '../../src/actors/kinds/notifications.ts';
import { notifierKind } from '../../src/actors/kinds/notifier.ts';
import { ToEdge, type From } from '../../src/link/messages.ts';
import { rounds, TestShard } from './test-shard.ts';

const actor = 'notifications/alice';
const stream = '/user/alice/queue/notifications';
const idleMs = 60_000;

class Notifications extends TestShard {
  constructor() {
    super({ idleMs }, { kinds: [notificationsKind, notifierKind] });
  }

  async notify(): Promise<void> {
    const body = JSON.stringify({ userIds: ['alice'], type: 'NEWS', message: 'news' });
    const asked = { actor: 'notifier/shop', user: 'shop', roles: ['service'], body };
    expect(await this.answerOf('send', asked)).toMatch(/^ok/);
  }

  /** What the subscription starts with: its epoch, its place, whether it was found, and the seqs it missed. */
  async start(from: From, edge = 0): Promise<[string | null, number, boolean | null, number[]]> {
    const number = this.subscribe({ actor, stream: 'notifications', destination: stream, from, edge });
    await rounds();
    const [start] = this.edges[edge]?.starts(number) ?? [];
    if (typeof start !== 'object') throw new Error(`refused: ${start}`);
    return [start[4], start[5], start[3], start[6].map(([seq]) => seq)];
  }

  /** Nobody is there any more, and the actor leaves memory. */
  async forget(): Promise<void> {
    for (const edge of [0, 1]) {
      this.shard.removeEdge(edge);
      this.shard.addEdge(edge, this.edges[edge] as (typeof this.edges)[0]);
    }
    this.clock.advance(2 * idleMs);
    await rounds();
  }
}

/** Epoch and seq of each message published. */
const published = (shard: Notifications): unknown[] =>
  shard.edge.messages.flatMap((message) =>
    message[0] === ToEdge.publish ? [[message[2], message[3][0]]] : [],
  );

test('[NOTIFY8] who subscribes before the first notification resumes after it', async () => {
  const shard = new Notifications();
  await shard.start(null);
  await shard.notify();
  await shard.notify();
  const [[epoch, first]] = published(shard) as [[string, number]];
  expect(published(shard)).toEqual([
    [epoch, 1],
    [epoch, 2],
  ]);
  await shard.forget();
  expect(await shard.start(['resume', epoch, first])).toEqual([epoch, 2, true, [2]]);
});

test('[NOTIFY8] the epoch that a stream without notifications names is that of the first one', async () => {
  const shard = new Notifications();
  const [epoch, place, recovered] = await shard.start(['lost']);
  expect([place, recovered]).toEqual([0, false]);
  await shard.forget();
  await shard.notify();
  expect(await shard.start(['resume', String(epoch), 0])).toEqual([epoch, 1, true, [1]]);
  await shard.notify();
  expect(published(shard)).toEqual([[epoch, 2]]);
});

test('[NOTIFY8] a durable name that begins without notifications gets the first one', async () => {
  const shard = new Notifications();
  expect(await shard.start(['durable', 'phone'])).toMatchObject([expect.any(String), 0, null, []]);
  await shard.forget();
  await shard.notify();
  expect(await shard.start(['durable', 'phone'])).toMatchObject([expect.any(String), 1, true, [1]]);
});

test('[NOTIFY9] nothing is published before it is committed', async () => {
  const shard = new Notifications();
  await shard.start(null);
  shard.storage.holdsCommits = true;
  const body = JSON.stringify({ userIds: ['alice', 'bob', 'alice'], type: 'NEWS', message: 'news' });
  shard.ask('send', { actor: 'notifier/shop', user: 'shop', roles: ['service'], body });
  await rounds();
  expect(published(shard)).toEqual([]);
  const commit = shard.storage.nextCommit();
  expect(commit.transactions.map((transaction) => transaction.length)).toEqual([2]);
  commit.settle();
  await rounds();
  expect(published(shard)).toHaveLength(1);
});
