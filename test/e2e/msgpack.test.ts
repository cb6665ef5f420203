// The binary protocol at a real server: how a connection starts, goes on and ends, and what a client may say.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectBinary, openBinary, pack, Say, type BinaryClient } from '../support/msgpack-client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { RefusedError } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { heartBeatMs: '1s', edges: '2', shards: '2' } });
});

/** Sends a frame to a signed-in client of its own; resolves with the code of the ERROR. */
async function codeFor(message: Uint8Array): Promise<unknown> {
  const client = await connectBinary(server, { user: 'alice' });
  client.socket.send(message);
  const { code, closed } = await client.failure();
  return closed.code === 1002 ? code : closed;
}

describe.concurrent('connections', () => {
  test("[BIN1] the client's order of subprotocols counts, and the log names what is spoken", async () => {
    const offers: [readonly string[], string][] = [
      [['stagewire.msgpack'], 'stagewire.msgpack'],
      [['stagewire.msgpack', 'v12.stomp'], 'stagewire.msgpack'],
      [['other', 'stagewire.msgpack', 'v12.stomp'], 'stagewire.msgpack'],
      [['v12.stomp', 'stagewire.msgpack'], 'v12.stomp'],
    ];
    for (const path of ['/ws', '/inventory-ws']) {
      for (const [subprotocols, chosen] of offers) {
        const client = await openBinary(server, { path, subprotocols });
        expect(client.socket.protocol).toBe(chosen);
        client.socket.close();
      }
    }
    const client = await connectBinary(server, { user: 'logged' });
    client.socket.close();
    for (const event of ['connect', 'disconnect']) {
      const line = await server.logged((one) => one['event'] === event && one['user'] === 'logged', event);
      expect(line['protocol']).toBe('msgpack 1');
    }
  });

  test('[BIN1] SockJS does not have it', async () => {
    const offered = openBinary(server, { path: '/ws/000/binary/websocket' });
    await expect(offered).rejects.toThrow('Server sent no subprotocol');
  });

  test('[BIN9] the token comes with CONNECT or with the URL', async () => {
    const token = await server.token('carol');
    for (const tokenIn of ['frame', 'url'] as const) {
      const client = await connectBinary(server, { token, tokenIn });
      const [connected] = client.frames;
      expect(connected?.command).toBe(16);
      expect(connected?.elements).toEqual([1, expect.stringMatching(/^[0-9a-f-]{36}$/), 'carol', 1_000]);
      client.socket.close();
    }
    const both = await connectBinary(server, { token, tokenIn: 'url', errors: false });
    both.socket.close();
    for (const bad of ['nonsense', await server.token('carol', [], -1_000), null]) {
      const client = await openBinary(server);
      client.say(Say.connect, 1, bad);
      expect(await client.failure()).toMatchObject({
        code: 'UNAUTHORIZED',
        message: 'UNAUTHORIZED',
        closed: { code: 1008 },
      });
    }
  });

  test('[BIN9] [BIN4] CONNECT comes first, once, and of a version that there is', async () => {
    const early = await openBinary(server);
    early.say(Say.send, '/topic/a', 'x');
    expect(await early.failure()).toMatchObject({ code: 'BAD_REQUEST', closed: { code: 1002 } });
    expect(await codeFor(pack([Say.connect, 1]))).toBe('BAD_REQUEST');
    const token = await server.token('alice');
    for (const version of [0, null]) {
      const client = await openBinary(server);
      client.say(Say.connect, version, token);
      expect(await client.failure()).toMatchObject({ code: 'BAD_REQUEST', closed: { code: 1002 } });
    }
    const newer = await openBinary(server);
    newer.say(Say.connect, 7, token);
    const { elements } = await newer.waitFor(({ command }) => command === 16, 'CONNECTED');
    expect(elements[0]).toBe(1);
  });

  test('[BIN9] what follows CONNECT without waiting happens after it, in order', async () => {
    const client = await openBinary(server);
    client.say(Say.connect, 1, await server.token('alice'));
    client.say(Say.subscribe, 1, '/topic/early');
    client.say(Say.send, '/topic/early', 'x', 5);
    await client.waitFor(({ command, elements }) => command === 18 && elements[0] === 5, 'RECEIPT');
    expect(client.frames.map(({ command }) => command)).toEqual([16, 17, 18]);
  });

  test('[BIN10] heart-beats come as agreed, and keep a silent client', async () => {
    const quiet = await connectBinary(server, { user: 'alice' });
    const beaten = await connectBinary(server, { user: 'alice', beats: [0, 1_000] });
    await beaten.waitForBeats(2);
    expect(quiet.beats).toBe(0);
    const promised = await connectBinary(server, { user: 'alice', beats: [1_000, 1_000] });
    const silent = await connectBinary(server, { user: 'alice', beats: [1_000, 0] });
    const beating = setInterval(() => promised.socket.send(Buffer.from([0x90])), 500);
    try {
      expect(await silent.failure()).toMatchObject({ code: 'BAD_REQUEST', closed: { code: 1002 } });
      await promised.waitForBeats(4);
      await promised.send('/topic/beats', 'still here');
    } finally {
      clearInterval(beating);
    }
  });

  test('[BIN17] DISCONNECT is answered after all before it, and without a receipt the server closes', async () => {
    const client = await connectBinary(server, { user: 'alice' });
    for (let index = 0; index < 20; index++) client.say(Say.send, '/topic/left', `${index}`, 100 + index);
    await client.ask([Say.disconnect]);
    const receipts = client.frames.filter(({ command }) => command === 18).map(({ elements }) => elements[0]);
    expect(receipts.slice(1, -1)).toEqual(Array.from({ length: 20 }, (_none, index) => 100 + index));
    client.say(Say.send, '/topic/left', 'nothing after it counts', 999);
    client.socket.close();
    await client.closed;
    expect(client.frames.at(-1)?.command).toBe(18);
    const silent = await connectBinary(server, { user: 'alice' });
    silent.say(Say.disconnect);
    expect((await silent.closed).code).toBe(1000);
  });

  test('[BIN17] a token that ends closes with 1008, unless a fresh one came', async () => {
    const token = await server.token('alice', [], 2_000);
    const [ends, goesOn] = [
      await connectBinary(server, { token }),
      await connectBinary(server, { token }),
    ] as const;
    await goesOn.send('/app/auth.refresh', { token: await server.token('alice') });
    expect(await ends.failure()).toMatchObject({ code: 'UNAUTHORIZED', closed: { code: 1008 } });
    await goesOn.send('/topic/a', 'still here');
  });

  test('[BIN17] a drain ends with 1012, after what was asked', async () => {
    const other = await startServer();
    const client = await connectBinary(other, { user: 'alice' });
    client.say(Say.send, '/topic/last', 'x', 77);
    const answered = client.waitFor(
      ({ command, elements }) => command === 18 && elements[0] === 77,
      'RECEIPT',
    );
    await answered;
    const stopped = other.stop();
    expect((await client.closed).code).toBe(1012);
    expect((await stopped).code).toBe(0);
  });

  test('[BIN17] a slow reader is closed with 4008, and resumes with everything', async () => {
    const slow = await connectBinary(server, { user: 'slow' });
    await slow.subscribe(1, '/topic/flood');
    const sender = await connectBinary(server, { user: 'sender' });
    await sender.send('/topic/flood', 'first');
    const [first] = await slow.messages(1, 1);
    slow.socket.pause();
    const body = Buffer.alloc(60_000, 0xff);
    const lines = server.log.length;
    const isOver = (line: Readonly<Record<string, unknown>>): boolean =>
      line['event'] === 'disconnect' && line['user'] === 'slow';
    let count = 0;
    while (!server.log.slice(lines).some(isOver) && count < 1_000) {
      await sender.send('/topic/flood', body);
      count += 1;
    }
    slow.socket.resume();
    expect((await slow.closed).code).toBe(4008);
    const again = await connectBinary(server, { user: 'slow' });
    await again.subscribe(1, '/topic/flood', { resume: `${first?.epoch}:${first?.seq}` });
    const all = await again.messages(1, count);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_none, index) => index + 2));
    expect(all.map(({ flags }) => flags)).toEqual(all.map((_none, index) => (index === 0 ? 1 : 0)));
  });
});

