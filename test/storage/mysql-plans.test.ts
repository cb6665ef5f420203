// How many rows the servers read for each query: no table grows so large that a query of one room, user or document slows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { Connection } from '../../src/storage/mysql/connection.ts';
import { defaultLimits } from '../../src/storage/mysql/limits.ts';
import { parseMysqlUrl } from '../../src/storage/mysql/location.ts';
import { runQuery } from '../../src/storage/mysql/queries.ts';
import { sessionSettings } from '../../src/storage/mysql/session-settings.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Query, Write } from '../../src/storage/storage.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import {
  answer,
  document,
  inventoryChange,
  notification,
  operation,
  order,
  orderChange,
  product,
  queueMessage,
  snapshot,
  stream,
} from './domain-rows.ts';
import { emptyDatabases } from './mysql-database.ts';
import { insert, key, member, message, noon, position, room, topic, topicMessage } from './rows.ts';

const many = 3_000;
const rooms = 150;

const each = (count: number, make: (seq: number) => Write[]): Write[] =>
  Array.from({ length: count }, (_, index) => make(index + 1)).flat();

/** Few of what is asked for, many of what lies beside it: in the same room, and in others. */
const filling: Write[] = [
  insert('topics', topic()),
  insert('documents', document()),
  insert('documents', document({ doc_id: 'other' })),
  insert('orders', order()),
  insert('streams', stream({ stream: 'n', seq: many })),
  ...each(rooms, (number) => [
    insert('chat_rooms', room({ room_id: `r${number}` })),
    insert('chat_room_members', member({ room_id: `r${number}` })),
    insert('chat_read_positions', position({ room_id: `r${number}` })),
  ]),
  ...each(many, (seq) => [
    insert('chat_messages', message({ room_id: 'r1', seq, created_at: noon + seq })),
    insert(
      'chat_messages',
      message({
        room_id: `r${1 + (seq % rooms)}`,
        message_id: `o${seq}`,
        seq: many + seq,
        created_at: noon + many + seq,
      }),
    ),
    insert('chat_room_members', member({ room_id: 'r1', user_id: `u${seq}` })),
    insert('topic_messages', topicMessage({ seq })),
    insert('idempotency_keys', key({ idempotency_key: `k${seq}`, created_at: noon + seq })),
    insert('command_answers', answer({ idempotency_key: `k${seq}` })),
    insert('notifications', notification({ notification_id: `n${seq}`, seq, is_read: seq !== 5 })),
    insert('inventory_changes', inventoryChange({ seq })),
    insert('products', product({ product_id: `p${seq}` })),
    insert('order_changes', orderChange({ version: seq })),
    insert(
      'document_operations',
      operation({ revision: seq, user_id: `u${seq % 7}`, is_undone: seq > many - 50 }),
    ),
    insert('document_operations', operation({ doc_id: 'other', revision: seq })),
    insert('queue_messages', queueMessage({ position: seq })),
  ]),
  ...each(20, (number) => [insert('document_snapshots', snapshot({ revision: many - 20 + number }))]),
];

const page = { after: 1_500, limit: 10 };

