// What leaves a shard, and when: held commits, failed commits, bounds.
import { expect, test } from 'vitest';
import { unavailable, violated } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

/** A shard whose commits wait for the test, with actors a and b loaded. */
async function heldShard(limits: ConstructorParameters<typeof TestShard>[0] = {}): Promise<TestShard> {
  const shard = new TestShard(limits);
  await shard.answerOf('newest', { actor: 'probe/a' });
  await shard.answerOf('newest', { actor: 'probe/b' });
  shard.storage.holdsCommits = true;
  return shard;
}

/** How many commits the shard asked for. */
const commits = (shard: TestShard): number => shard.storage.commits.length;

const isOf = (topic: string) => (write: object) => JSON.stringify(write).includes(`"topic":"${topic}"`);

test('[GATE1] neither the answer nor the message of a command leaves before its writes are committed', async () => {
  const shard = await heldShard();
  shard.subscribe();
  const request = shard.ask('write', { body: 'one' });
  await rounds();
  expect(commits(shard)).toBe(1);
  expect(shard.edge.answer(request)).toBeNull();
  expect(shard.edge.texts('/probe/a')).toEqual([]);
  expect(shard.shard.idle).toBe(false);

  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.answer(request)).toBe('ok');
  expect(shard.edge.texts('/probe/a')).toEqual(['one']);
  expect(shard.shard.idle).toBe(true);
});

test('[GATE1] a subscription that starts behind a write is not live before the write is committed', async () => {
  const shard = await heldShard();
  shard.ask('write');
  const subscription = shard.subscribe();
  await rounds();
  expect(shard.edge.starts(subscription)).toEqual([]);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.starts(subscription)).toMatchObject([
    [4, subscription, true, null, expect.anything(), 1, []],
  ]);
});

test('[GATE2] turns without writes wait behind the writes of their own actor and of no other', async () => {
  const shard = await heldShard();
  shard.subscribe({ actor: 'probe/a', stream: 'news' });
  shard.subscribe({ actor: 'probe/b', stream: 'news' });
  shard.ask('write', { actor: 'probe/a' });
  const told = shard.ask('tell', { actor: 'probe/a', body: 'a' });
  const refused = shard.ask('refuse', { actor: 'probe/a' });
  const other = shard.ask('tell', { actor: 'probe/b', body: 'b' });
  await rounds();
  expect(shard.edge.texts('/probe/b.news')).toEqual(['b']);
  expect(shard.edge.answer(other)).toBe('ok');
  expect(shard.edge.texts('/probe/a.news')).toEqual([]);
  expect([shard.edge.answer(told), shard.edge.answer(refused)]).toEqual([null, null]);

  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.texts('/probe/a.news')).toEqual(['a']);
  expect([shard.edge.answer(told), shard.edge.answer(refused)]).toEqual(['ok', 'FORBIDDEN']);
});

test('[GATE2] what one actor sends leaves in the order of its turns, whichever commits they wait for', async () => {
  const shard = await heldShard();
  shard.subscribe();
  shard.subscribe({ stream: 'news' });
  shard.ask('write', { body: '1' });
  await rounds();
  shard.ask('tell', { body: '2' });
  shard.ask('write', { body: '3' });
  shard.ask('tell', { body: '4' });
  await rounds();
  const sent = (): string[] =>
    shard.edge.messages.flatMap((message) =>
      message[0] === 3 ? [Buffer.from(message[3][2]).toString()] : [],
    );
  expect(sent()).toEqual([]);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(sent()).toEqual(['1', '2']);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(sent()).toEqual(['1', '2', '3', '4']);
});

test('[GATE3] a failed commit is told to all who wait for it or for what was built on it', async () => {
  const shard = await heldShard();
  const asked = [shard.ask('write'), shard.ask('newest')];
  await rounds();
  // These are in the next group, and rest on the first.
  asked.push(shard.ask('write'), shard.ask('newest'));
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(Array(4).fill('UNAVAILABLE'));
  expect(shard.storage.heldCommits).toEqual([]);
  expect(shard.shard.idle).toBe(true);

  shard.storage.holdsCommits = false;
  expect(await shard.answerOf('newest')).toBe('ok: 0');
  expect(await shard.answerOf('write')).toBe('ok');
  expect(await shard.answerOf('stored')).toBe('ok: [1]');
});

test('[GATE3] messages of a lost turn reach nobody, and the next one takes their place in the stream', async () => {
  const shard = await heldShard();
  shard.storage.holdsCommits = false;
  await shard.written(2);
  shard.storage.holdsCommits = true;
  shard.subscribe();
  shard.ask('write', { body: 'lost' });
  await rounds();
  shard.ask('write', { body: 'lost too' });
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  shard.storage.holdsCommits = false;
  await shard.answerOf('write', { body: 'kept' });
  expect(shard.edge.texts('/probe/a')).toEqual(['kept']);
  expect(shard.edge.seqs('/probe/a')).toEqual([3]);
});

test('[GATE3] neighbours of a failed actor in the same commit go on as if nothing had been', async () => {
  const shard = await heldShard();
  const lost = shard.ask('write', { actor: 'probe/a' });
  const kept = shard.ask('write', { actor: 'probe/b' });
  await rounds();
  const later = shard.ask('write', { actor: 'probe/b' });
  shard.storage.nextCommit().settle((transaction) => (transaction.some(isOf('a')) ? unavailable() : null));
  await rounds();
  expect(shard.edge.answer(lost)).toBe('UNAVAILABLE');
  expect(shard.edge.answer(kept)).toBe('ok');
  expect(shard.edge.answer(later)).toBeNull();
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.answer(later)).toBe('ok');
  shard.storage.holdsCommits = false;
  expect(await shard.answerOf('stored', { actor: 'probe/b' })).toBe('ok: [1,2]');
});

