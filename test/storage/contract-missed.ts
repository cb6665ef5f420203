// Contract of stores: what a user has missed in the rooms that they belong to.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Queries } from '../../src/storage/storage.ts';
import type { Fixture } from './contract-fixture.ts';
import { ack } from './domain-rows.ts';
import { insert, member, message, noon, remove, room } from './rows.ts';

export function missedRules({ write, query }: Fixture): void {
  const said = (room_id: string, seq: number, minute: number) =>
    insert(
      'chat_messages',
      message({ room_id, seq, message_id: `${room_id}${seq}`, created_at: noon + minute }),
    );
  const names = (rows: readonly { message_id: string }[]) => rows.map((row) => row.message_id);
  const missed = async (change: Partial<Queries['missedSince']['args']>) => {
    const args = { userId: 'ann', roomId: '', since: noon, afterRoom: '', afterSeq: 0, limit: 99, ...change };
    return names(await query({ name: 'missedSince', args }));
  };

  describe('what was missed', () => {
    beforeEach(async () => {
      for (const room_id of ['a', 'b', 'closed']) {
        await write(
          insert('chat_rooms', room({ room_id })),
          insert('chat_room_members', member({ room_id, user_id: 'bob' })),
        );
      }
      await write(
        ...['a', 'b'].map((room_id) => insert('chat_room_members', member({ room_id }))),
        ...[said('a', 1, -2), said('a', 2, 0), said('a', 3, 2), said('a', 4, 2), said('a', 5, 5)],
        ...[said('b', 1, -1), said('b', 2, 2), said('b', 3, 4)],
        said('closed', 1, 3),
      );
    });

    it('[STORE45] messages of all rooms of the user come by time, then room, then seq', async () => {
      expect(await missed({})).toEqual(['a2', 'a3', 'a4', 'b2', 'b3', 'a5']);
      expect(await missed({ userId: 'bob', since: noon + 3 })).toEqual(['closed1', 'b3', 'a5']);
      expect(await missed({ since: -Infinity })).toHaveLength(8);
      expect(await missed({ since: noon + 6 })).toEqual([]);
      expect(await missed({ since: Infinity })).toEqual([]);
      expect(await missed({ userId: 'eve' })).toEqual([]);
      expect(await missed({ limit: 0 })).toEqual([]);
      expect(await missed({ limit: -1 })).toEqual([]);
    });

    it('[STORE45] each page goes on after the place where the last one ended', async () => {
      const place = { since: noon, afterRoom: '', afterSeq: 0 };
      const pages: string[][] = [];
      while (pages.length < 9) {
        const args = { userId: 'ann', roomId: '', ...place, limit: 2 };
        const rows = await query({ name: 'missedSince', args });
        const last = rows.at(-1);
        if (!last) break;
        pages.push(names(rows));
        Object.assign(place, { since: last.created_at, afterRoom: last.room_id, afterSeq: last.seq });
      }
      expect(pages).toEqual([
        ['a2', 'a3'],
        ['a4', 'b2'],
        ['b3', 'a5'],
      ]);
    });

    it('[STORE45] of one room when it is named, and of no room that the user has left', async () => {
      expect(await missed({ roomId: 'b' })).toEqual(['b2', 'b3']);
      expect(await missed({ roomId: 'closed' })).toEqual([]);
      await write(remove('chat_room_members', { room_id: 'a', user_id: 'ann' }));
      expect(await missed({})).toEqual(['b2', 'b3']);
    });

    it('[STORE45] a room is read back to the first older message and no further', async () => {
      await write(said('b', 4, -5), said('b', 5, 1));
      expect(await missed({ roomId: 'b' })).toEqual(['b5']);
    });

    it('[STORE45] after a seq of one room, for members only', async () => {
      const after = async (userId: string, roomId: string, seq: number, limit = 9) =>
        names(await query({ name: 'missedInRoom', args: { userId, roomId, after: seq, limit } }));
      expect(await after('ann', 'a', 3)).toEqual(['a4', 'a5']);
      expect(await after('ann', 'a', -Infinity, 2)).toEqual(['a1', 'a2']);
      expect(await after('ann', 'closed', 0)).toEqual([]);
    });

    it('[STORE45] whether a user is a member of a room, and the seq of a message in it', async () => {
      const access = (userId: string, roomId: string, messageId: string) =>
        query({ name: 'roomMessageOfMember', args: { userId, roomId, messageId } });
      expect(await access('ann', 'a', 'a4')).toEqual([{ isMember: true, seq: 4 }]);
      expect(await access('ann', 'b', 'a4')).toEqual([{ isMember: true, seq: null }]);
      expect(await access('ann', 'a', '')).toEqual([{ isMember: true, seq: null }]);
      expect(await access('ann', 'closed', 'closed1')).toEqual([{ isMember: false, seq: 1 }]);
      expect(await access('bob', 'closed', 'closed1')).toEqual([{ isMember: true, seq: 1 }]);
      expect(await access('ann', 'nowhere', 'a4')).toEqual([]);
    });

    it('[STORE47] acknowledgements of a user come by room', async () => {
      await write(
        ...['b', '\u{1F600}', '\uFF5E', 'a'].map((room_id) => insert('replay_acks', ack({ room_id }))),
      );
      await write(insert('replay_acks', ack({ user_id: 'bob' })));
      const rows = await query({ name: 'replayAcks', args: { userId: 'ann' } });
      expect(rows.map(({ room_id }) => room_id)).toEqual(['a', 'b', '\uFF5E', '\u{1F600}']);
    });
  });
}
