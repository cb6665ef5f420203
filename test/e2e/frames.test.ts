// Frames on the wire: how they are cut, what is too much, what is wrong, and what is answered.
import { beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, encode, openSocket, type TestClient } from '../support/stomp.ts';

const frameBytesMax = 65_536;
let server: TestServer;
let topics = 0;

beforeAll(async () => {
  server = await startServer();
});

/** A topic of its own for each test, and a client that is subscribed to it. */
async function listener(): Promise<{ client: TestClient; topic: string }> {
  topics += 1;
  const topic = `/topic/frames.${topics}`;
  const client = await connectStomp(server, { user: 'alice' });
  await client.subscribe(topic);
  return { client, topic };
}

const bytesOf = (data: string | Uint8Array): Buffer => Buffer.from(data as Uint8Array);
const sendFrame = (topic: string, body: string | Uint8Array, headers = {}): Buffer =>
  bytesOf(encode('1.2', 'SEND', { destination: topic, ...headers }, body));

/** A SEND of exactly so many bytes, with its NUL. */
function frameOf(bytes: number, topic: string, announced: boolean): Buffer {
  const build = (length: number): Buffer => {
    const announcement = announced ? `content-length:${length}\n` : '';
    return Buffer.from(`SEND\ndestination:${topic}\n${announcement}\n${'x'.repeat(length)}\0`);
  };
  return build(bytes - (build(bytes).length - bytes));
}

