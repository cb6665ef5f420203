// The same random writes into both stores: the same outcomes, and the same rows from every query.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../../src/storage/memory/memory.ts';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import type { AppendedName, Storage, Transaction, Write } from '../../src/storage/storage.ts';
import type { TableName } from '../../src/storage/tables.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { everyQuery } from './model-queries.ts';
import { roomId, rooms, rows, seq, thing, things, time, topic, topics, user, users } from './model-rows.ts';
import { document, order } from './domain-rows.ts';
import { append, insert, member, reasons, remove, room, topic as topicRow, upsert } from './rows.ts';

removeFilesAfterwards();

const timeBound = fc.oneof(time, fc.constantFrom(-Infinity, Infinity));
const bound = fc.oneof(fc.integer({ min: -1, max: 8 }), fc.constantFrom(-Infinity, Infinity));

const rowWrite = (table: TableName): fc.Arbitrary<Write> =>
  fc
    .tuple(fc.constantFrom(insert, insert, insert, upsert, upsert, remove), rows[table])
    .map(([make, row]) => make(table, row));

const appended = (table: AppendedName): fc.Arbitrary<Write> =>
  fc
    .tuple(topic, fc.constantFrom('e1', '\uD800'), rows[table])
    .map(([stream, epoch, row]) => append(table, stream, row, epoch));

/** How often the rows of a table are written, of about a hundred writes. */
const weights: { readonly [Name in TableName]: number } = {
  chat_rooms: 2,
  chat_room_members: 3,
  chat_messages: 12,
  chat_read_positions: 2,
  topics: 2,
  topic_messages: 6,
  durable_positions: 2,
  idempotency_keys: 4,
  command_answers: 3,
  streams: 1,
  notifications: 4,
  orders: 2,
  order_changes: 4,
  products: 3,
  inventory_changes: 3,
  prices: 2,
  portfolios: 2,
  last_seen: 2,
  documents: 1,
  document_operations: 12,
  document_snapshots: 3,
  queue_messages: 6,
  replay_acks: 2,
  actor_snapshots: 1,
};

const write: fc.Arbitrary<Write> = fc.oneof(
  ...(Object.keys(weights) as TableName[]).map((table) => ({
    weight: weights[table],
    arbitrary: rowWrite(table),
  })),
  { weight: 5, arbitrary: appended('notifications') },
  { weight: 4, arbitrary: appended('inventory_changes') },
  {
    weight: 2,
    arbitrary: fc
      .record({ roomId, readerId: user, after: seq, upto: seq, at: time })
      .map((args) => ({ op: 'mark_read' as const, ...args })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ topic, upto: seq }).map((args) => ({ op: 'trim_topic' as const, ...args })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ stream: topic, upto: bound })
      .map((args) => ({ op: 'trim_inventory' as const, ...args })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ docId: thing, operationsBefore: bound, snapshotsBefore: bound })
      .map((args) => ({ op: 'trim_document' as const, ...args })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ keysBefore: timeBound, topicsBefore: timeBound })
      .map((args) => ({ op: 'expire' as const, ...args })),
  },
);

const commits = fc.array(fc.array(fc.array(write, { maxLength: 4 }), { minLength: 4, maxLength: 20 }), {
  minLength: 4,
  maxLength: 10,
});

// What most other rows refer to, so that random ones find it: unless a write takes it away again.
const parents: Transaction = [
  ...rooms.map((room_id) => insert('chat_rooms', room({ room_id }))),
  ...rooms.flatMap((room_id) =>
    users.map((user_id) => insert('chat_room_members', member({ room_id, user_id }))),
  ),
  ...topics.map((name) => insert('topics', topicRow({ topic: name }))),
  ...things.map((order_id) => insert('orders', order({ order_id }))),
  ...things.map((doc_id) => insert('documents', document({ doc_id }))),
];

const boundsOfQueries = fc.record({
  before: bound,
  after: bound,
  since: timeBound,
  afterRoom: fc.constantFrom('', ...rooms),
  limit: fc.integer({ min: -1, max: 5 }),
});

async function commitReasons(
  storage: Storage,
  transactions: readonly Transaction[],
): Promise<(string | null)[]> {
  return reasons(await storage.commit(transactions));
}

describe('memory and SQLite', () => {
  it('[STORE35] do the same with any writes', async () => {
    const property = fc.asyncProperty(commits, boundsOfQueries, async (batches, bounds) => {
      const memory = openMemory();
      const sqlite = openSqlite({ file: newDatabase() });
      try {
        for (const batch of [[parents], ...batches]) {
          expect(await commitReasons(memory, batch)).toEqual(await commitReasons(sqlite, batch));
        }
        for (const query of everyQuery(bounds)) {
          expect(await memory.query(query), query.name).toEqual(await sqlite.query(query));
        }
      } finally {
        await memory.close();
        await sqlite.close();
      }
    });
    await fc.assert(property, { seed: 2_024_0501, numRuns: 100 });
  });
});
