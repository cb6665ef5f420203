// Clients of both protocols at the same destinations.
import { beforeAll, describe, expect, test } from 'vitest';
import { connectBinary, json, Say } from '../support/msgpack-client.ts';
import { createRoom } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '2', shards: '2' } });
});

const texts = (messages: readonly { readonly body: Buffer }[]): string[] =>
  messages.map(({ body }) => body.toString());

describe.concurrent('binary and STOMP clients', () => {
  test('[BIN12] bodies come byte for byte, as text to STOMP clients exactly when they are UTF-8', async () => {
    const binary = await connectBinary(server, { user: 'alice' });
    const stomp = await connectStomp(server, { user: 'bob' });
    const destination = '/topic/bytes';
    await binary.subscribe(1, destination);
    await stomp.subscribe(destination);
    const bodies: (string | Buffer)[] = [
      'text',
      Buffer.from('text as bytes, é 😀'),
      'é 😀 \u0000 end',
      Buffer.from([0xff, 0xfe, 0, 10]),
      Buffer.from([0xed, 0xa0, 0x80]),
      '',
      Buffer.alloc(0),
      Buffer.from(Array.from({ length: 256 }, (_none, octet) => octet)),
      'x'.repeat(300),
      Buffer.alloc(50_000, 0xc3),
    ];
    for (const body of bodies) await binary.send(destination, body);
    for (const body of bodies) await stomp.send(destination, body);
    const sent = [...bodies, ...bodies].map((body) => Buffer.from(body).toString('hex'));
    const toBinary = await binary.messages(1, sent.length);
    expect(toBinary.map(({ body }) => body.toString('hex'))).toEqual(sent);
    const toStomp = await stomp.messages(destination, sent.length);
    expect(toStomp.map(({ bytes }) => bytes.toString('hex'))).toEqual(sent);
    const isText = [true, true, true, false, false, true, true, false, true, false];
    expect(toStomp.map(({ isBinary }) => !isBinary)).toEqual([...isText, ...isText]);
    const again = await connectBinary(server, { user: 'carol' });
    await again.subscribe(1, destination, { resume: `${toBinary[0]?.epoch}:0` });
    expect((await again.messages(1, sent.length)).map(({ body }) => body.toString('hex'))).toEqual(sent);
  });

  test('[BIN6] headers come as they were meant, both ways', async () => {
    const binary = await connectBinary(server, { user: 'alice' });
    const stomp = await connectStomp(server, { user: 'bob' });
    const destination = '/topic/headers';
    await binary.subscribe(1, destination);
    await stomp.subscribe(destination);
    const headers = {
      'content-type': 'text/plain;x=:\\',
      'a:b\\c\nd\r': 'line\nend\r:\\ é 😀',
      empty: '',
      long: 'ü'.repeat(500),
    };
    const odd = new Map<string, string | number>([
      ...Object.entries(headers),
      ['__proto__', 'polluted'],
      ['constructor', 'x'],
      ['number', 4_294_967_295],
    ]);
    const expected = new Map([...odd].map(([name, value]) => [name, String(value)]));
    expected.delete('__proto__');
    await binary.send(destination, 'from binary', odd);
    await stomp.send(destination, 'from STOMP', headers);
    await binary.send(destination, 'without');
    await stomp.send(destination, 'without');
    await binary.send(destination, 'not passed on', {
      'idempotency-key': 'k',
      'content-length': 3,
      seq: 9,
      epoch: 'e',
      'message-id': 'm',
      subscription: 's',
      ack: 'a',
      recovered: 'true',
      redelivered: 'true',
      authorization: 'x',
      kept: 1,
    });
    const toBinary = await binary.messages(1, 5);
    const maps = toBinary.map(({ headers: got }) => new Map(Object.entries(got ?? { none: '' })));
    const fromStomp = new Map(Object.entries(headers));
    expect(maps[0]).toEqual(expected);
    expect(maps[1]).toEqual(fromStomp);
    expect(maps.slice(2)).toEqual([new Map(), new Map(), new Map([['kept', '1']])]);
    const toStomp = await stomp.messages(destination, 5);
    // This one's client has objects that inherit that name.
    expected.delete('constructor');
    expect(toStomp[0]?.headers).toMatchObject(Object.fromEntries(expected));
    expect(toStomp[2]?.headers).not.toHaveProperty('content-type');
    expect(toStomp[4]?.headers).toMatchObject({ seq: '5', kept: '1' });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('[BIN13] wildcards tell the destination; user destinations, answers and volatile topics do not', async () => {
    const roomId = await createRoom(server, 'wanda');
    const client = await connectBinary(server, { user: 'wanda' });
    const stomp = await connectStomp(server, { user: 'bob' });
    await client.subscribe(1, '/topic/wild.*');
    await client.subscribe(2, '/topic/wild.a');
    await client.subscribe(3, '/user/queue/mine');
    await client.subscribe(4, '/app/presence.query?users=wanda,nobody');
    await client.subscribe(5, `/topic/room.${roomId}.events`);
    await client.subscribe(6, '/topic/wild.*', { ack: 'client' });
    await stomp.send('/topic/wild.a', 'one');
    await client.send('/topic/wild.b', 'two', { h: 'v' });
    await stomp.send('/user/wanda/queue/mine', 'three', { h: 'v' });
    await client.send(`/app/chat.typing/${roomId}`, { typing: true });
    for (const id of [1, 6]) {
      const wild = await client.messages(id, 2);
      const all = wild.map(({ destination, body, seq, headers, id: own }) =>
        JSON.stringify([destination, body.toString(), seq, headers, own]),
      );
      expect(all.toSorted()).toEqual([
        '["/topic/wild.a","one",1,{},null]',
        '["/topic/wild.b","two",1,{"h":"v"},null]',
      ]);
      expect(wild.map(({ ack }) => ack === null)).toEqual([id === 1, id === 1]);
    }
    const [exact] = await client.messages(2, 1);
    expect(exact).toMatchObject({ destination: null, seq: 1, headers: {}, flags: 0 });
    const [mine] = await client.messages(3, 1);
    expect(mine).toMatchObject({ destination: null, seq: null, epoch: null, headers: { h: 'v' }, id: null });
    const [answer] = await client.messages(4, 1);
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject([
      { userId: 'wanda', online: true },
      { userId: 'nobody', online: false },
    ]);
    expect(answer).toMatchObject({ destination: null, seq: null, epoch: null, headers: null });
    const [typing] = await client.messages(5, 1);
    expect(typing && json(typing)).toMatchObject({ type: 'TYPING', userId: 'wanda' });
    // An array of three: all that can be left out is.
    expect(typing?.bytes[0]).toBe(0x93);
  });

  test('[BIN14] a subscription resumes, or is told that it can not', async () => {
    const client = await connectBinary(server, { user: 'alice' });
    const stomp = await connectStomp(server, { user: 'bob' });
    await client.subscribe(1, '/topic/resumed');
    for (const body of ['1', '2', '3']) await stomp.send('/topic/resumed', body);
    const [first] = await client.messages(1, 3);
    await client.ask([Say.unsubscribe, 1]);
    await stomp.send('/topic/resumed', '4');
    await client.subscribe(2, '/topic/resumed', { resume: `${first?.epoch}:1` });
    const missed = await client.messages(2, 3);
    expect(missed.map(({ body, seq, flags }) => [body.toString(), seq, flags])).toEqual([
      ['2', 2, 1],
      ['3', 3, 0],
      ['4', 4, 0],
    ]);
    await client.subscribe(3, '/topic/resumed', { resume: 'other:1' });
    const [lost] = await client.messages(3, 1);
    expect(lost).toMatchObject({ seq: 4, epoch: first?.epoch, flags: 2, headers: {}, destination: null });
    expect([lost?.body.length, lost?.id === `${lost?.epoch}-4`, typeof lost?.id]).toEqual([
      0,
      false,
      'string',
    ]);
    await client.send('/topic/resumed', '5');
    expect(texts(await client.messages(3, 2))).toEqual(['', '5']);
  });

  test('[BIN14] a durable name keeps its place, for both ways to acknowledge and both protocols', async () => {
    const destination = '/topic/durable.binary';
    for (const ack of ['client', 'client-individual']) {
      const durable = `name-${ack}`;
      const client = await connectBinary(server, { user: 'dora' });
      await client.subscribe(1, destination, { ack, durable });
      for (const body of ['a', 'b', 'c', 'd']) await client.send(destination, body);
      const messages = await client.messages(1, 4);
      expect(new Set(messages.map((one) => one.ack)).size).toBe(4);
      await client.ask([Say.ack, messages[1]?.ack]);
      if (ack === 'client-individual') await client.ask([Say.ack, messages[0]?.ack]);
      await client.ask([Say.nack, messages[2]?.ack]);
      await expect(client.ask([Say.ack, '999-1'])).rejects.toThrow('BAD_REQUEST');
      client.socket.terminate();
      const stomp = await connectStomp(server, { user: 'dora' });
      await stomp.subscribe(destination, { ack, durable });
      const rest = await stomp.messages(destination, 2);
      expect(rest.map(({ body }) => body)).toEqual(['c', 'd']);
      await stomp.request('ACK', { id: rest[0]?.headers['ack'] ?? '' });
      stomp.cut();
      const again = await connectBinary(server, { user: 'dora' });
      await again.subscribe(1, destination, { ack, durable });
      expect(texts(await again.messages(1, 1))).toEqual(['d']);
    }
    const client = await connectBinary(server, { user: 'dora' });
    await expect(client.subscribe(1, destination, { durable: 'auto' })).rejects.toThrow('BAD_REQUEST');
  });

  test('[BIN15] what a lost binary consumer held comes back, to STOMP and to binary ones', async () => {
    const queue = '/queue/binary';
    const sender = await connectStomp(server, { user: 'sender' });
    const first = await connectBinary(server, { user: 'first' });
    await first.subscribe(1, queue, { ack: 'client', 'prefetch-count': 2 });
    for (const body of ['a', 'b', 'c', 'd']) await sender.send(queue, body, { h: 'v' });
    const [a, b] = await first.messages(1, 2);
    expect(a).toMatchObject({ flags: 0, headers: { h: 'v' }, seq: null, epoch: null });
    await first.ask([Say.ack, a?.ack]);
    expect(texts(await first.messages(1, 3))).toEqual(['a', 'b', 'c']);
    first.socket.terminate();
    const second = await connectStomp(server, { user: 'second' });
    await second.subscribe(queue, { ack: 'client-individual', 'prefetch-count': '1' });
    const [again] = await second.messages(queue, 1);
    expect(again).toMatchObject({ body: 'b', headers: { redelivered: 'true', 'message-id': b?.id } });
    await second.request('NACK', { id: again?.headers['ack'] ?? '' });
    const third = await connectBinary(server, { user: 'third' });
    await third.subscribe(1, queue, { ack: 'client-individual' });
    const rest = await third.messages(1, 2);
    second.cut();
    const all = [...(await third.messages(1, 3)), ...rest].map((one) => one.body.toString());
    expect([...new Set(all)].toSorted()).toEqual(['b', 'c', 'd']);
    for (const message of third.received(1)) {
      const came = message.body.toString();
      expect(message.flags & 4).toBe(came === 'd' && message.flags === 0 ? 0 : 4);
      if (came === 'b') expect(message.id).toBe(b?.id);
      await third.ask([Say.ack, message.ack]);
    }
  });

  test('[BIN15] with ack: auto a message of a queue has an id, and no more', async () => {
    const client = await connectBinary(server, { user: 'auto' });
    await client.subscribe(1, '/queue/auto');
    await client.send('/queue/auto', 'x');
    const [message] = await client.messages(1, 1);
    expect(message).toMatchObject({ ack: null, flags: 0, destination: null, headers: {} });
    expect(message?.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('[BIN16] a transaction happens with its COMMIT, whole, and not after ABORT', async () => {
    const client = await connectBinary(server, { user: 'tom' });
    const stomp = await connectStomp(server, { user: 'bob' });
    await stomp.subscribe('/topic/tx');
    await client.subscribe(1, '/queue/tx', { ack: 'client' });
    await client.send('/queue/tx', 'job');
    const [job] = await client.messages(1, 1);
    for (const [transaction, end] of [
      ['dropped', Say.abort],
      ['kept', Say.commit],
    ] as const) {
      await client.ask([Say.begin, transaction]);
      client.say(Say.send, '/topic/tx', `1 ${transaction}`, `one ${transaction}`, { transaction });
      client.say(Say.ack, job?.ack, `ack ${transaction}`, { transaction });
      client.say(Say.send, '/topic/tx', Buffer.from(`2 ${transaction}`), null, { transaction });
      await client.ask([end, transaction]);
    }
    expect((await stomp.messages('/topic/tx', 2)).map(({ body }) => body)).toEqual(['1 kept', '2 kept']);
    const receipts = client.frames.filter(({ command }) => command === 18).map(({ elements }) => elements[0]);
    expect(receipts.filter((receipt) => typeof receipt === 'string').toSorted()).toEqual([
      'ack kept',
      'one kept',
    ]);
    await client.ask([Say.begin, 'refused']);
    client.say(Say.send, '/app/nothing', 'x', null, { transaction: 'refused' });
    await expect(client.ask([Say.commit, 'refused'])).rejects.toThrow('CONFLICT');
    client.say(Say.begin, 'lost');
    await client.ask([Say.send, '/topic/a', 'x']);
    client.say(Say.send, '/topic/tx', 'lost', null, { transaction: 'lost' });
    client.socket.close();
    await client.closed;
    await stomp.send('/topic/tx', 'end');
    expect((await stomp.messages('/topic/tx', 3)).at(-1)?.body).toBe('end');
  });

  test('[BIN11] a SEND repeated with its key is applied once', async () => {
    const client = await connectBinary(server, { user: 'alice' });
    await client.subscribe(1, '/topic/once');
    for (let round = 0; round < 3; round++) {
      await client.send('/topic/once', 'x', { 'idempotency-key': 'same' });
    }
    await client.send('/topic/once', 'end');
    expect(texts(await client.messages(1, 2))).toEqual(['x', 'end']);
  });
});
