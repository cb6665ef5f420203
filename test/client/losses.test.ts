// The client when a connection is lost in ways that a real server does not show when it is asked to.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { renewalAfterMs } from '../../src/client/token.ts';
import { closeOurClients, connectOurs } from '../support/our-client.ts';
import { startScripted, type ScriptedServer } from '../support/scripted-server.ts';

let server: ScriptedServer;

beforeEach(async () => {
  server = await startScripted();
});
afterEach(closeOurClients);

describe('a connection', () => {
  test('[CLIENT6] that says nothing any more is given up, and another one made', async () => {
    server.heartBeat = '20,20';
    const ann = await connectOurs(server, 'ann', { heartBeatMs: 20 });
    server.visit.hush();
    await ann.is('waiting');
    await ann.is('connected');
    expect(server.visits).toHaveLength(2);
  });

  test('[CLIENT6] that is not made in time is given up too, whatever it is that takes so long', async () => {
    let tokens = 0;
    const token = (): Promise<string> => {
      tokens += 1;
      return tokens === 1 ? new Promise(() => undefined) : server.token();
    };
    server.admits = false;
    const ann = await connectOurs(server, 'ann', { token, connectWithinMs: 50 }, false);
    await server.until(() => server.visits.length > 1, 'the server does not answer, and is asked again');
    server.admits = true;
    await ann.is('connected');
    expect(tokens).toBeGreaterThan(2);
  });

  test('[CLIENT7] for which there is no token or no socket is tried again', async () => {
    let tokens = 0;
    const token = (): Promise<string> => {
      tokens += 1;
      return tokens < 3 ? Promise.reject(new Error('the backend is away')) : server.token();
    };
    let sockets = 0;
    const socket = (url: string): WebSocket => {
      sockets += 1;
      if (sockets === 1) throw new Error('no socket');
      return new WebSocket(url);
    };
    const ann = await connectOurs(server, 'ann', { token, socket });
    expect([tokens, sockets]).toEqual([4, 2]);
    expect(ann.states.filter(({ name }) => name === 'waiting')).toHaveLength(3);
  });

  test('[CLIENT8] is kept by answers to heart-beats, however slow the timers of a page are', async () => {
    server.heartBeat = '10000,10000';
    await connectOurs(server, 'ann');
    server.visit.beat();
    await server.until(() => server.visit.beats > 0, 'an answer');
    expect(server.visit.beats).toBe(1);
  });

  test('[CLIENT15] is made again whatever the server closed it for', async () => {
    const ann = await connectOurs(server, 'ann', { backoffMs: 2 });
    for (const code of [1000, 1001, 1002, 1008, 1011, 1012, 1013, 4008, 4500, null]) {
      const before = server.visits.length;
      server.visit.close(code);
      await server.until(() => server.visits.length > before, `back after ${code}`);
      await ann.is('connected');
      expect(server.visits).toHaveLength(before + 1);
    }
  });

  test('[CLIENT16] is closed in time though the server says nothing any more', async () => {
    const ann = await connectOurs(server, 'ann', { connectWithinMs: 50 });
    server.visit.hush();
    const answer = ann.ask('/app/never');
    await Promise.all([expect(answer).rejects.toMatchObject({ code: 'CLOSED' }), ann.close()]);
    expect(ann.state.name).toBe('closed');
  });
});