describe('cutting', () => {
  test('[FRAME1] several frames in one WebSocket message take effect in their order', async () => {
    const { client, topic } = await listener();
    const bodies = Array.from({ length: 20 }, (_, index) => `${index}`);
    client.sendRaw(Buffer.concat(bodies.flatMap((body) => [sendFrame(topic, body), Buffer.from('\n\r\n')])));
    const messages = await client.messages(topic, 20);
    expect(messages.map(({ body }) => body)).toEqual(bodies);
    await client.disconnect();
  });

  test.each([1, 7, 1_000])('[FRAME2] a frame cut into messages of %i bytes is one frame', async (size) => {
    const { client, topic } = await listener();
    const body = 'žluťoučký kůň 😀 '.repeat(size === 1 ? 4 : 200);
    const frame = sendFrame(topic, body, { 'x-name': 'ž\n:' });
    for (let start = 0; start < frame.length; start += size)
      client.sendRaw(frame.subarray(start, start + size));
    const [message] = await client.messages(topic, 1);
    expect(message).toMatchObject({ body, isBinary: false, headers: { 'x-name': 'ž\n:' } });
    await client.disconnect();
  });

  test('[FRAME2] one message may end a frame and begin the next, in text and in binary', async () => {
    const { client, topic } = await listener();
    const stream = Buffer.concat(['one', 'two', 'three'].map((body) => sendFrame(topic, body)));
    client.sendRaw(stream.subarray(0, 20).toString());
    client.sendRaw(stream.subarray(20, 75));
    client.sendRaw(stream.subarray(75).toString());
    const messages = await client.messages(topic, 3);
    expect(messages.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
    await client.disconnect();
  });
});

describe('bodies', () => {
  test('[FRAME3] a body arrives byte for byte: as text when it is UTF-8, else as a binary message', async () => {
    const { client, topic } = await listener();
    const bodies: [Buffer, boolean][] = [
      [Buffer.from('text ž 😀'), false],
      [Buffer.from('with\0NUL\0'), false],
      [Buffer.from('\n\r\n \\n'), false],
      [Buffer.alloc(0), false],
      [Buffer.from([0xff, 0xfe, 0, 10, 0x80]), true],
      [Buffer.from([...Array(256).keys()]), true],
    ];
    for (const [body] of bodies) await client.send(topic, body, { 'content-length': `${body.length}` });
    const messages = await client.messages(topic, bodies.length);
    expect(messages.map(({ bytes, isBinary }) => [bytes, isBinary])).toEqual(bodies);
    await client.disconnect();
  });

  test('[FRAME4] bytes that are no text stay binary when the rest of their frame came as text', async () => {
    const { client, topic } = await listener();
    const bad = Buffer.from([0x61, 0xff, 0xc3]);
    const head = Buffer.from(`SEND\ndestination:${topic}\n\n`);
    client.sendRaw(Buffer.concat([head, bad]));
    client.sendRaw('b\0');
    await client.send(topic, 'text');
    const messages = await client.messages(topic, 2);
    expect(messages.map(({ bytes, isBinary }) => [bytes, isBinary])).toEqual([
      [Buffer.concat([bad, Buffer.from('b')]), true],
      [Buffer.from('text'), false],
    ]);
    await client.disconnect();
  });
});

describe('limits', () => {
  test.each([true, false])('[FRAME5] a frame of 64 KiB is taken (content-length: %s)', async (announced) => {
    const { client, topic } = await listener();
    client.sendRaw(frameOf(frameBytesMax, topic, announced));
    const [message] = await client.messages(topic, 1);
    expect(message?.body).toMatch(/^x{65000,}$/);
    await client.disconnect();
  });

  test.each([
    ['one byte more', (topic: string) => [frameOf(frameBytesMax + 1, topic, false)]],
    ['one byte more, announced', (topic: string) => [frameOf(frameBytesMax + 1, topic, true)]],
    ['a megabyte', (topic: string) => [frameOf(1_000_000, topic, false)]],
    [
      'pieces without an end',
      (topic: string) => {
        const frame = frameOf(frameBytesMax + 1_000, topic, false);
        return [frame.subarray(0, 40_000), frame.subarray(40_000, -1)];
      },
    ],
    ['an announcement alone', (topic: string) => [`SEND\ndestination:${topic}\ncontent-length:99999999\n\n`]],
    ['long headers', (topic: string) => [`SEND\ndestination:${topic}\nx:${'y'.repeat(20_000)}\n\n\0`]],
    ['many headers', (topic: string) => [`SEND\ndestination:${topic}\n${'x:y\n'.repeat(200)}\n\0`]],
  ])('[FRAME6] %s: ERROR and close, and nothing of it has happened', async (_name, build) => {
    const { client: witness, topic } = await listener();
    const client = await connectStomp(server, { user: 'bob' });
    for (const piece of build(topic)) client.sendRaw(piece);
    const { error, closed } = await client.failure();
    expect(error.headers['code']).toBe('TOO_LARGE');
    expect(closed.code).toBe(1002);
    await witness.send(topic, 'the first');
    expect(await witness.messages(topic, 1)).toMatchObject([{ body: 'the first', headers: { seq: '1' } }]);
    await witness.disconnect();
  });

  test('[FRAME6] a WebSocket message of many megabytes ends its connection and no other', async () => {
    const { client: witness, topic } = await listener();
    const client = await connectStomp(server, { user: 'bob' });
    client.sendRaw(frameOf(5_000_000, topic, false));
    expect((await client.closed).code).not.toBe(1000);
    await witness.send(topic, 'the first');
    expect(await witness.messages(topic, 1)).toMatchObject([{ headers: { seq: '1' } }]);
    await witness.disconnect();
  });
});

describe('what breaks the protocol', () => {
  const connect = 'CONNECT\naccept-version:1.2\n\n\0';
  test.each([
    ['an unknown command', 'HELLO\n\n\0', /unknown command/],
    ['a command of the server', 'MESSAGE\ndestination:/topic/a\n\n\0', /unknown command/],
    ['no STOMP at all', '{"type":"subscribe"}\n\n\0', /unknown command/],
    ['HTTP', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n\0', /unknown command/],
    ['a header without a colon', 'SEND\ndestination\n\n\0', /colon/],
    ['a header without a name', 'SEND\n:/topic/a\n\n\0', /name/],
    ['an escape that is none', 'SEND\ndestination:/topic/a\\t\n\n\0', /escape/],
    ['a NUL in the head', 'SEND\ndestination:/top\0ic/a\n\n\0', /NUL/],
    ['a wrong content-length', 'SEND\ndestination:/topic/a\ncontent-length:2\n\nabc\0', /NUL|content-length/],
    [
      'a content-length that is no number',
      'SEND\ndestination:/topic/a\ncontent-length:-1\n\n\0',
      /content-length/,
    ],
    ['a body where there is none', 'SUBSCRIBE\nid:1\ndestination:/topic/a\n\nbody\0', /body/],
    ['a second CONNECT', connect, /Session already exists/],
  ])('[FRAME7] %s: ERROR, then close 1002', async (_name, text, message) => {
    const client = await connectStomp(server, { user: 'alice' });
    client.sendRaw(text);
    const { error, closed } = await client.failure();
    expect(error.headers).toMatchObject({ message: expect.stringMatching(message), code: 'BAD_REQUEST' });
    expect(error.body).not.toMatch(/at .*\.js|node:/);
    expect(closed.code).toBe(1002);
    expect(client.frames.at(-1)).toBe(error);
  });

  test.each([
    'SEND\ndestination:/topic/a\n\nx\0',
    'SUBSCRIBE\nid:1\ndestination:/topic/a\n\n\0',
    'DISCONNECT\n\n\0',
    'x\0',
  ])('[FRAME8] before CONNECT, %j: ERROR and close', async (text) => {
    const client = await openSocket(server);
    client.sendRaw(text);
    const { error, closed } = await client.failure();
    expect(error.headers['code']).toBe('BAD_REQUEST');
    expect(closed.code).toBe(1002);
  });

  test('[FRAME8] what follows a broken frame in the same message does not happen', async () => {
    const { client: witness, topic } = await listener();
    const client = await connectStomp(server, { user: 'bob' });
    client.sendRaw(
      Buffer.concat([sendFrame(topic, 'before'), Buffer.from('HELLO\n\n\0'), sendFrame(topic, 'after')]),
    );
    await client.failure();
    await witness.send(topic, 'last');
    expect((await witness.messages(topic, 2)).map(({ body }) => body)).toEqual(['before', 'last']);
    await witness.disconnect();
  });
});
