// Contract of stores: transactions, and the writes of many rows.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Fixture } from './contract-fixture.ts';
import { answer } from './domain-rows.ts';
import {
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

export function transactionRules({
  write,
  commit,
  commitReasons,
  query,
  roomRow,
  seqs,
  topicSeqs,
  allKeys,
}: Fixture): void {
  describe('transactions', () => {
    beforeEach(() => write(insert('chat_rooms', room())));

    it('[STORE7] a failing write leaves nothing of its transaction and takes nothing from its neighbours', async () => {
      await write(...messages(2), insert('chat_room_members', member()));
      const outcomes = await commitReasons(
        [insert('chat_messages', message({ seq: 3 }))],
        [
          upsert('chat_rooms', room({ name: 'changed' })),
          insert('chat_messages', message({ seq: 4 })),
          { op: 'mark_read', roomId: 'lobby', readerId: 'bob', after: 0, upto: 9, at: noon },
          remove('chat_room_members', { room_id: 'lobby', user_id: 'ann' }),
          remove('chat_messages', { message_id: 'm1' }),
          insert('chat_messages', message({ seq: 2, message_id: 'again' })),
        ],
        [insert('chat_messages', message({ seq: 4 }))],
        [insert('chat_messages', message({ seq: 5 })), insert('chat_messages', message({ seq: 5 }))],
        [insert('chat_messages', message({ seq: 5 }))],
      );
      expect(outcomes).toEqual([null, 'CONSTRAINT', null, 'CONSTRAINT', null]);
      expect(await roomRow()).toEqual([room()]);
      const after = { roomId: 'lobby', after: 0, limit: 9 };
      const stored = await query({ name: 'roomMessagesAfter', args: after });
      expect(stored).toEqual([1, 2, 3, 4, 5].map((seq) => message({ seq })));
      expect(await query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
    });

    it('[STORE7] a failed deletion of a room brings back all that went with it', async () => {
      await write(
        ...messages(2),
        insert('chat_room_members', member()),
        insert('chat_read_positions', position()),
      );
      const failing = [
        remove('chat_rooms', { room_id: 'lobby' }),
        insert('chat_messages', message({ seq: 3 })),
      ];
      expect(await commitReasons(failing)).toEqual(['CONSTRAINT']);
      expect(await seqs()).toEqual([1, 2]);
      expect(await query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
      expect(await query({ name: 'roomReadPositions', args: { roomId: 'lobby' } })).toHaveLength(1);
    });

    it('[STORE8] later transactions of a commit see the earlier ones, and writes those before them', async () => {
      expect(
        await commitReasons(
          [insert('chat_rooms', room({ room_id: 'hall' }))],
          [
            insert('chat_messages', message({ room_id: 'hall' })),
            remove('chat_messages', { message_id: 'm1' }),
          ],
          [insert('chat_messages', message({ room_id: 'hall' }))],
        ),
      ).toEqual([null, null, null]);
      expect(await seqs('hall')).toEqual([1]);
    });

    it('[STORE8] an empty commit and an empty transaction are fine', async () => {
      expect(await commit([])).toEqual([]);
      expect(await commit([[], messages(1), []])).toEqual([null, null, null]);
      expect(await seqs()).toEqual([1]);
    });

    it('[STORE9] a value that no store can keep is refused; the store goes on', async () => {
      const bad = [
        Number.NaN,
        Infinity,
        Date.parse('+010000-01-01T00:00:00.000Z'),
        Date.parse('-000001-01-01T00:00:00.000Z'),
      ];
      const outcomes = await commitReasons(
        ...bad.map((created_at) => [insert('chat_messages', message({ created_at }))]),
        messages(1),
      );
      expect(outcomes).toEqual([...bad.map(() => 'CONSTRAINT'), null]);
      expect(await seqs()).toEqual([1]);
    });

    it('[STORE10] a row is a copy: neither side sees what the other does to it afterwards', async () => {
      const body = Buffer.from('before');
      const said = message({ content: 'before' });
      await write(insert('topics', topic()), insert('topic_messages', topicMessage({ body })));
      await write(insert('chat_messages', said));
      body.fill(0);
      said.content = 'after';
      const args = { topic: 'news', after: 0, limit: 1 };
      const ask = async () => (await query({ name: 'topicMessagesAfter', args }))[0];
      expect((await ask())?.body).toEqual(Buffer.from('before'));
      (await ask())?.body.fill(0);
      expect((await ask())?.body).toEqual(Buffer.from('before'));
      const read = { roomId: 'lobby', after: 0, limit: 1 };
      const [first] = await query({ name: 'roomMessagesAfter', args: read });
      expect(first?.content).toBe('before');
      if (first) first.content = 'after';
      expect((await query({ name: 'roomMessagesAfter', args: read }))[0]?.content).toBe('before');
    });
  });

  describe('writes of many rows', () => {
    it("[STORE11] mark_read marks others' unread messages between its bounds, and no others", async () => {
      await write(insert('chat_rooms', room()), insert('chat_rooms', room({ room_id: 'hall' })));
      await write(
        ...messages(5),
        insert('chat_messages', message({ seq: 6, sender_id: 'bob' })),
        insert('chat_messages', message({ seq: 7, status: 'READ', updated_at: 7 })),
        insert('chat_messages', message({ seq: 8, status: 'DELIVERED' })),
        insert('chat_messages', message({ seq: 9 })),
        insert('chat_messages', message({ room_id: 'hall', message_id: 'h', seq: 3 })),
      );
      await write({ op: 'mark_read', roomId: 'lobby', readerId: 'bob', after: 2, upto: 8, at: noon + 1 });
      const args = { roomId: 'lobby', after: 0, limit: 100 };
      const stored = await query({ name: 'roomMessagesAfter', args });
      const read = stored.filter(({ status }) => status === 'READ').map(({ seq }) => seq);
      expect(read).toEqual([3, 4, 5, 7, 8]);
      const marked = stored.filter(({ updated_at }) => updated_at === noon + 1).map(({ seq }) => seq);
      expect(marked).toEqual([3, 4, 5, 8]);
      const hall = await query({ name: 'roomMessagesAfter', args: { ...args, roomId: 'hall' } });
      expect(hall[0]?.status).toBe('SENT');
    });

    it('[STORE12] trim_topic removes the messages of one topic up to a seq', async () => {
      for (const name of ['news', 'weather']) {
        await write(
          insert('topics', topic({ topic: name })),
          ...[1, 2, 3, 4].map((seq) => insert('topic_messages', topicMessage({ topic: name, seq }))),
        );
      }
      await write({ op: 'trim_topic', topic: 'news', upto: 2 }, { op: 'trim_topic', topic: 'none', upto: 9 });
      expect(await topicSeqs('news')).toEqual([3, 4]);
      expect(await topicSeqs('weather')).toEqual([1, 2, 3, 4]);
      const head = await query({ name: 'topicHead', args: { topic: 'news' } });
      expect(head).toEqual([{ epoch: 'e1', oldest: 3, newest: 4 }]);
    });

    it('[STORE13] expire removes older answers of commands', async () => {
      await write(
        insert('command_answers', answer({ idempotency_key: 'old', created_at: noon - 1 })),
        insert('command_answers', answer({ idempotency_key: 'young', created_at: noon })),
      );
      const found = async (idempotencyKey: string) => {
        const args = { actor: 'order/o1', command: 'create', userId: 'ann', idempotencyKey };
        return (await query({ name: 'commandAnswer', args })).length;
      };
      await write({ op: 'expire', keysBefore: noon, topicsBefore: -Infinity });
      expect([await found('old'), await found('young')]).toEqual([0, 1]);
      await write({ op: 'expire', keysBefore: Infinity, topicsBefore: -Infinity });
      expect(await found('young')).toBe(0);
    });

    it('[STORE13] expire removes older keys, and topics whose newest message is older', async () => {
      await write(
        insert('idempotency_keys', key({ idempotency_key: 'old', created_at: noon - 1 })),
        insert('idempotency_keys', key({ idempotency_key: 'young', created_at: noon })),
        insert('topics', topic({ topic: 'old', created_at: noon - 9 })),
        insert('topic_messages', topicMessage({ topic: 'old', seq: 1, created_at: noon - 2 })),
        insert('topic_messages', topicMessage({ topic: 'old', seq: 2, created_at: noon - 1 })),
        insert('topics', topic({ topic: 'young', created_at: noon - 9 })),
        insert('topic_messages', topicMessage({ topic: 'young', seq: 1, created_at: noon - 9 })),
        insert('topic_messages', topicMessage({ topic: 'young', seq: 2, created_at: noon })),
        insert('topics', topic({ topic: 'empty-old', created_at: noon - 1 })),
        insert('topics', topic({ topic: 'empty-young', created_at: noon })),
      );
      await write({ op: 'expire', keysBefore: noon, topicsBefore: noon });
      expect((await allKeys()).map((row) => row.idempotency_key)).toEqual(['young']);
      const heads = await Promise.all(
        ['old', 'young', 'empty-old', 'empty-young'].map((name) =>
          query({ name: 'topicHead', args: { topic: name } }),
        ),
      );
      expect(heads.map((rows) => rows.length)).toEqual([0, 1, 0, 1]);
      expect(await topicSeqs('old')).toEqual([]);
      expect(await topicSeqs('young')).toEqual([1, 2]);
      await write({ op: 'expire', keysBefore: -Infinity, topicsBefore: -Infinity });
      expect(await allKeys()).toHaveLength(1);
      await write({ op: 'expire', keysBefore: Infinity, topicsBefore: Infinity });
      expect(await allKeys()).toEqual([]);
      expect(await topicSeqs('young')).toEqual([]);
    });
  });
}