const asked: Query[] = [
  { name: 'room', args: { roomId: 'r1' } },
  { name: 'roomReadPositions', args: { roomId: 'r1' } },
  { name: 'roomHead', args: { roomId: 'r1' } },
  { name: 'roomMessagesBefore', args: { roomId: 'r1', before: 1_500, limit: 10 } },
  { name: 'roomMessagesBefore', args: { roomId: 'r1', before: Infinity, limit: 10 } },
  { name: 'roomMessagesAfter', args: { roomId: 'r1', ...page } },
  { name: 'roomMessageSeq', args: { roomId: 'r1', messageId: 'm7' } },
  { name: 'roomsOfUser', args: { userId: 'ann' } },
  { name: 'roomsOfUser', args: { userId: 'u7' } },
  { name: 'topicHead', args: { topic: 'news' } },
  { name: 'topicMessagesAfter', args: { topic: 'news', ...page } },
  {
    name: 'idempotencyKey',
    args: { actor: 'room/lobby', command: 'send', userId: 'ann', idempotencyKey: 'k7', since: 0 },
  },
  {
    name: 'commandAnswer',
    args: { actor: 'order/o1', command: 'create', userId: 'ann', idempotencyKey: 'k7' },
  },
  { name: 'notificationsHead', args: { stream: 'n', userId: 'ann' } },
  { name: 'notificationsAfter', args: { userId: 'ann', ...page } },
  { name: 'notifications', args: { userId: 'ann', unread: 0, limit: 10 } },
  { name: 'notifications', args: { userId: 'ann', unread: 1, limit: 10 } },
  { name: 'notification', args: { userId: 'ann', notificationId: 'n7' } },
  { name: 'order', args: { orderId: 'o1' } },
  { name: 'orderChanges', args: { orderId: 'o1', limit: 10 } },
  { name: 'products', args: { after: 'p15', limit: 10 } },
  { name: 'inventoryHead', args: { stream: 'n' } },
  { name: 'inventoryChangesAfter', args: { stream: '/topic/inventory', ...page } },
  { name: 'documentHead', args: { docId: 'd1' } },
  { name: 'documentSnapshot', args: { docId: 'd1', before: Infinity } },
  { name: 'documentTail', args: { docId: 'd1', before: Infinity } },
  { name: 'documentOperationsAfter', args: { docId: 'd1', ...page } },
  { name: 'documentUndo', args: { docId: 'd1', userId: 'u2', since: 0 } },
  { name: 'documentUndo', args: { docId: 'd1', userId: 'nobody', since: many - 20 } },
  { name: 'queueMessagesAfter', args: { queue: 'jobs', ...page } },
  { name: 'roomMessageOfMember', args: { userId: 'ann', roomId: 'r1', messageId: 'm7' } },
  { name: 'missedInRoom', args: { userId: 'ann', roomId: 'r1', ...page } },
  {
    name: 'missedSince',
    args: {
      userId: 'ann',
      roomId: 'r1',
      since: noon + 2 * many - 999,
      afterRoom: '',
      afterSeq: 0,
      limit: 50,
    },
  },
  {
    name: 'missedSince',
    args: { userId: 'u7', roomId: '', since: noon + 2 * many - 999, afterRoom: '', afterSeq: 0, limit: 50 },
  },
];

describe.runIf(runsMysql)('queries of MySQL', () => {
  const emptyDatabase = emptyDatabases(useMariadb());
  let connection: Connection;

  beforeAll(async () => {
    const url = await emptyDatabase();
    const storage = await openStorage(url);
    expect(await storage.commit([filling])).toEqual([null]);
    await storage.close();
    const location = parseMysqlUrl(url);
    connection = await Connection.open({
      location,
      clock: systemClock,
      limits: defaultLimits,
      statementsMax: 100,
      settings: sessionSettings,
    });
    for (const table of ['chat_messages', 'notifications', 'document_operations', 'queue_messages']) {
      await connection.run(`ANALYZE TABLE ${table}`, 10_000);
    }
  });
  afterAll(() => connection.close());

  async function read(): Promise<number> {
    const rows = await connection.run("SHOW SESSION STATUS LIKE 'Handler_read%'", 10_000);
    return rows.reduce((sum, row) => sum + Number(row['Value']), 0);
  }

  it('[STORE61] none reads more than what it gives and a few rows', async () => {
    const wasteful: string[] = [];
    const empty: string[] = [];
    for (const query of asked) {
      const before = await read();
      const rows = await runQuery(connection, query, 10_000);
      const count = (await read()) - before;
      if (count > 4 * rows.length + 25) wasteful.push(`${query.name} read ${count} for ${rows.length}`);
      if (rows.length === 0) empty.push(query.name);
    }
    expect(wasteful).toEqual([]);
    // Each is asked for what is there, but where it must not look for what is not.
    expect(empty).toEqual(['documentUndo']);
  });
});
