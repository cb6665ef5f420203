// Which actors hear that a session came, is still there, or has gone.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Attachments } from '../../src/edge/attachments.ts';
import type { Session } from '../../src/edge/session.ts';
import type { Attachment, ShardPort } from '../../src/edge/shard-port.ts';
import { kinds } from '../support/edge-kinds.ts';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;

beforeEach(() => {
  node = new InProcessNode({ kinds, edges: 2, shards: 2 });
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

interface Seen {
  readonly users: string[];
  readonly ties: [sessions: number, isAgain: boolean][];
}

let looks = 0;

async function look(client: FakeClient, id: string): Promise<Seen> {
  looks += 1;
  client.subscribe(`look-${looks}`, `/app/here.look/${id}`);
  await node.settle();
  return JSON.parse(client.bodies(`look-${looks}`)[0] ?? 'null') as Seen;
}

test('[ATTACH1] the actor of a user hears of every session from its CONNECT to its end', async () => {
  const bob = await node.signIn('bob');
  const [first, second] = [await node.signIn('alice'), await node.signIn('alice', { edge: 1 })];
  expect(await look(bob, 'alice')).toEqual({
    users: ['alice', 'alice'],
    ties: [
      [1, false],
      [2, false],
    ],
  });
  node.open();
  first.connection.drop();
  second.send('DISCONNECT', {});
  await node.settle();
  expect((await look(bob, 'alice')).ties.slice(2).map(([count]) => count)).toEqual([1, 0]);
  expect((await look(bob, 'bob')).users).toEqual(['bob']);
});

test('[ATTACH2] an actor that holds something for a session hears of its end, until it lets go', async () => {
  const bob = await node.signIn('bob');
  const alice = await node.signIn('alice');
  for (const id of ['x', 'y', 'z']) alice.tell(`/app/here.tie/${id}`, '');
  alice.tell('/app/here.untie/y', '');
  await node.settle();
  for (const [id, users] of [
    ['x', ['alice']],
    ['y', []],
    ['z', ['alice']],
  ] as const) {
    expect((await look(bob, id)).users).toEqual(users);
  }
  alice.tell('/app/here.tie/late', '');
  alice.connection.drop();
  await node.settle();
  for (const id of ['x', 'y', 'z', 'late']) expect((await look(bob, id)).users).toEqual([]);
});

test('[ATTACH3] a new shard hears again of the sessions that are there, and of no others', async () => {
  const bob = await node.signIn('bob');
  const alice = await node.signIn('alice');
  const gone = await node.signIn('gone');
  for (const client of [alice, gone]) client.tell('/app/here.tie/x', '');
  await node.settle();
  for (const shard of [0, 1]) node.killShard(shard);
  await node.settle();
  gone.connection.drop();
  const late = await node.signIn('late');
  for (const shard of [0, 1]) node.startShard(shard);
  await node.settle();
  expect(await look(bob, 'x')).toEqual({ users: ['alice'], ties: [[1, true]] });
  expect(await look(bob, 'alice')).toEqual({ users: ['alice'], ties: [[1, true]] });
  expect(await look(late, 'late')).toEqual({ users: ['late'], ties: [[1, true]] });
  expect((await look(bob, 'gone')).users).toEqual([]);
});

test('[ATTACH4] a session is tied to at most 1,000 actors, one more is told that it is gone', () => {
  const told: string[] = [];
  const port = {
    attach: ({ actor }: Attachment, isAgain: boolean) => told.push(`attach ${actor} ${isAgain}`),
    detach: (actor: string) => told.push(`detach ${actor}`),
  } as unknown as ShardPort;
  const attachments = new Attachments(['here'], () => port);
  const session = { id: 's', user: 'alice' } as Session;
  attachments.attached('s', 'x/early');
  attachments.opened(session);
  for (let index = 1; index < 1_000; index += 1) attachments.attached('s', `x/${index}`);
  for (const actor of ['x/over', 'x/1']) attachments.attached('s', actor);
  expect(told.splice(0)).toEqual(['detach x/early', 'attach here/alice false', 'detach x/over']);
  attachments.detached('s', 'x/1');
  attachments.attached('s', 'x/over');
  expect([...attachments.on(port)]).toHaveLength(1_000);
  attachments.closed(session);
  expect(told).toHaveLength(1_000);
  expect([...attachments.on(port)]).toEqual([]);
});
