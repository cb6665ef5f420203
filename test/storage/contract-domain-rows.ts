// Contract of stores: single rows of the domains' tables, their keys, places and references.
import { describe, expect, it } from 'vitest';
import type { Query, Write } from '../../src/storage/storage.ts';
import type { TableName, Tables } from '../../src/storage/tables.ts';
import type { Fixture } from './contract-fixture.ts';
import {
  ack,
  actorSnapshot,
  annsStream,
  answer,
  document,
  inventoryChange,
  lastSeen,
  notification,
  operation,
  order,
  orderChange,
  portfolio,
  price,
  product,
  queueMessage,
  snapshot,
  stream,
} from './domain-rows.ts';
import { insert, noon, remove, upsert } from './rows.ts';

const page = { after: -1, limit: 9 };

/** One row of a table, how it is written, and the query that gives it back. */
interface Sample {
  readonly write: (make: typeof upsert) => Write;
  readonly query: Query;
  readonly row: object;
}

const sample = <Name extends TableName>(table: Name, row: Tables[Name], query: Query): Sample => ({
  write: (make) => make(table, row),
  query,
  row,
});

const moved = { estimated_delivery: noon + 5, current_location: 'Köln' };
const body = Buffer.from([0, 255, 128]);
const key = { actor: 'order/o1', command: 'create', userId: 'ann', idempotencyKey: 'k1' };

/** Columns that can be empty are filled here; the rows of the same keys in domain-rows.ts leave them empty. */
const samples: readonly Sample[] = [
  sample('orders', order({ ...moved, updated_at: noon + 1, version: 2 }), {
    name: 'order',
    args: { orderId: 'o1' },
  }),
  sample('order_changes', orderChange({ ...moved, version: 2, changed_at: noon + 1 }), {
    name: 'orderChanges',
    args: { orderId: 'o1', limit: 9 },
  }),
  sample('notifications', notification({ reference_id: 'o1', is_read: true, read_at: noon + 1, seq: 7 }), {
    name: 'notification',
    args: { userId: 'ann', notificationId: 'n7' },
  }),
  sample('products', product({ name: 'Lamp', quantity: 0, version: 3 }), {
    name: 'product',
    args: { productId: 'p1' },
  }),
  sample('inventory_changes', inventoryChange({ urgent: true, seq: 7, quantity: 0, version: 3 }), {
    name: 'inventoryChangesAfter',
    args: { stream: '/topic/inventory', ...page },
  }),
  sample('prices', price(), { name: 'prices', args: {} }),
  sample('portfolios', portfolio(), { name: 'portfolio', args: { userId: 'ann' } }),
  sample('last_seen', lastSeen(), { name: 'lastSeen', args: { userId: 'ann' } }),
  sample('documents', document(), { name: 'document', args: { docId: 'd1' } }),
  sample('document_operations', operation({ revision: 4, base_revision: 2, undoes: 3, is_undone: true }), {
    name: 'documentOperationsAfter',
    args: { docId: 'd1', ...page },
  }),
  sample('document_snapshots', snapshot({ revision: 3, content: 'a\u{1F600}' }), {
    name: 'documentSnapshot',
    args: { docId: 'd1', before: Infinity },
  }),
  sample('queue_messages', queueMessage({ headers: '{"a":"b"}', body, is_text: false, tries: 4 }), {
    name: 'queueMessagesAfter',
    args: { queue: 'jobs', ...page },
  }),
  sample('replay_acks', ack(), { name: 'replayAcks', args: { userId: 'ann' } }),
  sample('actor_snapshots', actorSnapshot(), { name: 'actorSnapshot', args: { actor: 'room/lobby' } }),
  sample('command_answers', answer(), { name: 'commandAnswer', args: key }),
];

