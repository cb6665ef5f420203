// What goes wrong inside an actor, and what is too much for it.
import { expect, test } from 'vitest';
import { faultText } from './probe.ts';
import { rounds, TestShard } from './test-shard.ts';

test('[ACTOR7] a turn that breaks ends as INTERNAL without its text, and leaves nothing behind', async () => {
  const shard = new TestShard();
  shard.subscribe({ stream: 'news' });
  await shard.written(2);
  expect(await shard.answerOf('fault')).toBe('INTERNAL');
  expect(JSON.stringify(shard.edge.messages)).not.toContain(faultText);
  expect(shard.edge.texts('/probe/a.news')).toEqual([]);
  expect(await shard.answerOf('newest')).toBe('ok: 2');
  expect(await shard.answerOf('stored')).toBe('ok: [1,2]');
});

test('[ACTOR7] earlier turns of a broken actor are committed and answered, later ones start from them', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest');
  shard.storage.holdsCommits = true;
  const before = shard.ask('write');
  const broken = shard.ask('fault');
  const after = shard.ask('newest');
  await rounds();
  expect([before, broken, after].map((request) => shard.edge.answer(request))).toEqual([null, null, null]);
  shard.storage.nextCommit().settle();
  await rounds();
  const answers = [before, broken, after].map((request) => shard.edge.answer(request));
  expect(answers).toEqual(['ok', 'INTERNAL', 'ok: 1']);
});

test('[ACTOR7] a refusal carries the fields of its kind and its own, and does not reload the actor', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest');
  const loads = shard.storage.queries.length;
  const request = shard.ask('refuse');
  await rounds();
  const refusals = shard.edge.messages.filter(([op, number]) => op === 2 && number === request);
  expect(refusals).toEqual([[2, request, 'FORBIDDEN', 'Not you.', { probeId: 'a', more: 7 }]]);
  await shard.answerOf('newest');
  expect(shard.storage.queries).toHaveLength(loads);
});

test('[ACTOR7] what nothing handles is NOT_FOUND', async () => {
  const shard = new TestShard();
  expect(await shard.answerOf('nothing')).toBe('NOT_FOUND');
  const subscription = shard.subscribe({ stream: 'nothing' });
  await rounds();
  expect(shard.edge.starts(subscription)).toEqual(['NOT_FOUND']);
});

test('[ACTOR8] an actor that breaks again and again is stopped for a while, each time longer', async () => {
  const shard = new TestShard({ faultsMax: 3, stopMs: 1_000 });
  for (let fault = 0; fault < 3; fault += 1) expect(await shard.answerOf('fault')).toBe('INTERNAL');
  expect(await shard.answerOf('newest')).toBe('UNAVAILABLE');
  expect(await shard.answerOf('newest', { actor: 'probe/b' })).toBe('ok: 0');
  shard.clock.advance(999);
  expect(await shard.answerOf('newest')).toBe('UNAVAILABLE');
  shard.clock.advance(1);
  expect(await shard.answerOf('fault')).toBe('INTERNAL');
  shard.clock.advance(1_999);
  expect(await shard.answerOf('newest')).toBe('UNAVAILABLE');
  shard.clock.advance(1);
  expect(await shard.answerOf('newest')).toBe('ok: 0');
});

test('[ACTOR8] a turn that ends well makes up for the faults before it', async () => {
  const shard = new TestShard({ faultsMax: 3 });
  for (let round = 0; round < 3; round += 1) {
    for (let fault = 0; fault < 2; fault += 1) expect(await shard.answerOf('fault')).toBe('INTERNAL');
    expect(await shard.answerOf('newest')).toBe('ok: 0');
  }
});

test('[ACTOR8] an actor is stopped for at most a minute', async () => {
  const shard = new TestShard({ faultsMax: 1, stopMs: 1_000 });
  for (let fault = 0; fault < 20; fault += 1) {
    expect(await shard.answerOf('fault')).toBe('INTERNAL');
    shard.clock.advance(60_000);
  }
  expect(await shard.answerOf('newest')).toBe('ok: 0');
});

test('[ACTOR9] an actor that can not be loaded refuses, and is never taken for an empty one', async () => {
  const shard = new TestShard({ idleMs: 1_000 });
  await shard.written(3);
  shard.clock.advance(10_000);
  shard.storage.brokenQueries.add('topicHead');
  const asked = [shard.ask('newest'), shard.ask('write'), shard.ask('stored')];
  const subscription = shard.subscribe();
  await rounds();
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(Array(3).fill('UNAVAILABLE'));
  expect(shard.edge.starts(subscription)).toEqual(['UNAVAILABLE']);
  expect(JSON.stringify(shard.edge.messages)).not.toContain('SQL');

  shard.storage.brokenQueries.clear();
  expect(await shard.answerOf('newest')).toBe('ok: 3');
});