describe('a token', () => {
  const tokenOf = (claims: object): string =>
    `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
  const nowMs = 1_000_000_000;
  const now = nowMs / 1_000;

  test('[CLIENT17] is renewed a minute before it ends, a short one half way, and never without end', () => {
    expect(renewalAfterMs(tokenOf({ exp: now + 3_600 }), nowMs)).toBe(3_540_000);
    expect(renewalAfterMs(tokenOf({ exp: now + 10 }), nowMs)).toBe(5_000);
    expect(renewalAfterMs(tokenOf({ exp: now + 1 }), nowMs)).toBe(1_000);
    expect(renewalAfterMs(tokenOf({ exp: now + 10 ** 9 }), nowMs)).toBe(2 ** 31 - 1);
  });

  test('[CLIENT18] that can not be had when it is to be renewed is asked for again before the old one ends', async () => {
    let asked = 0;
    const token = (): Promise<string> => {
      asked += 1;
      const exp = Math.ceil(Date.now() / 1_000) + 3;
      return asked === 2 ? Promise.reject(new Error('away')) : Promise.resolve(tokenOf({ exp, asked }));
    };
    await connectOurs(server, 'ann', { token });
    const sent = (): string[] =>
      server.visit.frames
        .filter(({ headers }) => headers['destination'] === '/app/auth.refresh')
        .map(({ body }) => body);
    await server.until(() => sent().length > 0, 'a new token');
    const { token: renewed } = JSON.parse(sent()[0] ?? '') as { token: string };
    expect(JSON.parse(Buffer.from(renewed.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      asked: 3,
    });
    expect(server.visits).toHaveLength(1);
  });

  test('[CLIENT17] is renewed in time where the clock is wrong, or left to its end', () => {
    expect(renewalAfterMs(tokenOf({ exp: now - 3_600, iat: now - 7_200 }), nowMs)).toBe(3_540_000);
    expect(renewalAfterMs(tokenOf({ exp: now - 3_600 }), nowMs)).toBeNull();
    expect(renewalAfterMs('no token', nowMs)).toBeNull();
    expect(renewalAfterMs(tokenOf({}), nowMs)).toBeNull();
  });
});

describe('a subscription', () => {
  test('[CLIENT33] that is refused for now is tried again, once per connection', async () => {
    const topics = ['/topic/a', '/topic/b'] as const;
    const count = (topic: string): number =>
      server.visits.reduce((sum, one) => sum + one.subscribes(topic), 0);
    server.onFrame = ({ headers: { destination = '', receipt = '' } }, visit) => {
      // The first is to be tried again when its connection is gone, and then the second, later than that.
      const isRefused =
        destination === topics[server.visits.length - 1] && visit.subscribes(destination) === 1;
      if (isRefused) visit.refuse(receipt, { code: 'UNAVAILABLE', retryAfterMs: server.visits.length * 60 });
      return isRefused;
    };
    const ann = await connectOurs(server, 'ann', { backoffMs: 2 });
    for (const topic of topics) ann.topics.on(topic, { message: ann.note(topic) });
    await server.until(() => count(topics[1]) === 1, 'both');
    // In good order, so that the refusal is heard.
    server.visit.close(1012);
    await server.until(() => count(topics[1]) === 3, 'the second again');
    expect(count(topics[0])).toBe(2);
  });

  test('[CLIENT35] hears what was sent after it, for that is not sent before it has begun', async () => {
    server.onFrame = ({ headers }) => headers['destination'] === '/topic/slow';
    const ann = await connectOurs(server, 'ann');
    ann.topics.on('/topic/slow', { message: ann.note('slow') });
    const sent = ann.topics.publish('/topic/other', 'after it');
    // Answered after everything that was sent before.
    server.visit.beat();
    await server.until(() => server.visit.beats === 1, 'an answer');
    const commands = (): string[] => server.visit.frames.map(({ command }) => command);
    expect(commands()).toEqual(['SUBSCRIBE', 'SUBSCRIBE']);
    server.visit.send('RECEIPT', { 'receipt-id': server.visit.frames[1]?.headers['receipt'] ?? '' });
    await sent;
    expect(commands()).toEqual(['SUBSCRIBE', 'SUBSCRIBE', 'SEND']);
  });
});

test('[CLIENT49] an operation that does not follow the text is not applied to it: the text is asked for', async () => {
  const topic = '/topic/doc.plan';
  const openId = (): string | undefined =>
    server.visit.frames.find(({ headers }) => headers['destination'] === '/app/doc.open/plan')?.headers['id'];
  const tell = (seq: number, headers: Readonly<Record<string, string>>, body: object): void => {
    const place = { seq: String(seq), epoch: 'e', 'message-id': String(seq), destination: topic };
    server.visit.send('MESSAGE', { subscription: 's1', ...place, ...headers }, JSON.stringify(body));
  };
  const ann = await connectOurs(server, 'ann');
  const document = ann.documents.open('plan');
  document.onEvent(ann.note('plan'));
  tell(3, { recovered: 'false' }, { docId: 'plan', content: 'abc', revision: 3 });
  const changes = [{ position: 5, length: 0, text: 'f' }];
  tell(6, {}, { operationId: 'other', changes, serverRevision: 5 });
  await server.until(() => openId() !== undefined, 'it asks');
  expect(document.text).toBe('abc');
  const answer = { subscription: openId() ?? '', 'message-id': '9', destination: '/app/doc.open/plan' };
  server.visit.send('MESSAGE', answer, JSON.stringify({ docId: 'plan', content: 'abcdef', revision: 6 }));
  await ann.shows(document, 'abcdef');
  tell(7, {}, { operationId: 'more', changes: [{ position: 6, length: 0, text: 'g' }], serverRevision: 6 });
  await ann.shows(document, 'abcdefg');
});
