// Replays: a client that was away asks for the messages it has missed in its rooms.
import { Stomp } from '@stomp/stompjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { connectReplay, messagesOf, replayed, replayQueue } from '../support/missed.ts';
import { createRoom, say } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse, RefusedError } from '../support/stomp.ts';

const timeOf = (message: Readonly<Record<string, unknown>> | undefined): number =>
  Date.parse(String(message?.['createdAt']));

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;
  let database: DatabaseView;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
    database = new DatabaseView(server.databaseUrl);
  });
  afterAll(() => database.close());

  /** Rooms with some messages each, and what they hold, oldest first. */
  async function filledRooms(members: readonly string[], count = 2) {
    const writer = await connectStomp(server, { user: 'writer' });
    const roomIds: string[] = [];
    for (let room = 0; room < count; room += 1) {
      roomIds.push(await createRoom(server, 'writer', { isPrivate: room % 2 === 1, members }));
    }
    for (let message = 1; message <= 5; message += 1) {
      for (const roomId of roomIds) await say(writer, roomId, `message ${message} “é😀\\n"`);
    }
    return { writer, roomIds, all: messagesOf(database, roomIds) };
  }

  test('[REPLAY1] since a time, all later messages of all of the rooms come, whole and oldest first', async () => {
    const { all } = await filledRooms(['ann'], 3);
    const ann = await connectReplay(server, { user: 'ann' });
    const since = timeOf(all[4]);
    const missed = all.filter((message) => timeOf(message) > since);
    expect(missed.length).toBeGreaterThan(3);
    const forms = [since, String(since), new Date(since).toISOString(), since + 0.5, ` ${since} `];
    const zones = [
      new Date(since).toISOString().replace('Z', '+00:00'),
      new Date(since).toISOString().slice(0, -1),
    ];
    for (const form of [...forms, ...zones])
      expect(await replayed(ann, { since: form }), `${form}`).toEqual(missed);
    expect(await replayed(ann, { since: 0 })).toEqual(all);
    expect(await replayed(ann, { since: timeOf(all.at(-1)) })).toEqual([]);
    expect(await replayed(ann, { since: '9999-12-31T23:59:59.999Z' })).toEqual([]);
  });

  test('[REPLAY2] a replayed message is the one that its room shows', async () => {
    const roomId = await createRoom(server, 'writer', { members: ['beth'] });
    const beth = await connectReplay(server, { user: 'beth' });
    await beth.subscribe(`/topic/room.${roomId}`);
    await say(await connectStomp(server, { user: 'writer' }), roomId, 'once and again');
    const [live] = await beth.messages(`/topic/room.${roomId}`, 1);
    await beth.send('/app/replay', { since: 0 });
    const [again] = await beth.messages(replayQueue, 1);
    expect(again?.body).toBe(live?.body);
    expect(again?.headers).toMatchObject({ destination: replayQueue, subscription: 'replay' });
    expect(again?.headers).not.toHaveProperty('seq');
  });

  test('[REPLAY3] of one room, since a time or after a message', async () => {
    const { roomIds, all } = await filledRooms(['cleo']);
    const cleo = await connectReplay(server, { user: 'cleo' });
    for (const roomId of roomIds) {
      const its = all.filter((message) => message['roomId'] === roomId);
      expect(await replayed(cleo, { since: 0, roomId })).toEqual(its);
      const since = timeOf(its[1]);
      const later = its.filter((message) => timeOf(message) > since);
      expect(await replayed(cleo, { since, roomId })).toEqual(later);
      for (const [index, { messageId }] of its.entries()) {
        const asked = { roomId, lastMessageId: messageId };
        expect(await replayed(cleo, asked)).toEqual(its.slice(index + 1));
      }
    }
  });

  test('[REPLAY4] only rooms that the user is a member of, when the replay is asked for', async () => {
    const { roomIds, all } = await filledRooms(['dora']);
    const outsider = await connectReplay(server, { user: 'outsider' });
    expect(await replayed(outsider, { since: 0 })).toEqual([]);
    const dora = await connectReplay(server, { user: 'dora' });
    const [left, stayed] = roomIds as [string, string];
    await server.rest('DELETE', `/api/rooms/${left}/members/dora`, { user: 'dora' });
    const its = all.filter((message) => message['roomId'] === stayed);
    expect(await replayed(dora, { since: 0 })).toEqual(its);
  });

  test('[REPLAY5] a room of others is FORBIDDEN, an unknown room or message NOT_FOUND', async () => {
    const { roomIds, all } = await filledRooms(['eve']);
    const eve = await connectReplay(server, { user: 'eve' });
    const outsider = await connectReplay(server, { user: 'outsider' });
    const [first, second] = roomIds as [string, string];
    const inFirst = all.find((message) => message['roomId'] === first)?.['messageId'];
    const cases = [
      [outsider, 'FORBIDDEN', { since: 0, roomId: first }],
      [outsider, 'FORBIDDEN', { since: 0, roomId: second }],
      [outsider, 'FORBIDDEN', { roomId: first, lastMessageId: inFirst }],
      [eve, 'NOT_FOUND', { roomId: second, lastMessageId: inFirst }],
      [eve, 'NOT_FOUND', { roomId: second, lastMessageId: 'none' }],
      [eve, 'NOT_FOUND', { since: 0, roomId: 'nowhere' }],
      [eve, 'NOT_FOUND', { roomId: 'nowhere', lastMessageId: inFirst }],
    ] as const;
    for (const [client, code, asked] of cases) {
      const refused: unknown = await client.send('/app/replay', asked).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(RefusedError);
      expect((refused as RefusedError).refusal).toMatchObject({
        code,
        roomId: asked.roomId,
        destination: '/app/replay',
      });
    }
    expect(eve.received(replayQueue)).toEqual([]);
    expect(outsider.received(replayQueue)).toEqual([]);
  });

  test.each([
    ['nothing', {}],
    ['a room alone', { roomId: 'r' }],
    ['a message without its room', { lastMessageId: 'm' }],
    ['a time and a message', { since: 0, roomId: 'r', lastMessageId: 'm' }],
    ['a negative time', { since: -1 }],
    ['a time beyond the calendar', { since: 1e300 }],
    ['no time', { since: 'yesterday' }],
    ['a day that is not there', { since: '2026-13-01T00:00:00Z' }],
    ['an empty text', { since: '' }],
    ['a boolean', { since: true }],
    ['a list', []],
    ['no JSON', '{'],
  ])('[REPLAY6] %s is BAD_REQUEST', async (_what, asked) => {
    const client = await connectReplay(server, { user: 'frank' });
    await expect(client.send('/app/replay', asked)).rejects.toMatchObject({
      refusal: { code: 'BAD_REQUEST' },
    });
  });

  test('[REPLAY7] the call of the reference client brings what came since its last message', async () => {
    const { all } = await filledRooms(['gina']);
    const token = await server.token('gina');
    const client = Stomp.over(() => new WebSocket(`${server.wsUrl}?token=${token}`));
    client.debug = () => undefined;
    const localStorage = new Map([['lastMessageTimestamp', String(timeOf(all[3]))]]);
    const missed = all.filter((message) => timeOf(message) > timeOf(all[3]));
    const received = await new Promise<unknown[]>((resolve, reject) => {
      const messages: unknown[] = [];
      client.connect(
        {},
        () => {
          client.subscribe('/user/queue/replay', ({ body }) => {
            messages.push(JSON.parse(body));
            if (messages.length === missed.length) resolve(messages);
          });
          const lastTimestamp = localStorage.get('lastMessageTimestamp');
          if (lastTimestamp) {
            client.send('/app/replay', {}, JSON.stringify({ since: lastTimestamp }));
          }
        },
        reject,
      );
    });
    expect(received).toEqual(missed);
    client.forceDisconnect();
    await client.deactivate();
  });

  test('[REPLAY8] all sessions of the user that subscribe get it, and nobody else', async () => {
    const { all } = await filledRooms(['hedi', 'ines']);
    const sessions = await connectOnEveryEdge(server, layout, { user: 'hedi' });
    for (const session of sessions) await session.subscribe(replayQueue);
    const ines = await connectReplay(server, { user: 'ines' });
    await sessions[0]?.send('/app/replay', { since: 0 });
    for (const session of sessions) {
      expect((await session.messages(replayQueue, all.length)).map(parse)).toEqual(all);
    }
    expect(await replayed(ines, { since: timeOf(all.at(-1)) })).toEqual([]);
    expect(ines.received(replayQueue)).toEqual([]);
    await expect(ines.send('/user/hedi/queue/replay', { content: 'forged' })).rejects.toMatchObject({
      refusal: { code: 'FORBIDDEN' },
    });
  });

  test('[REPLAY8] who does not subscribe gets the RECEIPT alone', async () => {
    const { all } = await filledRooms(['jane']);
    const jane = await connectStomp(server, { user: 'jane' });
    await jane.send('/app/replay', { since: 0 });
    await jane.subscribe(replayQueue);
    expect(await replayed(jane, { since: timeOf(all.at(-1)) })).toEqual([]);
  });
});