test('[ACTOR9] rows that can not be read refuse that command alone', async () => {
  const shard = new TestShard();
  await shard.written(2);
  shard.storage.brokenQueries.add('topicMessagesAfter');
  const asked = [shard.ask('stored'), shard.ask('newest'), shard.ask('write')];
  await rounds();
  expect(asked.map((request) => shard.edge.answer(request))).toEqual(['UNAVAILABLE', 'ok: 2', 'ok']);
});

test('[ACTOR10] a command that needs rows sees all that its actor wrote before', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest');
  shard.storage.holdsCommits = true;
  shard.ask('write');
  await rounds();
  shard.ask('write');
  const request = shard.ask('stored');
  shard.storage.nextCommit().settle();
  await rounds();
  shard.storage.nextCommit().settle();
  await rounds();
  expect(shard.edge.answer(request)).toBe('ok: [1,2]');
});

test('[ACTOR10] what comes behind a command that waits for rows keeps its place; other actors go on', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest', { actor: 'probe/a' });
  await shard.answerOf('newest', { actor: 'probe/b' });
  shard.storage.holdsQueries = true;
  const waiting = shard.ask('stored');
  const behind = [shard.ask('write'), shard.ask('newest'), shard.ask('stored'), shard.ask('write')];
  await rounds();
  expect(behind.map((request) => shard.edge.answer(request))).toEqual([null, null, null, null]);
  expect(await shard.answerOf('newest', { actor: 'probe/b' })).toBe('ok: 0');
  expect(shard.shard.idle).toBe(false);

  shard.storage.nextQuery().answer();
  await rounds();
  expect(shard.edge.answer(waiting)).toBe('ok: []');
  expect(behind.map((request) => shard.edge.answer(request))).toEqual(['ok', 'ok: 1', null, null]);
  shard.storage.nextQuery().answer();
  await rounds();
  expect(behind.slice(2).map((request) => shard.edge.answer(request))).toEqual(['ok: [1]', 'ok']);
  expect(shard.shard.idle).toBe(true);
});

test('[ACTOR16] a full mailbox refuses at once, and takes what comes when it has room again', async () => {
  const shard = new TestShard({ mailboxMax: 3 });
  await shard.answerOf('newest');
  shard.storage.holdsQueries = true;
  shard.ask('stored');
  const asked = Array.from({ length: 5 }, () => shard.ask('newest'));
  const answers = asked.map((request) => shard.edge.answer(request));
  expect(answers).toEqual([null, null, null, 'UNAVAILABLE', 'UNAVAILABLE']);
  expect(shard.edge.starts(shard.subscribe())).toEqual(['UNAVAILABLE']);
  shard.storage.nextQuery().answer();
  await rounds();
  expect(await shard.answerOf('newest')).toBe('ok: 0');
});

test('[ACTOR16] too many actors: UNAVAILABLE at once, until one of them can be let go', async () => {
  const shard = new TestShard({ actorsMax: 2 });
  await shard.answerOf('newest', { actor: 'probe/a' });
  await shard.answerOf('newest', { actor: 'probe/b' });
  // Idle ones make room.
  expect(await shard.answerOf('newest', { actor: 'probe/c' })).toBe('ok: 0');

  // Those with subscribers or with work can not.
  shard.subscribe({ actor: 'probe/c' });
  await rounds();
  shard.storage.holdsQueries = true;
  shard.ask('newest', { actor: 'probe/b' });
  const refused = shard.ask('newest', { actor: 'probe/d' });
  expect(shard.edge.answer(refused)).toBe('UNAVAILABLE');
  shard.storage.holdsQueries = false;
  shard.storage.nextQuery().answer();
  shard.clock.advance(100);
  await rounds();
  expect(await shard.answerOf('newest', { actor: 'probe/d' })).toBe('ok: 0');
});

test('[ACTOR16] a refused newcomer does not cost the actors in use their state', async () => {
  const shard = new TestShard({ actorsMax: 2 });
  for (const actor of ['probe/a', 'probe/b']) shard.subscribe({ actor });
  await rounds();
  const loads = shard.storage.queries.length;
  for (let index = 0; index < 20; index += 1) {
    expect(await shard.answerOf('newest', { actor: `probe/new-${index}` })).toBe('UNAVAILABLE');
    expect(await shard.answerOf('newest', { actor: 'probe/a' })).toBe('ok: 0');
  }
  expect(shard.storage.queries).toHaveLength(loads);
});

test('[ACTOR16] while the way back to an edge is full its commands are refused, and those of others are not', async () => {
  const shard = new TestShard();
  await shard.answerOf('newest');
  shard.edges[0].full = true;
  expect(await shard.answerOf('write', { edge: 0 })).toBe('UNAVAILABLE');
  expect(await shard.answerOf('write', { edge: 1 })).toBe('ok');
  shard.edges[0].full = false;
  expect(await shard.answerOf('write', { edge: 0 })).toBe('ok');
});

test('[ACTOR16] an actor of a kind that does not exist is refused', async () => {
  const shard = new TestShard();
  for (const actor of ['ghost/a', 'probe', '', '/', 'toString/a']) {
    expect(await shard.answerOf('newest', { actor })).toBe('UNAVAILABLE');
  }
});