test('[GATE3] an item that waits for rows behind a withdrawn group is taken up again', async () => {
  const shard = await heldShard();
  const first = shard.ask('write');
  await rounds();
  const second = shard.ask('write');
  const held = shard.ask('stored');
  const behind = shard.ask('newest');
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  // Nobody else writes: nothing but the failure itself can wake them.
  expect([first, second].map((request) => shard.edge.answer(request))).toEqual([
    'UNAVAILABLE',
    'UNAVAILABLE',
  ]);
  expect(shard.edge.answer(held)).toBe('ok: []');
  expect(shard.edge.answer(behind)).toBe('ok: 0');
});

test('[GATE4] a violated key is a CONFLICT, a database that is away UNAVAILABLE, and neither says why', async () => {
  for (const [error, code] of [
    [violated(), 'CONFLICT'],
    [unavailable(), 'UNAVAILABLE'],
  ] as const) {
    const shard = await heldShard();
    const request = shard.ask('write');
    await rounds();
    shard.storage.nextCommit().settle(() => error);
    await rounds();
    expect(shard.edge.answer(request)).toBe(code);
    expect(JSON.stringify(shard.edge.messages)).not.toMatch(/SQL|UNIQUE/);
  }
});

test('[GATE4] a refusal of the actor is told as it is, also when what it waited behind is lost', async () => {
  const shard = await heldShard();
  shard.ask('write');
  const refused = shard.ask('refuse');
  await rounds();
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  expect(shard.edge.answer(refused)).toBe('FORBIDDEN');
});

test('[GATE5] a subscription whose start rests on a lost commit is refused and counts for nothing', async () => {
  const shard = await heldShard();
  shard.ask('write');
  const subscription = shard.subscribe();
  const durable = shard.subscribe({ from: ['durable', 'name'] });
  await rounds();
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  // The durable one was held and starts again; its own position is a write of its own.
  shard.storage.nextCommit().settle(() => unavailable());
  await rounds();
  expect(shard.edge.starts(subscription)).toEqual(['UNAVAILABLE']);
  expect(shard.edge.starts(durable)).toEqual(['UNAVAILABLE']);
  shard.storage.holdsCommits = false;
  await shard.written(1);
  expect(shard.edge.texts('/probe/a')).toEqual([]);
});

test('[GATE6] writes of all actors that come while a commit is on its way share the next one', async () => {
  const shard = await heldShard();
  shard.ask('write', { actor: 'probe/a' });
  await rounds();
  for (let index = 0; index < 10; index += 1)
    shard.ask('write', { actor: index % 2 ? 'probe/a' : 'probe/b' });
  await rounds();
  expect(commits(shard)).toBe(1);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(commits(shard)).toBe(2);
  // One transaction for each actor.
  expect(shard.storage.commits[1]).toHaveLength(2);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(commits(shard)).toBe(2);
  expect(shard.storage.commitsAtOnceMax).toBe(1);
});

test('[GATE6] commands of one turn of the event loop share one commit', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest');
  for (let index = 0; index < 5; index += 1) shard.ask('write');
  await rounds();
  expect(commits(shard)).toBe(1);
});

test('[GATE7] over its bound of waiting writes the gate is full: UNAVAILABLE at once, until they are stored', async () => {
  for (const limits of [{ writesMax: 3 }, { bytesMax: 30 }]) {
    const shard = await heldShard(limits);
    shard.ask('write', { body: 'x'.repeat(10) });
    await rounds();
    const asked = Array.from({ length: 6 }, () => shard.ask('write', { body: 'x'.repeat(10) }));
    const answers = asked.map((request) => shard.edge.answer(request));
    expect(answers).toEqual([null, null, null, null, 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(shard.edge.starts(shard.subscribe())).toEqual(['UNAVAILABLE']);

    shard.storage.nextCommit().settle();
    await rounds();
    const again = shard.ask('write');
    shard.storage.holdsCommits = false;
    shard.storage.nextCommit().settle();
    await rounds();
    expect(shard.edge.answer(again)).toBe('ok');
  }
});

test('[GATE7] a gate that was full of what a failed commit took away is not full any more', async () => {
  for (const limits of [{ writesMax: 3 }, { bytesMax: 30 }]) {
    const shard = await heldShard(limits);
    shard.ask('write');
    await rounds();
    for (let index = 0; index < 6; index += 1) shard.ask('write', { body: 'x'.repeat(10) });
    shard.storage.nextCommit().settle(() => unavailable());
    await rounds();
    shard.storage.holdsCommits = false;
    expect(await shard.answerOf('write', { actor: 'probe/b' })).toBe('ok');
    expect(await shard.answerOf('write', { actor: 'probe/a' })).toBe('ok');
  }
});

test('[GATE8] a store that breaks its contract and rejects counts as one that is away', async () => {
  const shard = await heldShard();
  const asked = [shard.ask('write', { actor: 'probe/a' }), shard.ask('write', { actor: 'probe/b' })];
  await rounds();
  shard.storage.nextCommit().reject();
  await rounds();
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  shard.storage.holdsCommits = false;
  expect(await shard.answerOf('write')).toBe('ok');
});

test('[GATE8] a store that leaves an outcome out has not said that anything is durable', async () => {
  const shard = await heldShard();
  shard.storage.commit = () => Promise.resolve([]);
  expect(await shard.answerOf('write')).toBe('UNAVAILABLE');
});
