// What every store does: one suite, run on each of them. Rules by id; what only SQLite promises is in its own tests.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Storage, Transaction, Write } from '../../src/storage/storage.ts';
import { StorageError } from '../../src/storage/storage.ts';
import {
  durable,
  insert,
  key,
  member,
  message,
  messages,
  noon,
  position,
  reasons,
  remove,
  room,
  topic,
  topicMessage,
  upsert,
} from './rows.ts';

export interface OpenedStorage {
  readonly storage: Storage;
  /** Closes the store and opens it again. None where nothing survives. */
  readonly reopen?: () => Promise<Storage>;
}

const kibibyte = 1024;

/** Texts that break naive stores. The last two hold halves of surrogate pairs. */
const hostileTexts = [
  '',
  'it\'s a "quote" `tick` \\ -- ; DROP TABLE chat_rooms; /* %_ ? :a @b $c */',
  'nul\0inside\0',
  '\u{1F600}\u{10FFFF}\uFEFF\u202E\r\n\t',
  'e\u0301 \u00E9',
  'NULL',
  '007',
  'x'.repeat(64 * kibibyte),
];
const halfPairs = ['\uD800', 'a\uDC00b'];

export function storageContract(name: string, open: () => Promise<OpenedStorage>): void {
  describe(name, () => {
    let opened: OpenedStorage;
    let storage: Storage;

    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(() => storage.close());

    /** Applies one transaction that must succeed. */
    const write = async (...writes: Write[]) => expect(await storage.commit([writes])).toEqual([null]);
    const commitReasons = async (...transactions: Transaction[]) =>
      reasons(await storage.commit(transactions));

    const roomRow = (roomId = 'lobby') => storage.query({ name: 'room', args: { roomId } });
    const seqs = async (roomId = 'lobby') => {
      const args = { roomId, after: 0, limit: 1000 };
      return (await storage.query({ name: 'roomMessagesAfter', args })).map(({ seq }) => seq);
    };
    const topicSeqs = async (name = 'news') => {
      const args = { topic: name, after: 0, limit: 1000 };
      return (await storage.query({ name: 'topicMessagesAfter', args })).map(({ seq }) => seq);
    };
    const allKeys = () =>
      storage.query({ name: 'idempotencyKeys', args: { actor: 'room/lobby', since: -Infinity, limit: 100 } });

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
        expect(await storage.query({ name: 'roomMembers', args: { roomId } })).toEqual([
          member({ role: 'ADMIN' }),
        ]);
        const after = { after: 0, limit: 9 };
        expect(await storage.query({ name: 'roomMessagesAfter', args: { roomId, ...after } })).toEqual([
          said,
        ]);
        expect(await storage.query({ name: 'roomReadPositions', args: { roomId } })).toEqual([position()]);
        expect(
          await storage.query({ name: 'topicMessagesAfter', args: { topic: 'news', ...after } }),
        ).toEqual([bytes]);
        const place = { userId: 'ann', name: 'phone', destination: '/topic/news' };
        expect(await storage.query({ name: 'durablePosition', args: place })).toEqual([durable()]);
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
        await storage.commit(again.map((one) => [one]));
        expect(await commitReasons(...again.map((one) => [one]))).toEqual(again.map(() => 'CONSTRAINT'));
        expect(await roomRow()).toEqual([room()]);
        expect((await storage.query({ name: 'topicHead', args: { topic: 'news' } }))[0]?.epoch).toBe('e1');
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
        expect(await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
        expect(await topicSeqs()).toEqual([1]);
      });

      it('[STORE4] a delete removes the row with that key and no other; a missing row is no error', async () => {
        await write(insert('chat_rooms', room()));
        await write(...['ann', 'bob'].map((user_id) => insert('chat_room_members', member({ user_id }))));
        await write(remove('chat_room_members', { room_id: 'lobby', user_id: 'ann' }));
        const left = await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } });
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
        expect(await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
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
        expect(await storage.query({ name: 'roomMembers', args: { roomId } })).toEqual([]);
        expect(await storage.query({ name: 'roomReadPositions', args: { roomId } })).toEqual([]);
        expect(await topicSeqs()).toEqual([]);
        expect(await seqs('hall')).toEqual([1]);
        const rooms = await storage.query({ name: 'roomsOfUser', args: { userId: 'ann' } });
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
        const stored = await storage.query({ name: 'roomMessagesAfter', args: after });
        expect(stored).toEqual([1, 2, 3, 4, 5].map((seq) => message({ seq })));
        expect(await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
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
        expect(await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } })).toHaveLength(1);
        expect(await storage.query({ name: 'roomReadPositions', args: { roomId: 'lobby' } })).toHaveLength(1);
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
        expect(await storage.commit([])).toEqual([]);
        expect(await storage.commit([[], messages(1), []])).toEqual([null, null, null]);
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
        const ask = async () => (await storage.query({ name: 'topicMessagesAfter', args }))[0];
        expect((await ask())?.body).toEqual(Buffer.from('before'));
        (await ask())?.body.fill(0);
        expect((await ask())?.body).toEqual(Buffer.from('before'));
        const read = { roomId: 'lobby', after: 0, limit: 1 };
        const [first] = await storage.query({ name: 'roomMessagesAfter', args: read });
        expect(first?.content).toBe('before');
        if (first) first.content = 'after';
        expect((await storage.query({ name: 'roomMessagesAfter', args: read }))[0]?.content).toBe('before');
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
        const stored = await storage.query({ name: 'roomMessagesAfter', args });
        const read = stored.filter(({ status }) => status === 'READ').map(({ seq }) => seq);
        expect(read).toEqual([3, 4, 5, 7, 8]);
        const marked = stored.filter(({ updated_at }) => updated_at === noon + 1).map(({ seq }) => seq);
        expect(marked).toEqual([3, 4, 5, 8]);
        const hall = await storage.query({ name: 'roomMessagesAfter', args: { ...args, roomId: 'hall' } });
        expect(hall[0]?.status).toBe('SENT');
      });

      it('[STORE12] trim_topic removes the messages of one topic up to a seq', async () => {
        for (const name of ['news', 'weather']) {
          await write(
            insert('topics', topic({ topic: name })),
            ...[1, 2, 3, 4].map((seq) => insert('topic_messages', topicMessage({ topic: name, seq }))),
          );
        }
        await write(
          { op: 'trim_topic', topic: 'news', upto: 2 },
          { op: 'trim_topic', topic: 'none', upto: 9 },
        );
        expect(await topicSeqs('news')).toEqual([3, 4]);
        expect(await topicSeqs('weather')).toEqual([1, 2, 3, 4]);
        const head = await storage.query({ name: 'topicHead', args: { topic: 'news' } });
        expect(head).toEqual([{ epoch: 'e1', oldest: 3, newest: 4 }]);
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
            storage.query({ name: 'topicHead', args: { topic: name } }),
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

    describe('queries', () => {
      it('[STORE14] what is not there gives no rows, and a head of 0', async () => {
        await write(insert('chat_rooms', room()));
        const roomId = 'none';
        expect(await roomRow(roomId)).toEqual([]);
        expect(await storage.query({ name: 'roomMembers', args: { roomId } })).toEqual([]);
        expect(await storage.query({ name: 'roomReadPositions', args: { roomId } })).toEqual([]);
        expect(await storage.query({ name: 'roomHead', args: { roomId } })).toEqual([{ seq: 0 }]);
        expect(await seqs(roomId)).toEqual([]);
        const before = { roomId, before: 9, limit: 9 };
        expect(await storage.query({ name: 'roomMessagesBefore', args: before })).toEqual([]);
        expect(await storage.query({ name: 'roomMessageSeq', args: { roomId, messageId: 'no' } })).toEqual(
          [],
        );
        expect(await storage.query({ name: 'roomsOfUser', args: { userId: 'none' } })).toEqual([]);
        expect(await storage.query({ name: 'topicHead', args: { topic: 'none' } })).toEqual([]);
        expect(await topicSeqs('none')).toEqual([]);
        const place = { userId: 'ann', name: 'no', destination: 'no' };
        expect(await storage.query({ name: 'durablePosition', args: place })).toEqual([]);
        expect(await allKeys()).toEqual([]);
      });

      it('[STORE15] messages come in order, between bounds, at most as many as asked', async () => {
        await write(insert('chat_rooms', room()), insert('chat_rooms', room({ room_id: 'hall' })));
        await write(
          ...messages(9).reverse(),
          insert('chat_messages', message({ room_id: 'hall', message_id: 'h' })),
        );
        const before = async (bound: number, limit: number) => {
          const args = { roomId: 'lobby', before: bound, limit };
          return (await storage.query({ name: 'roomMessagesBefore', args })).map(({ seq }) => seq);
        };
        const after = async (bound: number, limit: number) => {
          const args = { roomId: 'lobby', after: bound, limit };
          return (await storage.query({ name: 'roomMessagesAfter', args })).map(({ seq }) => seq);
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
        expect(await storage.query({ name: 'roomHead', args: { roomId: 'lobby' } })).toEqual([{ seq: 9 }]);
      });

      it('[STORE15] the seq of a message is told for its own room only', async () => {
        await write(
          insert('chat_rooms', room()),
          insert('chat_rooms', room({ room_id: 'hall' })),
          ...messages(4),
        );
        const messageId = 'm4';
        const own = { roomId: 'lobby', messageId };
        expect(await storage.query({ name: 'roomMessageSeq', args: own })).toEqual([{ seq: 4 }]);
        expect(await storage.query({ name: 'roomMessageSeq', args: { roomId: 'hall', messageId } })).toEqual(
          [],
        );
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
        expect(await storage.query({ name: 'roomsOfUser', args: { userId: 'ann' } })).toEqual([
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
        const found = await storage.query({ name: 'roomMembers', args: { roomId: 'lobby' } });
        expect(found.map(({ user_id }) => user_id)).toEqual(['first', ...sorted]);
        const read = await storage.query({ name: 'roomReadPositions', args: { roomId: 'lobby' } });
        expect(read.map(({ user_id }) => user_id)).toEqual(sorted);
      });

      it('[STORE17] a topic without messages has the head 1 to 0', async () => {
        await write(insert('topics', topic()));
        const head = await storage.query({ name: 'topicHead', args: { topic: 'news' } });
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
          const rows = await storage.query({ name: 'idempotencyKeys', args });
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
          (await storage.query({ name: 'idempotencyKey', args: { ...whole, ...change } })).length;
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
    });

    describe('hostile values', () => {
      it('[STORE19] texts are data, in rows, keys and arguments', async () => {
        for (const [index, text] of hostileTexts.entries()) {
          const row = message({
            room_id: text,
            message_id: `id${text}`,
            sender_id: text,
            content: text,
            seq: index,
          });
          await write(
            insert('chat_rooms', room({ room_id: text, name: text })),
            insert('chat_messages', row),
          );
          expect(await roomRow(text)).toEqual([room({ room_id: text, name: text })]);
          const args = { roomId: text, after: -1, limit: 9 };
          expect(await storage.query({ name: 'roomMessagesAfter', args })).toEqual([row]);
          const byId = { roomId: text, messageId: `id${text}` };
          expect(await storage.query({ name: 'roomMessageSeq', args: byId })).toEqual([{ seq: index }]);
          await write({ op: 'mark_read', roomId: text, readerId: text, after: -1, upto: 9, at: noon });
          expect((await storage.query({ name: 'roomMessagesAfter', args }))[0]?.status).toBe('SENT');
          await write(remove('chat_rooms', { room_id: text }));
          expect(await roomRow(text)).toEqual([]);
        }
      });

      it('[STORE19] half a surrogate pair becomes U+FFFD everywhere', async () => {
        for (const text of halfPairs) {
          const kept = text.replace(/[\uD800\uDC00]/, '\uFFFD');
          await write(upsert('chat_rooms', room({ room_id: text, name: text })));
          expect(await roomRow(kept)).toEqual([room({ room_id: kept, name: kept })]);
          expect(await roomRow(text)).toEqual([room({ room_id: kept, name: kept })]);
          await write(insert('chat_messages', message({ room_id: text, message_id: text, sender_id: text })));
          expect(await seqs(text)).toEqual([1]);
          await write({ op: 'mark_read', roomId: text, readerId: text, after: 0, upto: 9, at: noon });
          const args = { roomId: text, after: 0, limit: 9 };
          expect((await storage.query({ name: 'roomMessagesAfter', args }))[0]?.status).toBe('SENT');
        }
      });

      it('[STORE19] bytes are kept as they are', async () => {
        const bodies = [
          Buffer.alloc(0),
          Buffer.from([0]),
          new Uint8Array(64 * kibibyte).map((_, index) => index % 251),
          new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4),
        ];
        await write(
          insert('topics', topic()),
          ...bodies.map((body, seq) => insert('topic_messages', topicMessage({ seq, body }))),
        );
        const args = { topic: 'news', after: -1, limit: 9 };
        const rows = await storage.query({ name: 'topicMessagesAfter', args });
        expect(rows.map(({ body }) => Buffer.from(body).toString('hex'))).toEqual(
          bodies.map((body) => Buffer.from(body).toString('hex')),
        );
      });

      it('[STORE19] whole numbers up to 2^53-1 and times from year 0 to 9999 are exact', async () => {
        const largest = Number.MAX_SAFE_INTEGER;
        const times = [
          0,
          1,
          -1,
          Date.parse('0000-01-01T00:00:00.000Z'),
          Date.parse('9999-12-31T23:59:59.999Z'),
        ];
        await write(insert('chat_rooms', room()), insert('chat_messages', message({ seq: largest })));
        expect(await storage.query({ name: 'roomHead', args: { roomId: 'lobby' } })).toEqual([
          { seq: largest },
        ]);
        const newest = { roomId: 'lobby', after: largest - 1, limit: 9 };
        expect(await storage.query({ name: 'roomMessagesAfter', args: newest })).toHaveLength(1);
        expect(
          await storage.query({
            name: 'roomMessagesBefore',
            args: { roomId: 'lobby', before: largest, limit: 9 },
          }),
        ).toEqual([]);
        for (const time of times) {
          await write(upsert('chat_rooms', room({ created_at: time, updated_at: time })));
          expect(await roomRow()).toEqual([room({ created_at: time, updated_at: time })]);
        }
      });
    });

    describe('ends', () => {
      it('[STORE20] a closed store answers UNAVAILABLE and is closed twice without harm', async () => {
        await storage.close();
        expect(await commitReasons([], messages(1))).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
        const asked = roomRow();
        await expect(asked).rejects.toThrow(StorageError);
        await expect(asked).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
        await storage.close();
      });

      it('[STORE21] what was committed is there after the store was opened again', async () => {
        await write(insert('chat_rooms', room()), ...messages(50));
        storage = (await opened.reopen?.()) ?? storage;
        expect(await roomRow()).toEqual([room()]);
        expect(await seqs()).toHaveLength(50);
      });
    });
  });
}
