// Random writes of every kind for tests against a model: few values, so that writes meet.
import fc from 'fast-check';
import type { AppendedName, Transaction, Write } from '../../src/storage/storage.ts';
import type { TableName } from '../../src/storage/tables.ts';
import { document, order } from './domain-rows.ts';
import { roomId, rooms, rows, seq, thing, things, time, topic, topics, user, users } from './model-rows.ts';
import { append, insert, member, remove, room, topic as topicRow, upsert } from './rows.ts';

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

/** Writes of many rows. */
const sweeps = {
  markRead: fc
    .record({ roomId, readerId: user, after: seq, upto: seq, at: time })
    .map((args): Write => ({ op: 'mark_read', ...args })),
  trimTopic: fc.record({ topic, upto: seq }).map((args): Write => ({ op: 'trim_topic', ...args })),
  trimInventory: fc
    .record({ stream: topic, upto: bound })
    .map((args): Write => ({ op: 'trim_inventory', ...args })),
  trimDocument: fc
    .record({ docId: thing, operationsBefore: bound, snapshotsBefore: bound })
    .map((args): Write => ({ op: 'trim_document', ...args })),
  expire: fc
    .record({ keysBefore: timeBound, topicsBefore: timeBound })
    .map((args): Write => ({ op: 'expire', ...args })),
};

/** Of any table. */
export const write: fc.Arbitrary<Write> = fc.oneof(
  ...(Object.keys(weights) as TableName[]).map((table) => ({
    weight: weights[table],
    arbitrary: rowWrite(table),
  })),
  { weight: 5, arbitrary: appended('notifications') },
  { weight: 4, arbitrary: appended('inventory_changes') },
  { weight: 2, arbitrary: sweeps.markRead },
  ...[sweeps.trimTopic, sweeps.trimInventory, sweeps.trimDocument, sweeps.expire].map((arbitrary) => ({
    weight: 1,
    arbitrary,
  })),
);

const rowWrites = (...tables: TableName[]) => tables.map(rowWrite);

/** Of tables that have to do with one another, so that most writes meet. */
export const relatedWrites: readonly fc.Arbitrary<Write>[] = [
  fc.oneof(
    ...rowWrites('chat_rooms', 'chat_room_members', 'chat_messages', 'chat_messages', 'chat_messages'),
    sweeps.markRead,
  ),
  fc.oneof(...rowWrites('topics', 'topic_messages', 'topic_messages'), sweeps.trimTopic, sweeps.expire),
  fc.oneof(...rowWrites('notifications', 'streams'), appended('notifications')),
  fc.oneof(
    ...rowWrites('inventory_changes', 'streams'),
    appended('inventory_changes'),
    appended('notifications'),
    sweeps.trimInventory,
  ),
  fc.oneof(...rowWrites('orders', 'order_changes', 'order_changes')),
  fc.oneof(...rowWrites('documents', 'document_operations', 'document_snapshots'), sweeps.trimDocument),
  rowWrite('queue_messages'),
  fc.oneof(...rowWrites('idempotency_keys', 'command_answers'), sweeps.expire),
];

// What most other rows refer to, so that random ones find it: unless a write takes it away again.
export const parents: Transaction = [
  ...rooms.map((room_id) => insert('chat_rooms', room({ room_id }))),
  ...rooms.flatMap((room_id) =>
    users.map((user_id) => insert('chat_room_members', member({ room_id, user_id }))),
  ),
  ...topics.map((name) => insert('topics', topicRow({ topic: name }))),
  ...things.map((order_id) => insert('orders', order({ order_id }))),
  ...things.map((doc_id) => insert('documents', document({ doc_id }))),
];

export const boundsOfQueries = fc.record({
  before: bound,
  after: bound,
  since: timeBound,
  afterRoom: fc.constantFrom('', ...rooms),
  limit: fc.integer({ min: -1, max: 5 }),
});
