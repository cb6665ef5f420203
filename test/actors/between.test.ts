// What actors have to do with each other, and with the sessions of clients.
import { expect, test } from 'vitest';
import { ToEdge, ToShard } from '../../src/link/messages.ts';
import { caller } from './between-probe.ts';
import { rounds, TestShard } from './test-shard.ts';

const kinds = [caller];
const json = (value: unknown): string => JSON.stringify(value);

test('[BETWEEN1] what an actor sends another arrives in order, in turns of their own', async () => {
  const shard = new TestShard({}, { kinds });
  for (const word of ['one', 'two', 'three']) {
    shard.ask('call', { actor: 'caller/a', body: json(['b', word]) });
  }
  await rounds();
  expect(await shard.answerOf('heard', { actor: 'caller/b' })).toBe('ok: ["one","two","three"]');
});

test('[BETWEEN1] an actor may tell itself', async () => {
  const shard = new TestShard({}, { kinds });
  await shard.answerOf('call', { actor: 'caller/a', body: json(['a', 'me']) });
  expect(await shard.answerOf('heard', { actor: 'caller/a' })).toBe('ok: ["me"]');
});

test('[BETWEEN2] nothing is told before the turn is committed, and never when it breaks or its commit fails', async () => {
  const shard = new TestShard({}, { kinds });
  shard.storage.holdsCommits = true;
  shard.ask('writeAndCall', { actor: 'caller/a', body: json(['b', 'kept']) });
  await rounds();
  expect(await shard.answerOf('heard', { actor: 'caller/b' })).toBe('ok: []');
  shard.storage.nextCommit().settle();
  await rounds();
  expect(await shard.answerOf('heard', { actor: 'caller/b' })).toBe('ok: ["kept"]');

  shard.ask('writeAndCall', { actor: 'caller/a', body: json(['b', 'lost']) });
  await rounds();
  shard.storage.nextCommit().reject();
  await rounds();
  expect(await shard.answerOf('callAndBreak', { actor: 'caller/a', body: json(['b', 'no']) })).toBe(
    'INTERNAL',
  );
  expect(await shard.answerOf('heard', { actor: 'caller/b' })).toBe('ok: ["kept"]');
});

test('[BETWEEN3] what an overloaded actor is told is dropped, and it goes on', async () => {
  const shard = new TestShard({ mailboxMax: 2 }, { kinds });
  shard.storage.holdsQueries = true;
  for (let count = 0; count < 9; count += 1)
    shard.ask('call', { actor: 'caller/a', body: json(['b', count]) });
  await rounds();
  shard.storage.holdsQueries = false;
  await rounds();
  expect(await shard.answerOf('heard', { actor: 'caller/b' })).toMatch(/^ok: \[0,1/);
});

test('[BETWEEN4] a push reaches the subscribers of the user’s queue after its commit, and nobody else', async () => {
  const shard = new TestShard({}, { kinds: [{ ...caller, name: 'user' }] });
  const to = { actor: 'user/bob', stream: 'news', destination: '/user/bob/queue/news', user: 'bob' };
  shard.subscribe(to);
  shard.subscribe({ ...to, actor: 'user/eve', destination: '/user/eve/queue/news', user: 'eve', edge: 1 });
  await rounds();
  shard.storage.holdsCommits = true;
  shard.ask('push', { actor: 'user/a', body: json(['bob', 'hello']) });
  await rounds();
  expect(shard.edge.texts('/user/bob/queue/news')).toEqual([]);
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.texts('/user/bob/queue/news')).toEqual(['"hello"']);
  expect(shard.edges[1].messages.filter(([op]) => op === ToEdge.publish)).toEqual([]);
});

test('[BETWEEN5] a session is tied to an actor until it detaches, ends, or its edge is gone', async () => {
  const shard = new TestShard({}, { kinds });
  const tied = async (): Promise<string | null> => shard.answerOf('ties', { actor: 'caller/a' });
  const at = { actor: 'caller/a' };
  await shard.answerOf('attach', { ...at, user: 'alice', session: 's1' });
  await shard.answerOf('attach', { ...at, user: 'bob', session: 's2', edge: 1 });
  await shard.answerOf('attach', { ...at, user: 'bob', session: 's3' });
  expect(shard.edge.messages).toContainEqual([ToEdge.attached, 's1', 'caller/a']);
  expect(await tied()).toBe('ok: {"attached":[["s1","alice"],["s2","bob"],["s3","bob"]],"ties":[]}');
  await shard.answerOf('detach', { ...at, user: 'bob', session: 's3' });
  expect(shard.edge.messages).toContainEqual([ToEdge.detached, 's3', 'caller/a']);
  shard.shard.receive(0, [ToShard.detach, 'caller/a', 's1']);
  shard.shard.removeEdge(1);
  expect(await tied()).toBe('ok: {"attached":[],"ties":[[1,false,"alice"],[0,false,"bob"]]}');
});

