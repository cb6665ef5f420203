// The same random writes into both stores: the same outcomes, and the same rows from every query.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../../src/storage/memory.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Query, Storage, Transaction, Write } from '../../src/storage/storage.ts';
import type { TableName, Tables } from '../../src/storage/tables.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { insert, noon, reasons, remove, upsert } from './rows.ts';

removeFilesAfterwards();

// Few values, so that rows meet. Among them: a NUL, halves of surrogate pairs, and two that sort differently by
// UTF-16 unit and by code point.
const rooms = ['r1', 'R1', 'r\0'];
const users = ['ann', '\uD800', '\uFF5E', '\u{1F600}'];
const topics = ['t1', 't2'];
const names = ['n1', ''];

const text = fc.constantFrom('', 'a', '\'"\\', '\u{1F600}', '\uDC00\0');
const time = fc.integer({ min: -3, max: 3 }).map((offset) => noon + offset);
const maybeTime = fc.option(time);
const bound = fc.oneof(fc.integer({ min: -1, max: 8 }), fc.constantFrom(-Infinity, Infinity));
const timeBound = fc.oneof(time, fc.constantFrom(-Infinity, Infinity));
const seq = fc.integer({ min: 0, max: 6 });
const roomId = fc.constantFrom(...rooms);
const user = fc.constantFrom(...users);
const topic = fc.constantFrom(...topics);
const name = fc.constantFrom(...names);
const messageId = fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5', 'm6');
const limit = fc.integer({ min: -1, max: 5 });

const rows: { readonly [Name in TableName]: fc.Arbitrary<Tables[Name]> } = {
  chat_rooms: fc.record({
    room_id: roomId,
    name: text,
    created_by: user,
    is_private: fc.boolean(),
    created_at: time,
    updated_at: maybeTime,
    epoch: text,
  }),
  chat_room_members: fc.record({ room_id: roomId, user_id: user, role: text, joined_at: time }),
  chat_messages: fc.record({
    message_id: messageId,
    room_id: roomId,
    sender_id: user,
    content: text,
    message_type: text,
    status: fc.constantFrom('SENT', 'READ'),
    created_at: time,
    updated_at: maybeTime,
    seq,
  }),
  chat_read_positions: fc.record({ room_id: roomId, user_id: user, seq, read_at: time }),
  topics: fc.record({ topic, epoch: text, created_at: time }),
  topic_messages: fc.record({
    topic,
    seq,
    sender_id: user,
    headers: fc.option(text),
    body: fc.uint8Array({ maxLength: 4 }),
    is_text: fc.boolean(),
    created_at: time,
  }),
  durable_positions: fc.record({
    user_id: user,
    name,
    destination: topic,
    epoch: text,
    seq,
    updated_at: time,
  }),
  idempotency_keys: fc.record({
    actor: roomId,
    command: name,
    user_id: user,
    idempotency_key: name,
    created_at: fc.oneof({ weight: 20, arbitrary: time }, { weight: 1, arbitrary: fc.constant(Number.NaN) }),
  }),
};

const rowWrite = (table: TableName): fc.Arbitrary<Write> =>
  fc
    .tuple(fc.constantFrom(insert, insert, insert, upsert, upsert, remove), rows[table])
    .map(([make, row]) => make(table, row));

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 4, arbitrary: rowWrite('chat_rooms') },
  { weight: 3, arbitrary: rowWrite('chat_room_members') },
  { weight: 8, arbitrary: rowWrite('chat_messages') },
  { weight: 2, arbitrary: rowWrite('chat_read_positions') },
  { weight: 3, arbitrary: rowWrite('topics') },
  { weight: 6, arbitrary: rowWrite('topic_messages') },
  { weight: 2, arbitrary: rowWrite('durable_positions') },
  { weight: 4, arbitrary: rowWrite('idempotency_keys') },
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
      .record({ keysBefore: timeBound, topicsBefore: timeBound })
      .map((args) => ({ op: 'expire' as const, ...args })),
  },
);

const commits = fc.array(fc.array(fc.array(write, { maxLength: 4 }), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 12,
});

const boundsOfQueries = fc.record({ before: bound, after: bound, since: timeBound, limit });

function everyQuery(bounds: { before: number; after: number; since: number; limit: number }): Query[] {
  const { before, after, since, limit: most } = bounds;
  const queries: Query[] = [];
  for (const room of rooms) {
    queries.push(
      { name: 'room', args: { roomId: room } },
      { name: 'roomMembers', args: { roomId: room } },
      { name: 'roomReadPositions', args: { roomId: room } },
      { name: 'roomHead', args: { roomId: room } },
      { name: 'roomMessagesBefore', args: { roomId: room, before, limit: most } },
      { name: 'roomMessagesAfter', args: { roomId: room, after, limit: most } },
      { name: 'roomMessagesAfter', args: { roomId: room, after: -1, limit: 100 } },
      { name: 'roomMessageSeq', args: { roomId: room, messageId: 'm1' } },
      { name: 'idempotencyKeys', args: { actor: room, since, limit: most } },
      { name: 'idempotencyKeys', args: { actor: room, since: -Infinity, limit: 100 } },
      {
        name: 'idempotencyKey',
        args: { actor: room, command: '', userId: 'ann', idempotencyKey: 'n1', since },
      },
    );
  }
  for (const userId of users) {
    queries.push(
      { name: 'roomsOfUser', args: { userId } },
      { name: 'durablePosition', args: { userId, name: 'n1', destination: 't1' } },
    );
  }
  for (const each of topics) {
    queries.push(
      { name: 'topicHead', args: { topic: each } },
      { name: 'topicMessagesAfter', args: { topic: each, after, limit: most } },
      { name: 'topicMessagesAfter', args: { topic: each, after: -1, limit: 100 } },
    );
  }
  return queries;
}

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
        for (const batch of batches) {
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
    await fc.assert(property, { seed: 2_024_0501, numRuns: 200 });
  });
});
