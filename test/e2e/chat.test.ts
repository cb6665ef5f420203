// Chat: what is said in a room, word for word, in bodies, in the database and over REST.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { contentOf, createRoom, say, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse } from '../support/stomp.ts';

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const identifier = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
const contentBytesMax = 8 * 1024;

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  test('[CHAT1] a message has the fields of the contract, and only those', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const subscription = await alice.subscribe(`/topic/room.${roomId}`);
    await alice.send(`/app/chat.send/${roomId}`, { content: 'hello' });
    await alice.send(`/app/chat.send/${roomId}`, { content: 'a.png', messageType: 'IMAGE', colour: 'red' });
    const [first, second] = await alice.messages(`/topic/room.${roomId}`, 2);

    expect(first && parse(first)).toEqual({
      messageId: identifier,
      roomId,
      senderId: 'alice',
      content: 'hello',
      messageType: 'TEXT',
      status: 'SENT',
      createdAt: isoTime,
      seq: 1,
    });
    expect(first?.headers).toEqual({
      subscription,
      destination: `/topic/room.${roomId}`,
      'message-id': expect.any(String),
      'content-type': 'application/json',
      'content-length': String(first?.bytes.length),
      seq: '1',
      epoch: expect.stringMatching(/^\S+$/),
    });
    expect(first?.isBinary).toBe(false);
    expect(second && parse(second)).toMatchObject({ content: 'a.png', messageType: 'IMAGE', seq: 2 });
    expect(second?.headers).toMatchObject({ seq: '2', epoch: first?.headers['epoch'] });
    expect(second?.headers['message-id']).not.toBe(first?.headers['message-id']);
    expect(second && parse(second)).not.toHaveProperty('colour');
  });

  test.each([
    ['emoji, other scripts and signs of both directions', '👩‍👩‍👧 שלום привет \u202Eabc'],
    ['quotes, slashes and line ends', 'a"b\\c/d\r\ne\tf\u2028g'],
    ['control characters, NUL too', 'a\u0000b\u0007c\u001bd'],
    ['what looks like a frame', '\u0000\nMESSAGE\nsubscription:x\n\n{}\u0000'],
    ['white space alone', '  \n '],
  ])('[CHAT2] content comes back as it was sent: %s', async (_what, content) => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`);
    await say(alice, roomId, content);

    const [live] = await alice.messages(`/topic/room.${roomId}`, 1);
    expect(live && contentOf(live)).toBe(content);
    expect(database.roomMessages(roomId)).toMatchObject([{ content }]);
    const history = await server.rest('GET', `/api/rooms/${roomId}/messages`, { user: 'alice' });
    expect(history.body).toEqual([live && parse(live)]);
  });

  test.each([
    ['ASCII', 'x'.repeat(contentBytesMax)],
    ['two bytes each', 'é'.repeat(contentBytesMax / 2)],
    ['four bytes each', '👍'.repeat(contentBytesMax / 4)],
    ['six characters of JSON each', '\u0001'.repeat(contentBytesMax)],
  ])('[CHAT3] 8 KiB of content are taken, one byte more is TOO_LARGE: %s', async (_what, content) => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`);
    await expect(say(alice, roomId, `${content}x`)).rejects.toMatchObject({
      refusal: { code: 'TOO_LARGE', roomId },
    });
    await say(alice, roomId, content);

    const [message] = await alice.messages(`/topic/room.${roomId}`, 1);
    expect(message && parse(message)).toMatchObject({ content, seq: 1 });
    expect(database.roomMessages(roomId)).toHaveLength(1);
  });

  test.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['half of JSON', '{"content":"a"'],
    ['no UTF-8', Buffer.from('{"content":"\xff"}', 'latin1')],
    ['null', null],
    ['a list', [{ content: 'a' }]],
    ['lists in lists', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['no content', { messageType: 'TEXT' }],
    ['empty content', { content: '' }],
    ['content that is no text', { content: 7 }],
    ['half a character', '{"content":"a\\ud83d"}'],
    ['an empty type', { content: 'a', messageType: '' }],
    ['a long type', { content: 'a', messageType: 'x'.repeat(21) }],
    ['a type of half a character', '{"content":"a","messageType":"\\udc4d"}'],
    ['an empty key', { content: 'a', clientMessageId: '' }],
    ['a key that is no text', { content: 'a', clientMessageId: 5 }],
    ['a long key', { content: 'a', clientMessageId: 'x'.repeat(256) }],
  ])('[CHAT4] a message of a wrong shape is BAD_REQUEST, and nothing happens: %s', async (_what, body) => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    await alice.subscribe(`/topic/room.${roomId}`);
    await expect(alice.send(`/app/chat.send/${roomId}`, body)).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST', roomId },
    });
    await say(alice, roomId, 'after');
    const [only] = await alice.messages(`/topic/room.${roomId}`, 1);
    expect(only && parse(only)).toMatchObject({ content: 'after', seq: 1 });
    expect(database.roomMessages(roomId)).toHaveLength(1);
  });

  test('[CHAT5] typing reaches the events of the room and is stored nowhere', async () => {
    const roomId = await createRoom(server, 'alice');
    const alice = await connectStomp(server, { user: 'alice' });
    const clients = await connectOnEveryEdge(server, layout, { user: 'bob' });
    for (const client of clients) await client.subscribe(`/topic/room.${roomId}.events`);
    await alice.send(`/app/chat.typing/${roomId}`, { typing: true });
    await alice.send(`/app/chat.typing/${roomId}`, { typing: false });

    for (const client of clients) {
      const [first, second] = await client.messages(`/topic/room.${roomId}.events`, 2);
      expect(first && parse(first)).toEqual({
        type: 'TYPING',
        roomId,
        userId: 'alice',
        typing: true,
        timestamp: isoTime,
      });
      expect(second && parse(second)).toMatchObject({ type: 'TYPING', typing: false });
      expect(first?.headers).not.toHaveProperty('seq');
      expect(first?.headers).not.toHaveProperty('epoch');
    }
    expect(database.roomMessages(roomId)).toEqual([]);
    for (const body of [{}, { typing: 'yes' }, 'typing']) {
      const sent = alice.send(`/app/chat.typing/${roomId}`, body);
      await expect(sent).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST', roomId } });
    }
  });

  test('[CHAT6] a sender needs no subscription, and whoever is subscribed on any edge sees it', async () => {
    const roomId = await createRoom(server, 'alice');
    const sender = await connectStomp(server, { user: 'bob', errors: false });
    const readers = await connectOnEveryEdge(server, layout, { user: 'alice' });
    for (const reader of readers) await reader.subscribe(`/topic/room.${roomId}`);
    await say(sender, roomId, 'one');
    // Without a subscription of the errors a refusal has nowhere to go; the connection stays.
    sender.sendFrame('SEND', { destination: `/app/chat.send/${roomId}` }, 'not JSON');
    await say(sender, roomId, 'two');

    for (const reader of readers) {
      const messages = await reader.messages(`/topic/room.${roomId}`, 2);
      expect(messages.map(contentOf)).toEqual(['one', 'two']);
      expect(messages.map(seqOf)).toEqual([1, 2]);
    }
    expect(sender.frames.filter(({ command }) => command === 'MESSAGE')).toEqual([]);
  });

  test('[CHAT7] a refusal says what, where, for whom and when, and the SEND gets no RECEIPT', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true });
    const bob = await connectStomp(server, { user: 'bob' });
    const destination = `/app/chat.send/${roomId}`;
    const headers = { destination, receipt: 'my:receipt' };
    await expect(bob.request('SEND', headers, '{"content":"a"}')).rejects.toMatchObject({
      refusal: {
        code: 'FORBIDDEN',
        message: expect.stringMatching(/\S/),
        destination,
        receipt: 'my:receipt',
        roomId,
        timestamp: isoTime,
      },
    });
    bob.sendFrame('SEND', { destination }, '{}');
    const second = await bob.refusal('BAD_REQUEST');
    expect(Object.keys(second).toSorted()).toEqual(['code', 'destination', 'message', 'roomId', 'timestamp']);
    await bob.send('/topic/still-there', 'a');
    const receipts = bob.frames.filter(({ command }) => command === 'RECEIPT');
    expect(receipts.map((frame) => frame.headers['receipt-id'])).not.toContain('my:receipt');
  });
});