describe.concurrent('frames', () => {
  test('[BIN7] a text message, an empty one, and a second array in one are no frames', async () => {
    for (const text of ['hello', '']) {
      const client = await connectBinary(server, { user: 'alice' });
      client.socket.send(text);
      const { code, message, closed } = await client.failure();
      expect([code, message, closed.code]).toEqual(['BAD_REQUEST', 'a frame is a binary message', 1002]);
    }
    expect(await codeFor(Buffer.alloc(0))).toBe('BAD_REQUEST');
    const two = Buffer.concat([
      pack([Say.send, '/topic/two', 'x', 1]),
      pack([Say.send, '/topic/two', 'y', 2]),
    ]);
    expect(await codeFor(two)).toBe('BAD_REQUEST');
    // A heart-beat and something else.
    expect(await codeFor(Buffer.from([0x90, 0x90]))).toBe('BAD_REQUEST');
  });

  test('[BIN7] nothing of a broken frame happens, and nothing after it', async () => {
    const reader = await connectBinary(server, { user: 'reader' });
    await reader.subscribe(1, '/topic/broken');
    const whole = pack([Say.send, '/topic/broken', 'x', 3, { a: 'b' }]);
    for (let length = 1; length < whole.length; length++) {
      const client = await connectBinary(server, { user: 'alice', errors: false });
      client.socket.send(whole.subarray(0, length));
      client.say(Say.send, '/topic/broken', 'after');
      expect((await client.failure()).code).toBe('BAD_REQUEST');
    }
    await reader.send('/topic/broken', 'mine');
    expect((await reader.messages(1, 1)).map(({ body, seq }) => [body.toString(), seq])).toEqual([
      ['mine', 1],
    ]);
  });

  test('[BIN8] a frame of 64 KiB is taken, a larger one is not, nor too many headers', async () => {
    const client = await connectBinary(server, { user: 'alice' });
    await client.subscribe(1, '/topic/large');
    const around = pack([Say.send, '/topic/large', Buffer.alloc(60_000), 2]).length - 60_000;
    const largest = 64 * 1024 - around;
    await client.send('/topic/large', Buffer.alloc(largest, 7));
    expect((await client.messages(1, 1))[0]?.body.length).toBe(largest);
    expect(await codeFor(pack([Say.send, '/topic/large', Buffer.alloc(largest + 1), 2]))).toBe('TOO_LARGE');
    const headers = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_none, index) => [`h${index}`, 'x']));
    await client.send('/topic/large', 'x', headers(64));
    expect(Object.keys((await client.messages(1, 2))[1]?.headers ?? {})).toHaveLength(64);
    expect(await codeFor(pack([Say.send, '/topic/large', 'x', 2, headers(65)]))).toBe('TOO_LARGE');
    const long = { long: 'x'.repeat(16 * 1024) };
    expect(await codeFor(pack([Say.send, '/topic/large', 'x', 2, long]))).toBe('TOO_LARGE');
    await client.send('/topic/large', 'end');
    expect((await client.messages(1, 3)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('[BIN8] lengths that are announced take no memory', async () => {
    const before = server.memoryBytes();
    const heads = ['c6', 'db', 'df', 'dd'].map((head) => Buffer.from(`9202${head}7fffffff`, 'hex'));
    for (let round = 0; round < 25; round++) {
      for (const bytes of heads) expect(await codeFor(bytes)).toBe('BAD_REQUEST');
      expect(await codeFor(Buffer.from('94020180df7fffffff', 'hex'))).toBe('BAD_REQUEST');
    }
    expect(server.memoryBytes() - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('[BIN5] a number and the text of its digits are one name', async () => {
    const client = await connectBinary(server, { user: 'alice' });
    await client.subscribe('7', '/topic/names');
    await expect(client.subscribe(7, '/topic/names')).rejects.toThrow('CONFLICT');
    client.say(Say.send, '/topic/names', 'x', '4294967295');
    await client.waitFor(
      ({ command, elements }) => command === 18 && elements[0] === 4_294_967_295,
      'RECEIPT',
    );
    expect(await client.messages(7, 1)).toHaveLength(1);
    for (const text of ['4294967296', '07', '-1', '1.0', '']) {
      client.say(Say.send, '/topic/names', 'x', text);
      await client.waitFor(
        ({ command, elements }) => command === 18 && elements[0] === text,
        `RECEIPT ${text}`,
      );
    }
    client.say(Say.begin, 9);
    client.say(Say.send, '/topic/names', 'held', null, { transaction: 9 });
    await client.ask([Say.commit, '9']);
    expect((await client.messages(7, 7)).at(-1)?.body.toString()).toBe('held');
    await client.ask([Say.unsubscribe, 7]);
    await expect(client.ask([Say.unsubscribe, 7])).rejects.toThrow('NOT_FOUND');
  });

  test('[BIN11] what is refused is told on the errors, and the connection stays', async () => {
    const client = await connectBinary(server, { user: 'alice' });
    const refusals: [readonly unknown[], string][] = [
      [[Say.send, '/app/nothing', 'x'], 'NOT_FOUND'],
      [[Say.send, '/topic/room.r', 'x'], 'FORBIDDEN'],
      [[Say.send, null, 'x'], 'BAD_REQUEST'],
      [[Say.send, '/app/chat.send/none', '{"content":"x"}'], 'NOT_FOUND'],
      [[Say.subscribe, 1, '/nothing'], 'NOT_FOUND'],
      [[Say.subscribe, null, '/topic/a'], 'BAD_REQUEST'],
      [[Say.subscribe, 1], 'BAD_REQUEST'],
      [[Say.unsubscribe, 99], 'NOT_FOUND'],
      [[Say.ack, '1-1'], 'BAD_REQUEST'],
      [[Say.nack], 'BAD_REQUEST'],
      [[Say.commit, 'none'], 'NOT_FOUND'],
      [[Say.begin, null], 'BAD_REQUEST'],
    ];
    const refused = await Promise.all(refusals.map(([elements]) => refusalOf(client, padded(elements))));
    expect(refused.map(({ code }) => code)).toEqual(refusals.map(([, code]) => code));
    expect(refused[3]).toMatchObject({ roomId: 'none', destination: '/app/chat.send/none' });
    expect(typeof refused[0]?.['receipt']).toBe('string');
    await client.send('/topic/a', 'still here');
  });
});

/** All places before the receipt. */
function padded(elements: readonly unknown[]): readonly unknown[] {
  const places: Readonly<Record<number, number>> = { 2: 3, 3: 3 };
  const missing = (places[elements[0] as number] ?? 2) - elements.length;
  return [...elements, ...Array.from({ length: Math.max(0, missing) }, () => null)];
}

async function refusalOf(
  client: BinaryClient,
  elements: readonly unknown[],
): Promise<Readonly<Record<string, unknown>>> {
  try {
    await client.ask(elements);
  } catch (thrown) {
    if (thrown instanceof RefusedError) return thrown.refusal;
    throw thrown;
  }
  return { code: 'RECEIPT' };
}