export function domainRowRules({ write, commitReasons, query }: Fixture): void {
  const revisions = async (docId: string) => {
    const rows = await query({ name: 'documentOperationsAfter', args: { docId, ...page } });
    return rows.map(({ revision }) => revision);
  };

  describe('rows of the domains', () => {
    it('[STORE1] gives every column of every table back as it was', async () => {
      await write(...samples.map((each) => each.write(insert)));
      for (const each of samples) expect(await query(each.query), each.query.name).toEqual([each.row]);
      await write(insert('streams', stream({ stream: annsStream, epoch: 'e9', seq: 7 })));
      const head = await query({ name: 'notificationsHead', args: { stream: annsStream, userId: 'ann' } });
      expect(head).toEqual([{ epoch: 'e9', oldest: 7, newest: 7 }]);
    });

    it('[STORE2] [STORE3] an insert with a key that is there is refused, an upsert replaces the row', async () => {
      const first: Write[] = [
        insert('orders', order()),
        insert('order_changes', orderChange({ version: 2 })),
        insert('notifications', notification({ notification_id: 'n7' })),
        insert('products', product()),
        insert('inventory_changes', inventoryChange({ seq: 7 })),
        insert('prices', price({ price: '1' })),
        insert('portfolios', portfolio({ holdings: '[]' })),
        insert('last_seen', lastSeen({ last_seen: noon - 1 })),
        insert('documents', document({ epoch: 'e0' })),
        insert('document_operations', operation({ revision: 4 })),
        insert('document_snapshots', snapshot({ revision: 3 })),
        insert('queue_messages', queueMessage()),
        insert('replay_acks', ack({ ranges: '[]' })),
        insert('actor_snapshots', actorSnapshot({ body: Buffer.from('old') })),
        insert('command_answers', answer({ answer: '{}' })),
        insert('streams', stream()),
      ];
      await write(...first);
      expect(await commitReasons(...first.map((one) => [one]))).toEqual(first.map(() => 'CONSTRAINT'));
      await write(...samples.map((each) => each.write(upsert)));
      for (const each of samples) expect(await query(each.query), each.query.name).toEqual([each.row]);
    });

    it('[STORE3] an upsert of an order or a document leaves what belongs to it', async () => {
      await write(...samples.map((each) => each.write(insert)));
      await write(upsert('orders', order()), upsert('documents', document({ epoch: 'e2' })));
      expect(await query({ name: 'orderChanges', args: { orderId: 'o1', limit: 9 } })).toHaveLength(1);
      expect(await revisions('d1')).toEqual([4]);
      expect(await query({ name: 'documentSnapshot', args: { docId: 'd1', before: Infinity } })).toHaveLength(
        1,
      );
    });

    it('[STORE4] a delete removes the row with that key and no other', async () => {
      await write(
        insert('queue_messages', queueMessage()),
        insert('queue_messages', queueMessage({ position: 2 })),
        insert('portfolios', portfolio()),
        remove('queue_messages', { message_id: 'q1' }),
        remove('queue_messages', { message_id: 'none' }),
        remove('portfolios', { user_id: 'ann' }),
      );
      const left = await query({ name: 'queueMessagesAfter', args: { queue: 'jobs', ...page } });
      expect(left).toEqual([queueMessage({ position: 2 })]);
      expect(await query({ name: 'portfolio', args: { userId: 'ann' } })).toEqual([]);
      expect(await commitReasons([remove('order_changes', { order_id: 'o1' })])).toEqual(['CONSTRAINT']);
    });

    it('[STORE5] what refers to an order or a document that is not there is refused', async () => {
      const strays = [
        insert('order_changes', orderChange()),
        upsert('order_changes', orderChange()),
        insert('document_operations', operation()),
        upsert('document_snapshots', snapshot()),
      ];
      expect(await commitReasons(...strays.map((one) => [one]))).toEqual(strays.map(() => 'CONSTRAINT'));
      await write(
        insert('queue_messages', queueMessage()),
        insert('replay_acks', ack({ room_id: 'none' })),
        insert('inventory_changes', inventoryChange({ product_id: 'none' })),
      );
    });

    it('[STORE5] rows go with their order and their document, and no others do', async () => {
      for (const id of ['o1', 'o2']) {
        await write(
          insert('orders', order({ order_id: id })),
          insert('order_changes', orderChange({ order_id: id })),
        );
      }
      for (const id of ['d1', 'd2']) {
        await write(
          insert('documents', document({ doc_id: id })),
          insert('document_operations', operation({ doc_id: id })),
          insert('document_snapshots', snapshot({ doc_id: id })),
        );
      }
      await write(remove('orders', { order_id: 'o1' }), remove('documents', { doc_id: 'd1' }));
      await write(insert('orders', order()), insert('documents', document()));
      const counts = async (orderId: string, docId: string) => [
        (await query({ name: 'orderChanges', args: { orderId, limit: 9 } })).length,
        (await revisions(docId)).length,
        (await query({ name: 'documentSnapshot', args: { docId, before: Infinity } })).length,
      ];
      expect(await counts('o1', 'd1')).toEqual([0, 0, 0]);
      expect(await counts('o2', 'd2')).toEqual([1, 1, 1]);
    });

    it("[STORE6] a place is taken once: a seq for a user, a position in a queue; another's is free", async () => {
      await write(insert('notifications', notification()), insert('queue_messages', queueMessage()));
      expect(
        await commitReasons(
          [insert('notifications', notification({ notification_id: 'other' }))],
          [upsert('notifications', notification({ notification_id: 'other' }))],
          [insert('notifications', notification({ notification_id: 'other', user_id: 'bob' }))],
          [insert('queue_messages', queueMessage({ message_id: 'other' }))],
          [upsert('queue_messages', queueMessage({ message_id: 'other' }))],
          [insert('queue_messages', queueMessage({ message_id: 'other', queue: 'mail' }))],
        ),
      ).toEqual(['CONSTRAINT', 'CONSTRAINT', null, 'CONSTRAINT', 'CONSTRAINT', null]);
    });

    it('[STORE47] changes of an order come newest first, products by id, prices by symbol', async () => {
      const sorted = ['A', 'Z', 'a', '\uFF5E', '\u{1F600}'];
      await write(
        insert('orders', order()),
        insert('orders', order({ order_id: 'o2' })),
        insert('order_changes', orderChange({ order_id: 'o2', version: 9 })),
        ...[2, 1, 3].map((version) => insert('order_changes', orderChange({ version }))),
        ...sorted.toReversed().map((product_id) => insert('products', product({ product_id }))),
        ...sorted.toReversed().map((symbol) => upsert('prices', price({ symbol }))),
      );
      const versions = async (limit: number) => {
        const rows = await query({ name: 'orderChanges', args: { orderId: 'o1', limit } });
        return rows.map(({ version }) => version);
      };
      expect([await versions(9), await versions(2), await versions(0)]).toEqual([[3, 2, 1], [3, 2], []]);
      const products = async (after: string, limit: number) => {
        const rows = await query({ name: 'products', args: { after, limit } });
        return rows.map(({ product_id }) => product_id);
      };
      expect(await products('', 99)).toEqual(sorted);
      expect(await products('Z', 2)).toEqual(['a', '\uFF5E']);
      expect(await products('\u{1F600}', 9)).toEqual([]);
      expect((await query({ name: 'prices', args: {} })).map(({ symbol }) => symbol)).toEqual(sorted);
    });
  });
}
