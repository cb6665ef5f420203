// Plain topics: what is sent comes out as it went in, to everybody and in one order.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { range, sendMany, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, encode, type ReceivedFrame } from '../support/stomp.ts';

const allBytes = Buffer.from(range(0, 255));

const bodies: readonly (readonly [what: string, body: string | Uint8Array, isBinary: boolean])[] = [
  ['text', 'hello', false],
  ['nothing', '', false],
  ['emoji and other scripts', '👩‍👩‍👧 שלום \u{10ffff}', false],
  ['text with NUL and line ends', 'a\0b\r\n\0', false],
  ['text sent as bytes', Buffer.from('é👍'), false],
  ['a byte order mark', '\ufeffa', false],
  ['every byte', allBytes, true],
  ['half a character', Buffer.from('👍').subarray(0, 2), true],
  ['an encoded surrogate', Buffer.from([0xed, 0xa0, 0x80]), true],
  ['one NUL', Buffer.from([0]), false],
  ['60 KiB', Buffer.alloc(60 * 1024, allBytes), true],
];

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  test.each(bodies)(
    '[TOPIC1] a body comes out byte for byte, live and later: %s',
    async (what, body, isBinary) => {
      const topic = `/topic/bytes.${what}`;
      const alice = await connectStomp(server, { user: 'alice' });
      await alice.subscribe(topic);
      await alice.send(topic, 'before');
      await alice.send(topic, body);
      const readers = await connectOnEveryEdge(server, layout, { user: 'bob' });
      const [before, live] = await alice.messages(topic, 2);
      const resume = `${before?.headers['epoch']}:1`;
      for (const reader of readers) await reader.subscribe(topic, { resume });
      const later = await Promise.all(readers.map(async (reader) => (await reader.messages(topic, 1))[0]));
      for (const frame of [live, ...later]) {
        expect(frame?.bytes.equals(Buffer.from(body))).toBe(true);
        expect(frame?.isBinary).toBe(isBinary);
        expect(frame?.headers['content-length']).toBe(String(Buffer.byteLength(body)));
        expect(frame?.headers['seq']).toBe('2');
      }
    },
  );

  test('[TOPIC2] bytes that are no text never go out as a text message, however they came in', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    const bob = await connectStomp(server, { user: 'bob' });
    await alice.subscribe('/topic/split');
    const headers = { destination: '/topic/split', receipt: 'split' };
    const frame = Buffer.from(encode('1.2', 'SEND', headers, Buffer.from([0xff, 0x41])));
    // The last message of the frame is text, the one before it is not.
    bob.sendRaw(frame.subarray(0, -2));
    bob.sendRaw('A\0');
    const [message] = await alice.messages('/topic/split', 1);
    expect(message?.isBinary).toBe(true);
    expect([...(message?.bytes ?? [])]).toEqual([0xff, 0x41]);
  });

  test('[TOPIC3] headers of the SEND are passed on, live and later', async () => {
    const topic = '/topic/headers';
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(topic);
    const custom = {
      'content-type': 'application/x-thing;charset=a',
      'reply-to': '/topic/elsewhere',
      'a:b': 'c:d\\e\nf\rg',
      empty: '',
      ünï: '👍',
    };
    await alice.send(topic, 'a', custom);
    await alice.send(topic, 'b');
    const [first, second] = await alice.messages(topic, 2);
    const bob = await connectStomp(server, { user: 'bob' });
    await bob.subscribe(topic, { resume: `${first?.headers['epoch']}:0` });
    const later = await bob.messages(topic, 2);
    const ours = ['subscription', 'destination', 'message-id', 'content-length', 'seq', 'epoch'];
    for (const frame of [first, later[0]]) {
      expect(frame?.headers).toMatchObject(custom);
      const names = Object.keys(frame?.headers ?? {}).filter((name) => name !== 'recovered');
      expect(names.toSorted()).toEqual([...ours, ...Object.keys(custom)].toSorted());
    }
    for (const frame of [second, later[1]]) {
      expect(Object.keys(frame?.headers ?? {}).toSorted()).toEqual(ours.toSorted());
    }
  });

  test('[TOPIC4] no header of a SEND can pass for one of the server', async () => {
    const topic = '/topic/spoof';
    const alice = await connectStomp(server, { user: 'alice' });
    const subscription = await alice.subscribe(topic);
    const forged = {
      'message-id': 'forged',
      subscription: 'forged',
      seq: '77',
      epoch: 'forged',
      recovered: 'false',
      redelivered: 'true',
      ack: 'forged',
      Authorization: 'Bearer secret',
      authorization: 'Bearer secret',
      'idempotency-key': 'forged',
    };
    await alice.send(topic, 'a', forged);
    const [first] = await alice.messages(topic, 1);
    const bob = await connectStomp(server, { user: 'bob' });
    await bob.subscribe(topic, { id: subscription, resume: `${first?.headers['epoch']}:0` });
    const [later] = await bob.messages(topic, 1);
    for (const frame of [first, later]) {
      const { recovered, ...headers } = frame?.headers ?? {};
      expect(recovered).toBe(frame === later ? 'true' : undefined);
      expect(headers).toEqual({
        subscription,
        destination: topic,
        'message-id': expect.not.stringMatching('forged'),
        'content-length': '1',
        seq: '1',
        epoch: expect.stringMatching(/^[0-9a-f]{12}$/),
      });
    }
  });

  test('[TOPIC5] each topic counts from 1 and has one epoch of its own', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    const epochs = new Set<unknown>();
    for (const topic of ['/topic/count.a', '/topic/count.b', '/topic/count/a/b c/ü']) {
      await alice.subscribe(topic);
      await sendMany(alice, topic, range(1, 50).map(String));
      const messages = await alice.messages(topic, 50);
      expect(messages.map(seqOf)).toEqual(range(1, 50));
      expect(messages.map(({ body }) => body)).toEqual(range(1, 50).map(String));
      expect(new Set(messages.map(({ headers }) => headers['message-id'])).size).toBe(50);
      const own = new Set(messages.map(({ headers }) => headers['epoch']));
      expect(own.size).toBe(1);
      for (const epoch of own) epochs.add(epoch);
    }
    expect(epochs.size).toBe(3);
  });

  test('[TOPIC6] SUBSCRIBE and then SEND on one connection: the sender receives its own', async () => {
    const alice = await connectStomp(server, { user: 'alice', errors: false });
    const topics = range(1, 40).map((number) => `/topic/own.${number}`);
    for (const topic of topics) {
      // Nothing is waited for: the order of the frames is all there is.
      alice.sendFrame('SUBSCRIBE', { destination: topic, id: topic });
      alice.sendFrame('SUBSCRIBE', { destination: topic, id: `${topic} again` });
      alice.sendFrame('SEND', { destination: topic }, 'one');
      alice.sendFrame('UNSUBSCRIBE', { id: `${topic} again` });
      alice.sendFrame('SEND', { destination: topic, receipt: topic }, 'two');
    }
    for (const topic of topics) {
      const messages = await alice.messages(topic, 2);
      const own = messages.filter(({ headers }) => headers['subscription'] === topic);
      expect(own[0]?.body).toBe('one');
      await alice.waitFor((frame) => frame.headers['receipt-id'] === topic);
    }
    const bodiesOf = (topic: string): string[] =>
      alice
        .received(topic)
        .filter(({ headers }) => headers['subscription'] === topic)
        .map(({ body }) => body);
    for (const topic of topics) {
      await alice.waitForMany(2, (frame) => frame.headers['subscription'] === topic);
      expect(bodiesOf(topic)).toEqual(['one', 'two']);
    }
  });

  test('[TOPIC7] each subscription gets each message once, and none after its UNSUBSCRIBE', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    const others = await connectOnEveryEdge(server, layout, { user: 'bob' });
    const ids = ['a', 'b:c', 'd\ne'];
    for (const client of [alice, ...others]) {
      for (const id of ids) await client.subscribe('/topic/several', { id });
    }
    await alice.send('/topic/several', 'one');
    await alice.unsubscribe('b:c');
    await alice.send('/topic/several', 'two');
    await alice.subscribe('/topic/several', { id: 'b:c' });
    await alice.send('/topic/several', 'three');
    const bodiesOf = (id: string): string[] =>
      alice.frames.filter(({ headers }) => headers['subscription'] === id).map(({ body }) => body);
    await alice.messages('/topic/several', 8);
    expect(ids.map(bodiesOf)).toEqual([
      ['one', 'two', 'three'],
      ['one', 'three'],
      ['one', 'two', 'three'],
    ]);
    for (const other of others) await other.messages('/topic/several', 9);
  });

  test('[TOPIC27] each frame with a receipt gets its RECEIPT, also when the next one takes it back', async () => {
    const alice = await connectStomp(server, { user: 'alice' });
    const frames = range(1, 20).map(async (number) => {
      const id = `fleeting-${number}`;
      const destination = number % 2 === 0 ? '/topic/fleeting' : '/topic/fleeting/*';
      const subscribed = alice.request('SUBSCRIBE', { destination, id });
      const unsubscribed = alice.request('UNSUBSCRIBE', { id });
      await Promise.all([subscribed, unsubscribed]);
    });
    await Promise.all(frames);
    await alice.send('/topic/fleeting', 'a');
    await alice.subscribe('/topic/fleeting');
    await alice.send('/topic/fleeting', 'b');
    await alice.messages('/topic/fleeting', 1);
    expect(alice.received('/topic/fleeting').map(({ body }) => body)).toEqual(['b']);
  });

  test('[TOPIC8] subscribers on every edge and of every version get the message', async () => {
    const topic = '/topic/versions';
    const readers = [
      ...(await connectOnEveryEdge(server, layout, { user: 'bob' })),
      ...(await connectOnEveryEdge(server, layout, { user: 'bob', version: '1.1' })),
      ...(await connectOnEveryEdge(server, layout, { user: 'bob', version: '1.0' })),
    ];
    for (const reader of readers) await reader.subscribe(topic, { id: 'same' });
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.send(topic, 'hello', { x: 'a\\b' });
    const messages: ReceivedFrame[] = [];
    for (const reader of readers) messages.push(...(await reader.messages(topic, 1)));
    for (const { body, headers } of messages) {
      expect(body).toBe('hello');
      expect(headers).toMatchObject({ subscription: 'same', seq: '1', x: 'a\\b' });
    }
  });

  test.each([
    'room.x',
    'room.x/y',
    'doc.x',
    'prices',
    'prices.ACME',
    'presence.bob',
    'inventory',
    'inventory/urgent',
  ])('[TOPIC9] a topic of a domain is not a plain one: %s', async (name) => {
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe('/topic/**');
    const refusal = { code: 'FORBIDDEN', destination: `/topic/${name}` };
    await expect(alice.send(`/topic/${name}`, 'forged')).rejects.toMatchObject({ refusal });
    await alice.send('/topic/plain', 'end');
    await alice.waitFor(({ body }) => body === 'end');
    expect(alice.frames.filter(({ body }) => body === 'forged')).toEqual([]);
  });

  test.each([
    ['no name', '/topic/', 'NOT_FOUND'],
    ['no prefix of ours', '/topics/a', 'NOT_FOUND'],
    ['no slash in front', 'topic/a', 'NOT_FOUND'],
    ['no such command', '/app/nothing', 'NOT_FOUND'],
    ['a command of nothing', '/app/chat.send/', 'NOT_FOUND'],
    ['a slash', '/', 'NOT_FOUND'],
    ['a long name', `/topic/${'x'.repeat(256)}`, 'TOO_LARGE'],
    ['a very long name', `/topic/${'x'.repeat(2_000)}`, 'NOT_FOUND'],
  ])('[TOPIC10] what nothing handles is refused and the connection stays: %s', async (_what, to, code) => {
    const alice = await connectStomp(server, { user: 'alice' });
    for (const asked of [alice.send(to, '{}'), alice.subscribe(to)]) {
      await expect(asked).rejects.toMatchObject({ refusal: { code, destination: to } });
    }
    const missing = alice.request('SEND', {}, 'a');
    await expect(missing).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST', destination: '' } });
    await alice.send(`/topic/${'x'.repeat(255)}`, 'a');
  });
});
