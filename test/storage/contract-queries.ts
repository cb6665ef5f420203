// Contract of stores: bounds, limits and order of the queries.
import { describe, expect, it } from 'vitest';
import type { Query } from '../../src/storage/storage.ts';
import type { Fixture } from './contract-fixture.ts';
import { answer } from './domain-rows.ts';
import { insert, key, member, message, messages, noon, position, remove, room, topic } from './rows.ts';

export function queryRules({ write, query, roomRow, seqs, topicSeqs, allKeys }: Fixture): void {
  describe('queries', () => {
    it('[STORE14] what is not there gives no rows, and a head of 0', async () => {
      await write(insert('chat_rooms', room()));
      const roomId = 'none';
      expect(await roomRow(roomId)).toEqual([]);
      expect(await query({ name: 'roomMembers', args: { roomId } })).toEqual([]);
      expect(await query({ name: 'roomReadPositions', args: { roomId } })).toEqual([]);
      expect(await query({ name: 'roomHead', args: { roomId } })).toEqual([{ seq: 0 }]);
      expect(await seqs(roomId)).toEqual([]);
      const before = { roomId, before: 9, limit: 9 };
      expect(await query({ name: 'roomMessagesBefore', args: before })).toEqual([]);
      expect(await query({ name: 'roomMessageSeq', args: { roomId, messageId: 'no' } })).toEqual([]);
      expect(await query({ name: 'roomsOfUser', args: { userId: 'none' } })).toEqual([]);
      expect(await query({ name: 'topicHead', args: { topic: 'none' } })).toEqual([]);
      expect(await topicSeqs('none')).toEqual([]);
      const place = { userId: 'ann', name: 'no', destination: 'no' };
      expect(await query({ name: 'durablePosition', args: place })).toEqual([]);
      expect(await allKeys()).toEqual([]);
    });

    it('[STORE14] nor does what the domains lack, but for the heads of a document and a queue', async () => {
      const [userId, orderId, docId, stream] = ['none', 'none', 'none', 'none'];
      const page = { after: -1, limit: 9 };
      const unknownKey = { actor: 'none', command: 'none', userId, idempotencyKey: 'none' };
      const asked: Query[] = [
        { name: 'commandAnswer', args: unknownKey },
        { name: 'notificationsHead', args: { stream, userId } },
        { name: 'notificationsAfter', args: { userId, ...page } },
        { name: 'notifications', args: { userId, unread: 0, limit: 9 } },
        { name: 'notification', args: { userId, notificationId: 'none' } },
        { name: 'order', args: { orderId } },
        { name: 'orderChanges', args: { orderId, limit: 9 } },
        { name: 'product', args: { productId: 'none' } },
        { name: 'products', args: { after: '', limit: 9 } },
        { name: 'inventoryHead', args: { stream } },
        { name: 'inventoryChangesAfter', args: { stream, ...page } },
        { name: 'prices', args: {} },
        { name: 'portfolio', args: { userId } },
        { name: 'lastSeen', args: { userId } },
        { name: 'document', args: { docId } },
        { name: 'documentSnapshot', args: { docId, before: Infinity } },
        { name: 'documentTail', args: { docId, before: Infinity } },
        { name: 'documentOperationsAfter', args: { docId, ...page } },
        { name: 'documentUndo', args: { docId, userId, since: 0 } },
        { name: 'queueMessagesAfter', args: { queue: 'none', ...page } },
        { name: 'replayAcks', args: { userId } },
      ];
      for (const each of asked) expect(await query(each), each.name).toEqual([]);
      expect(await query({ name: 'documentHead', args: { docId } })).toEqual([{ oldest: 0, newest: 0 }]);
      const empty = { count: 0, bytes: 0, newest: 0 };
      expect(await query({ name: 'queueHead', args: { queue: 'none' } })).toEqual([empty]);
    });

    it('[STORE15] messages come in order, between bounds, at most as many as asked', async () => {
      await write(insert('chat_rooms', room()), insert('chat_rooms', room({ room_id: 'hall' })));
      await write(
        ...messages(9).toReversed(),
        insert('chat_messages', message({ room_id: 'hall', message_id: 'h' })),
      );
      const before = async (bound: number, limit: number) => {
        const args = { roomId: 'lobby', before: bound, limit };
        return (await query({ name: 'roomMessagesBefore', args })).map(({ seq }) => seq);
      };
      const after = async (bound: number, limit: number) => {
        const args = { roomId: 'lobby', after: bound, limit };
        return (await query({ name: 'roomMessagesAfter', args })).map(({ seq }) => seq);
      };
      expect(await before(Infinity, 3)).toEqual([9, 8, 7]);
      expect(await before(7, 2)).toEqual([6, 5]);
      expect(await before(3, 50)).toEqual([2, 1]);
      expect(await before(1, 50)).toEqual([]);
      expect(await after(0, 3)).toEqual([1, 2, 3]);
      expect(await after(7, 50)).toEqual([8, 9]);
      expect(await after(9, 50)).toEqual([]);
      expect(await after(-Infinity, 1)).toEqual([1]);
      for (const limit of [0, -1]) {
        expect(await before(Infinity, limit)).toEqual([]);
        expect(await after(0, limit)).toEqual([]);
      }
      expect(await query({ name: 'roomHead', args: { roomId: 'lobby' } })).toEqual([{ seq: 9 }]);
    });

    it('[STORE15] the seq of a message is told for its own room only', async () => {
      await write(
        insert('chat_rooms', room()),
        insert('chat_rooms', room({ room_id: 'hall' })),
        ...messages(4),
      );
      const messageId = 'm4';
      const own = { roomId: 'lobby', messageId };
      expect(await query({ name: 'roomMessageSeq', args: own })).toEqual([{ seq: 4 }]);
      expect(await query({ name: 'roomMessageSeq', args: { roomId: 'hall', messageId } })).toEqual([]);
    });

    it('[STORE16] rooms of a user come oldest first, with the role', async () => {
      const ages: [string, number][] = [
        ['a', 3],
        ['b', 1],
        ['c', 2],
        ['d', 1],
      ];
      for (const [room_id, age] of ages) {
        await write(
          insert('chat_rooms', room({ room_id, created_at: noon + age })),
          insert('chat_room_members', member({ room_id, role: `role-${room_id}`, joined_at: noon - age })),
          insert('chat_room_members', member({ room_id, user_id: 'bob' })),
        );
      }
      await write(remove('chat_room_members', { room_id: 'c', user_id: 'ann' }));
      expect(await query({ name: 'roomsOfUser', args: { userId: 'ann' } })).toEqual([
        { ...room({ room_id: 'b', created_at: noon + 1 }), role: 'role-b' },
        { ...room({ room_id: 'd', created_at: noon + 1 }), role: 'role-d' },
        { ...room({ room_id: 'a', created_at: noon + 3 }), role: 'role-a' },
      ]);
    });

    it('[STORE16] members come as they joined, read positions by user', async () => {
      // U+FF5E sorts before an emoji by code point and after it by UTF-16 unit.
      const users = ['\u{1F600}', '\uFF5E', 'Z', 'a', 'A'];
      await write(insert('chat_rooms', room()));
      await write(
        ...users.map((user_id) => insert('chat_room_members', member({ user_id }))),
        insert('chat_room_members', member({ user_id: 'first', joined_at: noon - 1 })),
        ...users.map((user_id) => insert('chat_read_positions', position({ user_id }))),
      );
      const sorted = ['A', 'Z', 'a', '\uFF5E', '\u{1F600}'];
      const found = await query({ name: 'roomMembers', args: { roomId: 'lobby' } });
      expect(found.map(({ user_id }) => user_id)).toEqual(['first', ...sorted]);
      const read = await query({ name: 'roomReadPositions', args: { roomId: 'lobby' } });
      expect(read.map(({ user_id }) => user_id)).toEqual(sorted);
    });

    it('[STORE17] a topic without messages has the head 1 to 0', async () => {
      await write(insert('topics', topic()));
      const head = await query({ name: 'topicHead', args: { topic: 'news' } });
      expect(head).toEqual([{ epoch: 'e1', oldest: 1, newest: 0 }]);
    });

    it('[STORE18] idempotency keys come newest first, since a time, at most as many as asked', async () => {
      const made = [3, 1, 2, 2].map((age, index) =>
        key({ idempotency_key: `k${index}`, created_at: noon + age }),
      );
      await write(
        ...made.map((row) => insert('idempotency_keys', row)),
        insert('idempotency_keys', key({ actor: 'room/hall' })),
      );
      const ask = async (since: number, limit: number) => {
        const args = { actor: 'room/lobby', since, limit };
        const rows = await query({ name: 'idempotencyKeys', args });
        return rows.map((row) => row.idempotency_key);
      };
      expect(await ask(-Infinity, 9)).toEqual(['k0', 'k2', 'k3', 'k1']);
      expect(await ask(noon + 2, 9)).toEqual(['k0', 'k2', 'k3']);
      expect(await ask(0, 2)).toEqual(['k0', 'k2']);
      expect(await ask(0, 0)).toEqual([]);
      expect(await ask(Infinity, 9)).toEqual([]);
    });

    it('[STORE18] one idempotency key is found by all of its parts, since a time', async () => {
      await write(insert('idempotency_keys', key()));
      const whole = {
        actor: 'room/lobby',
        command: 'send',
        userId: 'ann',
        idempotencyKey: 'k1',
        since: noon,
      };
      const found = async (change: Partial<typeof whole>) =>
        (await query({ name: 'idempotencyKey', args: { ...whole, ...change } })).length;
      expect(await found({})).toBe(1);
      const others = [
        { actor: 'x' },
        { command: 'x' },
        { userId: 'x' },
        { idempotencyKey: 'x' },
        { since: noon + 1 },
      ];
      for (const other of others) expect(await found(other)).toBe(0);
    });

    it('[STORE18] an answer is found by all of its parts', async () => {
      await write(insert('command_answers', answer()));
      const whole = { actor: 'order/o1', command: 'create', userId: 'ann', idempotencyKey: 'k1' };
      const found = async (change: Partial<typeof whole>) =>
        (await query({ name: 'commandAnswer', args: { ...whole, ...change } })).length;
      expect(await found({})).toBe(1);
      const others = [{ actor: 'x' }, { command: 'x' }, { userId: 'x' }, { idempotencyKey: 'x' }];
      for (const other of others) expect(await found(other)).toBe(0);
    });
  });
}
