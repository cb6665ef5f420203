// Contract of stores: streams that many actors append to, and the queries about their messages and about queues.
import { describe, expect, it } from 'vitest';
import type { Fixture } from './contract-fixture.ts';
import { annsStream, inventoryChange, notification, queueMessage, stream } from './domain-rows.ts';
import { append, insert, noon, remove, upsert } from './rows.ts';

export function streamRules({ write, commitReasons, query }: Fixture): void {
  const change = (productId: string) => inventoryChange({ product_id: productId, seq: 99 });
  const changes = async (name: string, after = 0, limit = 100) => {
    const rows = await query({ name: 'inventoryChangesAfter', args: { stream: name, after, limit } });
    return rows.map(({ seq, product_id }) => `${seq} ${product_id}`);
  };
  const inventoryHead = (name: string) => query({ name: 'inventoryHead', args: { stream: name } });
  const told = (id: string, user_id = 'ann') => notification({ notification_id: id, user_id, seq: 99 });
  const ids = (rows: readonly { notification_id: string }[]) => rows.map((row) => row.notification_id);

  describe('streams', () => {
    it('[STORE38] append makes the stream with its epoch, and gives each row the next seq whatever its own', async () => {
      const inStream = (row: ReturnType<typeof change>, name: string) => ({ ...row, stream: name });
      await write(append('inventory_changes', 's', inStream(change('a'), 's'), 'e1'));
      await write(
        append('inventory_changes', 's', inStream(change('b'), 's'), 'e2'),
        append('inventory_changes', 'other', inStream(change('c'), 'other'), 'e3'),
        append('inventory_changes', 's', inStream(change('d'), 's'), 'e4'),
      );
      expect(await changes('s')).toEqual(['1 a', '2 b', '3 d']);
      expect(await inventoryHead('s')).toEqual([{ epoch: 'e1', oldest: 1, newest: 3 }]);
      expect(await inventoryHead('other')).toEqual([{ epoch: 'e3', oldest: 1, newest: 1 }]);
      expect(await changes('s', 1, 1)).toEqual(['2 b']);
      expect(await changes('s', 3)).toEqual([]);
      expect(await changes('s', 0, 0)).toEqual([]);
    });

    it('[STORE38] append goes on from the stream as it is, and a row keeps all of its other columns', async () => {
      await write(insert('streams', stream({ stream: annsStream, epoch: 'e9', seq: 41 })));
      await write(append('notifications', annsStream, notification({ is_read: true, read_at: noon })));
      const rows = await query({ name: 'notificationsAfter', args: { userId: 'ann', after: 0, limit: 9 } });
      expect(rows).toEqual([notification({ notification_id: 'n1', is_read: true, read_at: noon, seq: 42 })]);
    });

    it('[STORE38] an append that fails takes no seq and makes no stream', async () => {
      await write(append('notifications', annsStream, told('a')));
      expect(
        await commitReasons(
          [append('notifications', annsStream, told('b')), append('notifications', annsStream, told('a'))],
          [append('notifications', '/user/bob/queue/notifications', told('a', 'bob'))],
          [append('notifications', annsStream, { ...told('c'), created_at: Number.NaN })],
          [append('notifications', annsStream, told('d'))],
        ),
      ).toEqual(['CONSTRAINT', 'CONSTRAINT', 'CONSTRAINT', null]);
      const rows = await query({ name: 'notificationsAfter', args: { userId: 'ann', after: 0, limit: 9 } });
      expect(rows.map(({ seq, notification_id }) => [seq, notification_id])).toEqual([
        [1, 'a'],
        [2, 'd'],
      ]);
      const bobs = { stream: '/user/bob/queue/notifications', userId: 'bob' };
      expect(await query({ name: 'notificationsHead', args: bobs })).toEqual([]);
    });

    it('[STORE38] ten thousand appends to as many streams are one transaction', async () => {
      const users = Array.from({ length: 10_000 }, (_, index) => `u${index}`);
      await write(
        ...users.map((user) =>
          append('notifications', `/user/${user}/queue/notifications`, told(user, user)),
        ),
      );
      const newest = users.at(-1) ?? '';
      const rows = await query({ name: 'notifications', args: { userId: newest, unread: 1, limit: 9 } });
      expect(rows).toEqual([notification({ notification_id: newest, user_id: newest })]);
    });

    it('[STORE39] trim_inventory removes the changes of one stream up to a seq; the next one goes on', async () => {
      for (const name of ['s', 'other']) {
        const row = inventoryChange({ stream: name });
        await write(...[1, 2, 3].map(() => append('inventory_changes', name, row)));
      }
      await write(
        { op: 'trim_inventory', stream: 's', upto: 2 },
        { op: 'trim_inventory', stream: 'no', upto: 9 },
      );
      expect(await changes('s')).toEqual(['3 p1']);
      expect(await changes('other')).toHaveLength(3);
      expect(await inventoryHead('s')).toEqual([{ epoch: 'e1', oldest: 3, newest: 3 }]);
      await write({ op: 'trim_inventory', stream: 's', upto: Infinity });
      expect(await inventoryHead('s')).toEqual([{ epoch: 'e1', oldest: 4, newest: 3 }]);
      await write(append('inventory_changes', 's', inventoryChange({ stream: 's' })));
      expect(await inventoryHead('s')).toEqual([{ epoch: 'e1', oldest: 4, newest: 4 }]);
    });
  });

  describe('notifications and queues', () => {
    it('[STORE40] the head of notifications tells what is kept of a user and how far the stream has come', async () => {
      const head = () => query({ name: 'notificationsHead', args: { stream: annsStream, userId: 'ann' } });
      await write(...['a', 'b', 'c'].map((id) => append('notifications', annsStream, told(id))));
      expect(await head()).toEqual([{ epoch: 'e1', oldest: 1, newest: 3 }]);
      await write(
        remove('notifications', { notification_id: 'a' }),
        remove('notifications', { notification_id: 'c' }),
      );
      expect(await head()).toEqual([{ epoch: 'e1', oldest: 2, newest: 3 }]);
      await write(remove('notifications', { notification_id: 'b' }));
      expect(await head()).toEqual([{ epoch: 'e1', oldest: 4, newest: 3 }]);
    });

    it('[STORE41] notifications come newest first, only unread ones when asked, at most as many as asked', async () => {
      await write(
        ...[1, 2, 3, 4, 5].map((seq) =>
          insert('notifications', notification({ seq, is_read: seq % 2 === 0, created_at: noon - seq })),
        ),
        insert('notifications', notification({ notification_id: 'bobs', user_id: 'bob', seq: 9 })),
      );
      const ask = async (unread: 0 | 1, limit: number) =>
        ids(await query({ name: 'notifications', args: { userId: 'ann', unread, limit } }));
      expect(await ask(0, 9)).toEqual(['n5', 'n4', 'n3', 'n2', 'n1']);
      expect(await ask(1, 9)).toEqual(['n5', 'n3', 'n1']);
      expect(await ask(0, 2)).toEqual(['n5', 'n4']);
      expect(await ask(1, 2)).toEqual(['n5', 'n3']);
      expect(await ask(0, 0)).toEqual([]);
      expect(await ask(1, -1)).toEqual([]);
      await write(upsert('notifications', notification({ seq: 5, is_read: true, read_at: noon })));
      expect(await ask(1, 9)).toEqual(['n3', 'n1']);
      const after = { userId: 'ann', after: 2, limit: 2 };
      expect(ids(await query({ name: 'notificationsAfter', args: after }))).toEqual(['n3', 'n4']);
    });

    it('[STORE41] a notification is found by its own user only', async () => {
      await write(insert('notifications', notification()));
      const found = async (userId: string) =>
        (await query({ name: 'notification', args: { userId, notificationId: 'n1' } })).length;
      expect([await found('ann'), await found('bob')]).toEqual([1, 0]);
    });

    it('[STORE44] a queue gives its messages by position, and tells how many and how large they are', async () => {
      const head = (queue: string) => query({ name: 'queueHead', args: { queue } });
      expect(await head('jobs')).toEqual([{ count: 0, bytes: 0, newest: 0 }]);
      await write(
        ...[5, 3, 4].map((position) =>
          insert('queue_messages', queueMessage({ position, body: Buffer.alloc(position * 1000) })),
        ),
        insert('queue_messages', queueMessage({ queue: 'mail', message_id: 'm', position: 9 })),
      );
      expect(await head('jobs')).toEqual([{ count: 3, bytes: 12_000, newest: 5 }]);
      const positions = async (after: number, limit: number) => {
        const rows = await query({ name: 'queueMessagesAfter', args: { queue: 'jobs', after, limit } });
        return rows.map(({ position }) => position);
      };
      expect(await positions(-Infinity, 9)).toEqual([3, 4, 5]);
      expect(await positions(3, 1)).toEqual([4]);
      expect(await positions(5, 9)).toEqual([]);
      await write(remove('queue_messages', { message_id: 'q5' }));
      expect(await head('jobs')).toEqual([{ count: 2, bytes: 7_000, newest: 4 }]);
    });
  });
}
