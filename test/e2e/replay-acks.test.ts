// What a user has acknowledged is not replayed to that user again, and to everybody else it is.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { layouts } from '../support/layouts.ts';
import { connectReplay, messagesOf, replayed, viewOf } from '../support/missed.ts';
import { createRoom, range, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  async function filledRoom(members: readonly string[], count: number) {
    const roomId = await createRoom(server, 'writer', { members });
    const writer = await connectStomp(server, { user: 'writer' });
    const bodies = range(1, count).map((number) => JSON.stringify({ content: `message ${number}` }));
    await sendMany(writer, `/app/chat.send/${roomId}`, bodies);
    return { roomId, all: messagesOf(database, [roomId]) };
  }

  const acknowledge = (client: TestClient, roomId: string, messageId: unknown): Promise<void> =>
    client.send(`/app/ack/${roomId}`, { messageId });
  const seqsOf = (messages: readonly Readonly<Record<string, unknown>>[]): unknown[] =>
    messages.map((message) => message['seq']);

  test('[REPLAY20] an acknowledged message is not replayed, by time and by message', async () => {
    const { roomId, all } = await filledRoom(['ann'], 6);
    const ann = await connectReplay(server, { user: 'ann' });
    for (const seq of [2, 3, 5, 3]) await acknowledge(ann, roomId, all[seq - 1]?.['messageId']);
    expect(seqsOf(await replayed(ann, { since: 0 }))).toEqual([1, 4, 6]);
    expect(seqsOf(await replayed(ann, { since: 0, roomId }))).toEqual([1, 4, 6]);
    const lastMessageId = all[0]?.['messageId'];
    expect(seqsOf(await replayed(ann, { roomId, lastMessageId }))).toEqual([4, 6]);
    for (const seq of [6, 4, 1]) await acknowledge(ann, roomId, all[seq - 1]?.['messageId']);
    expect(await replayed(ann, { since: 0 })).toEqual([]);
    expect(await replayed(ann, { roomId, lastMessageId })).toEqual([]);
  });

  test('[REPLAY21] an acknowledgement hides nothing from any other user', async () => {
    const { roomId, all } = await filledRoom(['bob', 'carol'], 3);
    const bob = await connectReplay(server, { user: 'bob' });
    const carol = await connectReplay(server, { user: 'carol' });
    for (const { messageId } of all) await acknowledge(bob, roomId, messageId);
    expect(await replayed(bob, { since: 0 })).toEqual([]);
    expect(await replayed(carol, { since: 0 })).toEqual(all);
  });

  test('[REPLAY22] acknowledgements are in the database by their RECEIPT and outlive the server', async () => {
    const one = await startServer({ settings: layout.settings });
    const roomId = await createRoom(one, 'writer', { members: ['dave'] });
    const writer = await connectStomp(one, { user: 'writer' });
    await sendMany(
      writer,
      `/app/chat.send/${roomId}`,
      range(1, 4).map((at) => `{"content":"${at}"}`),
    );
    const view = new DatabaseView(one.databaseUrl);
    const rows = view.roomMessages(roomId).map(viewOf);
    view.close();
    const dave = await connectReplay(one, { user: 'dave' });
    await acknowledge(dave, roomId, rows[1]?.['messageId']);
    await acknowledge(dave, roomId, rows[3]?.['messageId']);
    await one.kill();
    const next = await one.restart();
    const again = await connectReplay(next, { user: 'dave' });
    expect(seqsOf(await replayed(again, { since: 0 }))).toEqual([1, 3]);
    await next.stop();
  });

  test('[REPLAY23] a message can be acknowledged by members of its room only', async () => {
    const { roomId, all } = await filledRoom(['eve'], 1);
    const other = await filledRoom(['eve'], 1);
    const eve = await connectReplay(server, { user: 'eve' });
    const outsider = await connectReplay(server, { user: 'outsider' });
    const messageId = all[0]?.['messageId'];
    const cases = [
      [outsider, roomId, messageId, 'FORBIDDEN'],
      [outsider, roomId, 'none', 'FORBIDDEN'],
      [eve, roomId, 'none', 'NOT_FOUND'],
      [eve, other.roomId, messageId, 'NOT_FOUND'],
      [eve, 'nowhere', messageId, 'NOT_FOUND'],
      [eve, roomId, '', 'BAD_REQUEST'],
      [eve, roomId, 'x'.repeat(37), 'BAD_REQUEST'],
      [eve, roomId, undefined, 'BAD_REQUEST'],
    ] as const;
    for (const [client, room, message, code] of cases) {
      await expect(acknowledge(client, room, message), code).rejects.toMatchObject({ refusal: { code } });
    }
    expect(database.rows('SELECT 1 FROM replay_acks WHERE user_id IN (?, ?)', 'eve', 'outsider')).toEqual([]);
    expect(await replayed(eve, { since: 0, roomId })).toEqual(all);
  });
});
