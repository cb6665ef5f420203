// Replays of many messages: whole, in order, as fast as the client reads.
import { describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { layouts } from '../support/layouts.ts';
import { connectReplay, messagesOf, replayed, replayQueue } from '../support/missed.ts';
import { createRoom, range, sendMany } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, parse } from '../support/stomp.ts';

const timeoutMs = 120_000;

/** Fills rooms in turn, and returns all that they hold, oldest first. */
async function fill(server: TestServer, rooms: number, count: number, content: (number: number) => string) {
  const roomIds: string[] = [];
  for (let room = 0; room < rooms; room += 1) {
    roomIds.push(await createRoom(server, 'writer', { members: ['alice'] }));
  }
  const writer = await connectStomp(server, { user: 'writer' });
  const lanes = roomIds.map((roomId) => {
    const bodies = range(1, count / rooms).map((number) => JSON.stringify({ content: content(number) }));
    return sendMany(writer, `/app/chat.send/${roomId}`, bodies);
  });
  for (const lane of lanes) await lane;
  await writer.disconnect();
  const database = new DatabaseView(server.databaseUrl);
  const all = messagesOf(database, roomIds);
  database.close();
  return { roomIds, all };
}

describe.each(layouts)('$name', (layout) => {
  test(
    '[REPLAY30] thousands of messages come whole, in order and once, in bounded pages',
    async () => {
      const server = await startServer({ settings: layout.settings });
      const { all, roomIds } = await fill(server, 2, 5_000, (number) => `message ${number}`);
      const alice = await connectReplay(server, { user: 'alice' });
      expect(await replayed(alice, { since: 0 })).toEqual(all);
      const [roomId] = roomIds;
      const its = all.filter((message) => message['roomId'] === roomId);
      const asked = { roomId, lastMessageId: its[0]?.['messageId'] };
      expect(await replayed(alice, asked)).toEqual(its.slice(1));
      // Repeats of a command that has a key bring nothing more.
      const headers = { 'idempotency-key': 'replay 1' };
      await alice.send('/app/replay', { since: 0, roomId }, headers);
      const total = all.length + its.length - 1 + its.length;
      expect(alice.received(replayQueue)).toHaveLength(total);
      await server.stop();
    },
    timeoutMs,
  );

  test(
    '[REPLAY31] a client that reads slowly is not closed, and gets all of it',
    async () => {
      const server = await startServer({ settings: layout.settings });
      // Quotation marks take twice the room in JSON: 12 MB, more than twice what sockets hold.
      const { all } = await fill(server, 1, 800, (number) => `${number} ${'"'.repeat(7_500)}`);
      const alice = await connectReplay(server, { user: 'alice' });
      alice.pause();
      const receipt = alice.send('/app/replay', { since: 0 });
      // Others are served meanwhile, and what alice does not read stays in the database.
      const bob = await connectReplay(server, { user: 'writer' });
      expect(await replayed(bob, { since: 0 })).toHaveLength(all.length);
      alice.readOn();
      await receipt;
      expect(alice.received(replayQueue).map(parse)).toEqual(all);
      await server.stop();
    },
    timeoutMs,
  );
});
