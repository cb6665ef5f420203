// Contract of stores: single rows, their keys and references.
import { describe, expect, it } from 'vitest';
import type { Fixture } from './contract-fixture.ts';
import {
  durable,
  insert,
  key,
  member,
  message,
  messages,
  noon,
  position,
  remove,
  room,
  topic,
  topicMessage,
  upsert,
} from './rows.ts';

export function rowRules({
  write,
  commit,
  commitReasons,
  query,
  roomRow,
  seqs,
  topicSeqs,
  allKeys,
}: Fixture): void {
  describe('rows', () => {
    it('[STORE1] gives every column of every table back as it was', async () => {
      const lobby = room({ is_private: true, updated_at: noon + 1 });
      const said = message({ updated_at: noon + 123 });
      const bytes = topicMessage({
        headers: '{"a":"b"}',
        body: Buffer.from([0, 255, 128]),
        is_text: false,
      });
      await write(
        insert('chat_rooms', lobby),
        insert('chat_room_members', member({ role: 'ADMIN' })),
        insert('chat_messages', said),
        insert('chat_read_positions', position()),
        insert('topics', topic()),
        insert('topic_messages', bytes),
        insert('durable_positions', durable()),
        insert('idempotency_keys', key()),
      );
      const roomId = 'lobby';
      expect(await roomRow()).toEqual([lobby]);
      expect(await query({ name: 'roomMembers', args: { roomId } })).toEqual([member({ role: 'ADMIN' })]);
      const after = { after: 0, limit: 9 };
      expect(await query({ name: 'roomMessagesAfter', args: { roomId, ...after } })).toEqual([said]);
      expect(await query({ name: 'roomReadPositions', args: { roomId } })).toEqual([position()]);
      expect(await query({ name: 'topicMessagesAfter', args: { topic: 'news', ...after } })).toEqual([bytes]);
      const place = { userId: 'ann', name: 'phone', destination: '/topic/news' };
      expect(await query({ name: 'durablePosition', args: place })).toEqual([durable()]);
      expect(await allKeys()).toEqual([key()]);
    });

    it('[STORE2] refuses an insert with a key that is there and keeps the row', async () => {
      await write(insert('chat_rooms', room()), insert('topics', topic()));
      const again = [
        insert('chat_rooms', room({ name: 'other' })),
        insert('chat_room_members', member()),
        insert('chat_messages', message()),
        insert('chat_read_positions', position()),
        insert('topics', topic({ epoch: 'e2' })),
        insert('topic_messages', topicMessage()),
        insert('durable_positions', durable()),
        insert('idempotency_keys', key()),
      ];
      await commit(again.map((one) => [one]));
      expect(await commitReasons(...again.map((one) => [one]))).toEqual(again.map(() => 'CONSTRAINT'));
      expect(await roomRow()).toEqual([room()]);
      expect((await query({ name: 'topicHead', args: { topic: 'news' } }))[0]?.epoch).toBe('e1');
    });

    it('[STORE3] an upsert inserts, and replaces every column of the row with that key', async () => {
      const first = room();
      const second = room({
        name: 'Hall',
        created_by: 'bob',
        is_private: true,
        created_at: noon + 5,
        updated_at: noon + 9,
        epoch: 'e2',
      });
      await write(upsert('chat_rooms', first));
      expect(await roomRow()).toEqual([first]);
      await write(upsert('chat_rooms', second));
      expect(await roomRow()).toEqual([second]);
    });

    it('[STORE3] an upsert of a room or a topic leaves what belongs to it', async () => {
      await write(insert('chat_rooms', room()), insert('chat_room_members', member()), ...messages(3));
      await write(insert('topics', topic()), insert('topic_messages', topicMessage()));
      await write(upsert('chat_rooms', room({ name: 'Hall' })), upsert('topics', topic({ epoch: 'e2' })));
      expect(await seqs()).toEqual([1, 2, 3]);
      expect(await query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
      expect(await topicSeqs()).toEqual([1]);
    });

    it('[STORE4] a delete removes the row with that key and no other; a missing row is no error', async () => {
      await write(insert('chat_rooms', room()));
      await write(...['ann', 'bob'].map((user_id) => insert('chat_room_members', member({ user_id }))));
      await write(remove('chat_room_members', { room_id: 'lobby', user_id: 'ann' }));
      const left = await query({ name: 'roomMembers', args: { roomId: 'lobby' } });
      expect(left).toEqual([member({ user_id: 'bob' })]);
      await write(
        remove('chat_room_members', { room_id: 'lobby', user_id: 'ann' }),
        remove('topics', { topic: 'no' }),
      );
    });

    it('[STORE4] a delete without the whole key is refused', async () => {
      await write(insert('chat_rooms', room()), insert('chat_room_members', member()));
      expect(await commitReasons([remove('chat_room_members', { room_id: 'lobby' })])).toEqual([
        'CONSTRAINT',
      ]);
      expect(await query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
    });

    it('[STORE5] a row refers to a room or a topic that is there, else it is refused', async () => {
      const strays = [
        insert('chat_room_members', member()),
        upsert('chat_room_members', member()),
        insert('chat_messages', message()),
        upsert('chat_messages', message()),
        insert('chat_read_positions', position()),
        insert('topic_messages', topicMessage()),
      ];
      expect(await commitReasons(...strays.map((one) => [one]))).toEqual(strays.map(() => 'CONSTRAINT'));
      expect(await seqs()).toEqual([]);
    });

    it('[STORE5] what refers to a room or a topic goes with it', async () => {
      for (const room_id of ['lobby', 'hall']) {
        await write(
          insert('chat_rooms', room({ room_id })),
          insert('chat_room_members', member({ room_id })),
          insert('chat_messages', message({ room_id, message_id: room_id })),
          insert('chat_read_positions', position({ room_id })),
        );
      }
      await write(insert('topics', topic()), insert('topic_messages', topicMessage()));
      await write(remove('chat_rooms', { room_id: 'lobby' }), remove('topics', { topic: 'news' }));
      await write(insert('chat_rooms', room()), insert('topics', topic()));
      const roomId = 'lobby';
      expect(await seqs()).toEqual([]);
      expect(await query({ name: 'roomMembers', args: { roomId } })).toEqual([]);
      expect(await query({ name: 'roomReadPositions', args: { roomId } })).toEqual([]);
      expect(await topicSeqs()).toEqual([]);
      expect(await seqs('hall')).toEqual([1]);
      const rooms = await query({ name: 'roomsOfUser', args: { userId: 'ann' } });
      expect(rooms.map(({ room_id }) => room_id)).toEqual(['hall']);
    });

    it('[STORE6] a seq is taken once in a room, by an insert or an upsert', async () => {
      await write(
        insert('chat_rooms', room()),
        insert('chat_rooms', room({ room_id: 'hall' })),
        ...messages(2),
      );
      const taken = { seq: 2, message_id: 'other' };
      expect(
        await commitReasons(
          [insert('chat_messages', message(taken))],
          [upsert('chat_messages', message(taken))],
          [upsert('chat_messages', message({ message_id: 'm1', seq: 2 }))],
          [insert('chat_messages', message({ ...taken, room_id: 'hall' }))],
        ),
      ).toEqual(['CONSTRAINT', 'CONSTRAINT', 'CONSTRAINT', null]);
      expect(await seqs()).toEqual([1, 2]);
    });
  });
}