test('[BETWEEN5] a command without a session ties nothing', async () => {
  const shard = new TestShard({}, { kinds });
  await shard.answerOf('attach', { actor: 'caller/a' });
  expect(await shard.answerOf('ties', { actor: 'caller/a' })).toBe('ok: {"attached":[],"ties":[]}');
});

test('[BETWEEN6] ties outlive the actor’s state, and a new shard is told that they are not new', async () => {
  const shard = new TestShard({ idleMs: 1_000 }, { kinds });
  shard.shard.receive(0, [ToShard.attach, 'caller/a', 's1', 'alice', true]);
  await rounds();
  expect(await shard.answerOf('ties', { actor: 'caller/a' })).toContain('"ties":[[1,true,null]]');
  shard.clock.advance(10_000);
  await rounds();
  expect(await shard.answerOf('ties', { actor: 'caller/a' })).toBe(
    'ok: {"attached":[["s1","alice"]],"ties":[]}',
  );
});

test('[BETWEEN7] a volatile stream starts with its present state, page by page from where it was seen', async () => {
  const shard = new TestShard({}, { kinds });
  for (const word of ['a', 'b', 'c']) shard.ask('hear', { actor: 'caller/a', body: json(word) });
  await rounds();
  const subscribe = (from: Parameters<TestShard['subscribe']>[0] = {}): number =>
    shard.subscribe({ actor: 'caller/a', stream: 'present', destination: '/caller/a.present', ...from });
  const pages = async (subscription: number): Promise<unknown[]> => {
    await rounds();
    return shard.edge.starts(subscription).map((start) => {
      if (typeof start === 'string') return start;
      const [, , live, recovered, epoch, upto, page] = start;
      return [live, recovered, epoch, upto, page.map(([, , body]) => Buffer.from(body).toString())];
    });
  };
  expect(await pages(subscribe())).toEqual([[false, null, null, 2, ['"a"', '"b"']]]);
  expect(await pages(subscribe({ from: ['since', 2] }))).toEqual([[true, null, null, 3, ['"c"']]]);
  expect(await pages(subscribe({ from: ['resume', 'x', 7] }))).toEqual([
    [false, false, null, 2, ['"a"', '"b"']],
  ]);
  expect(await pages(subscribe({ from: ['since', 3] }))).toEqual([[true, null, null, 3, []]]);
});

test('[BETWEEN8] who lacks the role is FORBIDDEN, a parameter of another shape BAD_REQUEST', async () => {
  const shard = new TestShard({}, { kinds });
  const at = { actor: 'caller/a' };
  expect(await shard.answerOf('make', at)).toBe('FORBIDDEN');
  expect(await shard.answerOf('make', { ...at, roles: ['service'] })).toMatch(/^ok/);
  expect(await shard.answerOf('make', { ...at, roles: ['admin'] })).toMatch(/^ok/);
  expect(await shard.answerOf('make', { ...at, roles: ['service'], params: { size: 'xl' } })).toBe(
    'BAD_REQUEST',
  );
  expect(
    await shard.answerOf('make', { ...at, roles: ['service'], params: { size: 'l', more: '1' } }),
  ).toMatch(/^ok/);
});

test('[BETWEEN9] a repeated request gets the answer of the first, also after the actor left memory', async () => {
  const shard = new TestShard({ idleMs: 1_000 }, { kinds });
  const asked = { actor: 'caller/a', roles: ['service'], key: 'k' };
  const first = await shard.answerOf('make', asked);
  expect(first).toMatch(/^ok: "id-/);
  expect(await shard.answerOf('make', asked)).toBe(first);
  shard.clock.advance(10_000);
  await rounds();
  expect(await shard.answerOf('make', asked)).toBe(first);
  expect(await shard.answerOf('make', { ...asked, key: 'other' })).not.toBe(first);
});

test('[BETWEEN10] an answer says when there is more, and how to ask for it', async () => {
  const shard = new TestShard({}, { kinds });
  const replies = async (cursor?: string): Promise<unknown[]> => {
    const request = shard.ask('page', { actor: 'caller/a', params: cursor === undefined ? {} : { cursor } });
    await rounds();
    return shard.edge.messages.filter(([op, number]) => op === ToEdge.reply && number === request);
  };
  expect((await replies())[0]).toMatchObject({ 3: '2' });
  expect((await replies('3'))[0]).toHaveLength(3);
});

test('[BETWEEN11] before the node ends every actor in memory has a last turn, and its writes are committed', async () => {
  const shard = new TestShard({}, { kinds });
  await shard.answerOf('heard', { actor: 'caller/a' });
  shard.shard.drain();
  expect(shard.shard.idle).toBe(false);
  await rounds();
  expect(shard.shard.idle).toBe(true);
  expect(shard.storage.commits.flat(2)).toMatchObject([{ table: 'topics', row: { epoch: 'drained' } }]);
});
