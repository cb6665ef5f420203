// The order in which MySQL is given the writes of a commit: in few batches, and nobody can tell the difference.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openMemory } from '../../src/storage/memory/memory.ts';
import { planWrites } from '../../src/storage/mysql/plan.ts';
import type { Outcome, Query, Write } from '../../src/storage/storage.ts';
import { inventoryChange, notification, order, orderChange, queueMessage } from './domain-rows.ts';
import { everyQuery } from './model-queries.ts';
import { parents, relatedWrites, write } from './model-writes.ts';
import { append, insert, key, message, position, remove, room, upsert } from './rows.ts';

const queries = everyQuery({ before: Infinity, after: -1, since: -Infinity, afterRoom: '', limit: 100 });

/** What becomes of writes made as one transaction after others, and what every query then gives. */
async function madeOf(before: readonly Write[], writes: readonly Write[]): Promise<[Outcome, unknown[]]> {
  const memory = openMemory();
  await memory.commit([parents, ...before.map((one) => [one])]);
  const [outcome = null] = await memory.commit([writes]);
  const rows = await Promise.all(queries.map((query: Query) => memory.query(query)));
  return [outcome, rows];
}

describe('a plan', () => {
  test('[STORE60] does what the writes do in their own order, or is refused', async () => {
    const related = fc.constantFrom(...relatedWrites, write).chain((some) =>
      fc.record({
        before: fc.array(some, { maxLength: 20 }),
        writes: fc.array(some, { minLength: 2, maxLength: 8 }),
      }),
    );
    let moved = 0;
    const property = fc.asyncProperty(related, async ({ before, writes }) => {
      const planned = planWrites(writes).flat();
      expect([planned.length, new Set(planned)]).toEqual([writes.length, new Set(writes)]);
      const [outcome, rows] = await madeOf(before, planned);
      if (outcome !== null) return;
      expect([outcome, rows]).toEqual(await madeOf(before, writes));
      if (planned.some((one, index) => one !== writes[index])) moved += 1;
    });
    await fc.assert(property, { seed: 2_024_0501, numRuns: 3_000 });
    // The most of the others are refused in their own order, too.
    expect(moved).toBeGreaterThan(150);
  });

  const kinds = (writes: readonly Write[]) =>
    planWrites(writes).map((batch) => {
      const [first] = batch;
      return `${first.op}${'table' in first ? ` ${first.table}` : ''} ${batch.length}`;
    });
  const each = <Made>(count: number, make: (number: number) => Made[]): Made[] =>
    Array.from({ length: count }, (_, index) => make(index + 1)).flat();

  test('[STORE60] has one batch for messages of many rooms and one for their keys', () => {
    const writes = each(50, (seq) => [
      insert('chat_messages', message({ seq, room_id: `r${seq % 7}` })),
      insert('idempotency_keys', key({ idempotency_key: `k${seq}` })),
    ]);
    expect(kinds(writes)).toEqual(['insert chat_messages 50', 'insert idempotency_keys 50']);
  });

  test('[STORE60] keeps orders that are made apart from those that change, and what belongs to them behind', () => {
    const writes = each(20, (number) => [
      insert('orders', order({ order_id: `new${number}` })),
      insert('order_changes', orderChange({ order_id: `new${number}` })),
      upsert('orders', order({ order_id: `old${number}` })),
      insert('order_changes', orderChange({ order_id: `old${number}` })),
      append('notifications', '/user/ann', notification({ notification_id: `n${number}` })),
    ]);
    expect(kinds(writes)).toEqual([
      'insert orders 20',
      'insert order_changes 1',
      'upsert orders 20',
      'insert order_changes 39',
      'append notifications 20',
    ]);
  });

  test('[STORE60] lets messages of queues come and go in a few batches', () => {
    const writes = each(20, (number) => [
      remove('queue_messages', { message_id: `old${number}` }),
      insert('queue_messages', queueMessage({ message_id: `new${number}`, position: number })),
      upsert('queue_messages', queueMessage({ message_id: `again${number}`, position: 100 + number })),
    ]);
    expect(kinds(writes).length).toBeLessThan(8);
  });

  test('[STORE60] has one batch for readers of many rooms and one for their positions', () => {
    const writes = each(20, (number): Write[] => {
      const roomId = `r${number}`;
      return [
        { op: 'mark_read', roomId, readerId: 'ann', after: 0, upto: 9, at: 0 },
        upsert('chat_read_positions', position({ room_id: roomId })),
      ];
    });
    expect(kinds(writes)).toEqual(['mark_read 20', 'upsert chat_read_positions 20']);
  });

  test('[STORE60] never lets a write overtake one that it depends on', () => {
    const ordered: Write[][] = [
      [
        insert('chat_messages', message()),
        insert('chat_rooms', room()),
        insert('chat_messages', message()),
        { op: 'mark_read', roomId: 'lobby', readerId: 'ann', after: 0, upto: 9, at: 0 },
        insert('chat_messages', message({ seq: 2 })),
        remove('chat_messages', { message_id: 'm1' }),
        insert('chat_messages', message()),
      ],
      [
        append('inventory_changes', 's', inventoryChange({ stream: 's' })),
        { op: 'trim_inventory', stream: 's', upto: 9 },
        append('inventory_changes', 's', inventoryChange({ stream: 's' })),
      ],
      // The last one may remove the row that the one before it makes.
      [
        remove('inventory_changes', { stream: 's', seq: 1 }),
        append('inventory_changes', 's', inventoryChange({ stream: 's' })),
        remove('inventory_changes', { stream: 's', seq: 1 }),
      ],
      // The one before the last may be refused for a place or a key that the last one gives up.
      [
        remove('queue_messages', { message_id: 'q1' }),
        insert('queue_messages', queueMessage({ message_id: 'q2' })),
        remove('queue_messages', { message_id: 'q3' }),
      ],
      [
        remove('chat_rooms', { room_id: 'one' }),
        insert('chat_messages', message()),
        remove('chat_rooms', { room_id: 'two' }),
      ],
    ];
    for (const writes of ordered) expect(planWrites(writes).flat()).toEqual(writes);
  });
});
