// Streams that others append to.
import { expect, test } from 'vitest';
import { ToEdge, type SubscribedMessage } from '../../src/link/messages.ts';
import { fed, feeder } from './between-probe.ts';
import { rounds, TestShard } from './test-shard.ts';

const kinds = [fed, feeder];

class Feeds extends TestShard {
  constructor(limits = {}) {
    super(limits, { kinds });
  }

  append(name: string, command = 'append'): Promise<string | null> {
    return this.answerOf(command, { actor: 'feeder/f', body: JSON.stringify(name) });
  }

  async listen(from: Parameters<TestShard['subscribe']>[0] = {}): Promise<SubscribedMessage> {
    const subscription = this.subscribe({ actor: 'fed/', stream: 'changes', destination: '/fed', ...from });
    await rounds();
    return this.edges[from.edge ?? 0]?.starts(subscription).at(-1) as SubscribedMessage;
  }

  get heard(): string[] {
    return this.edge.texts('/fed').map((text) => JSON.parse(text) as string);
  }
}

test('[FEED1] what others append is published in its order, once, when it is committed', async () => {
  const shard = new Feeds();
  await shard.append('before');
  await shard.listen();
  shard.storage.holdsCommits = true;
  const asked = ['a', 'b', 'c'].map((name) =>
    shard.ask('append', { actor: 'feeder/f', body: JSON.stringify(name) }),
  );
  await rounds();
  expect(shard.heard).toEqual([]);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(['ok', 'ok', 'ok']);
  expect(shard.heard).toEqual(['a', 'b', 'c']);
  expect(shard.edge.seqs('/fed')).toEqual([2, 3, 4]);
});

test('[FEED2] what was appended while nobody told comes with the next word, and is not missed by a resume', async () => {
  const shard = new Feeds();
  await shard.append('a');
  const [, , , , epoch] = await shard.listen();
  await shard.append('silent', 'appendInSilence');
  expect(shard.heard).toEqual([]);
  // A newcomer sees what the stream has published, no more: the rest comes to all alike.
  const start = await shard.listen({ edge: 1, from: ['resume', epoch ?? '', 0] });
  expect(start[6].map(([seq]) => seq)).toEqual([1]);
  await shard.append('b');
  expect(shard.heard).toEqual(['silent', 'b']);
  expect(shard.edges[1].texts('/fed')).toEqual(['"silent"', '"b"']);
});

test('[FEED3] the first message of all comes with the epoch that is stored, and is there to resume after', async () => {
  const shard = new Feeds();
  await shard.listen();
  await shard.append('first');
  const [published] = shard.edge.published('/fed');
  const epoch = published?.[2] ?? '';
  expect(shard.heard).toEqual(['first']);
  const [, , live, recovered, its, head] = await shard.listen({ from: ['resume', epoch, 1] });
  expect([live, recovered, its, head]).toEqual([true, true, epoch, 1]);
});

test('[FEED4] subscribers miss nothing when the owner’s state left memory meanwhile', async () => {
  const shard = new Feeds({ idleMs: 1_000 });
  await shard.append('a');
  await shard.listen();
  shard.clock.advance(10_000);
  await shard.append('b', 'appendInSilence');
  expect(await shard.answerOf('newest', { actor: 'fed/' })).toBe('ok: 2');
  await rounds();
  expect(shard.heard).toEqual(['b']);
  await shard.append('c');
  expect(shard.heard).toEqual(['b', 'c']);
  expect(shard.edge.seqs('/fed')).toEqual([2, 3]);
});

test('[FEED5] when another shard is lost, streams look for what it may have appended', async () => {
  const shard = new Feeds();
  await shard.append('a');
  await shard.listen();
  await shard.append('b', 'appendInSilence');
  shard.shard.removePeer(1);
  await rounds();
  expect(shard.heard).toEqual(['b']);
});

test('[FEED6] a stream that can’t be read at the moment is read again, and nothing is lost or repeated', async () => {
  const shard = new Feeds();
  await shard.append('a');
  await shard.listen();
  shard.storage.brokenQueries.add('inventoryChangesAfter');
  await shard.append('b');
  await shard.append('c');
  expect(shard.heard).toEqual([]);
  shard.storage.brokenQueries.clear();
  shard.clock.advance(1_000);
  await rounds();
  expect(shard.heard).toEqual(['b', 'c']);
  expect(shard.edge.messages.filter(([op]) => op === ToEdge.refuse)).toEqual([]);
});

test('[FEED7] however many are appended at once, all are published', async () => {
  const shard = new Feeds();
  await shard.append('a');
  await shard.listen();
  for (let count = 0; count < 650; count += 1) {
    shard.ask('append', { actor: 'feeder/f', body: JSON.stringify(`n${count}`) });
  }
  await rounds(40);
  expect(shard.edge.seqs('/fed')).toEqual(Array.from({ length: 650 }, (_none, index) => index + 2));
});
