// What the longest things that the server takes need of MySQL's columns and keys.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate, openStorage } from '../../src/storage/open.ts';
import type { Storage, Write } from '../../src/storage/storage.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import {
  actorSnapshot,
  answer,
  document,
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
import { durable, insert, key, member, message, room, topic, topicMessage } from './rows.ts';

const mebibyte = 1024 * 1024;

/** So many characters of three bytes, the last of them as given. */
const long = (length: number, end: string) => '\u6587'.repeat(length - 1) + end;

/** One row of each table, with keys as long as the server takes them. */
function longRows(end: string): Write[] {
  const [id, name] = [long(36, end), long(255, end)];
  const user = `/user/${long(36, end)}/queue/notifications`;
  const command = {
    actor: `notifications/${name}`,
    command: 'x'.repeat(32),
    user_id: id,
    idempotency_key: name,
  };
  return [
    insert('chat_rooms', room({ room_id: id, name: long(255, end), created_by: id })),
    insert('chat_room_members', member({ room_id: id, user_id: id })),
    insert(
      'chat_messages',
      message({ message_id: id, room_id: id, sender_id: id, content: 'x'.repeat(8192) }),
    ),
    insert('topics', topic({ topic: name })),
    insert(
      'topic_messages',
      topicMessage({ topic: name, body: Buffer.alloc(mebibyte, 1), headers: 'x'.repeat(99_999) }),
    ),
    insert(
      'durable_positions',
      durable({ user_id: id, name: long(100, end), destination: `/topic/room/${name}` }),
    ),
    insert('idempotency_keys', key(command)),
    insert('command_answers', answer({ ...command, answer: 'x'.repeat(mebibyte) })),
    insert('streams', stream({ stream: user.replaceAll('\u6587', '%2F') })),
    insert(
      'notifications',
      notification({ notification_id: id, user_id: id, type: 'x'.repeat(50), reference_id: id }),
    ),
    insert('orders', order({ order_id: id, user_id: id, status: long(50, end), current_location: name })),
    insert('order_changes', orderChange({ order_id: id, changed_by: id, current_location: name })),
    insert('products', product({ product_id: long(64, end), name, quantity: Number.MAX_SAFE_INTEGER })),
    insert(
      'prices',
      price({ symbol: '\u{1F600}'.repeat(31) + end, price: `${'9'.repeat(20)}.${'9'.repeat(12)}` }),
    ),
    insert('portfolios', portfolio({ user_id: id, holdings: 'x'.repeat(200_000) })),
    insert('documents', document({ doc_id: name })),
    insert('document_operations', operation({ doc_id: name, operation_id: name, user_id: id })),
    insert('queue_messages', queueMessage({ message_id: id, queue: name, body: Buffer.alloc(mebibyte, 1) })),
    insert(
      'actor_snapshots',
      actorSnapshot({ actor: `document/${name}`, body: Buffer.alloc(8 * mebibyte, 1) }),
    ),
  ];
}

describe.runIf(runsMysql)('lengths', () => {
  const server = useMariadb();
  let storage: Storage;

  beforeAll(async () => {
    if (!runsMysql) return;
    const url = await server().newDatabase();
    await migrate(url);
    storage = await openStorage(url);
  });
  afterAll(() => storage?.close());

  it('[STORE59] keys as long as the server takes them are kept whole: the last character tells them apart', async () => {
    for (const write of longRows('a'))
      expect([write, ...(await storage.commit([[write]]))]).toEqual([write, null]);
    for (const write of longRows('b'))
      expect([write, ...(await storage.commit([[write]]))]).toEqual([write, null]);
  });

  it('[STORE59] a document of 4 Mi characters, and the change that removes them all', async () => {
    const content = '\u6587'.repeat(4 * mebibyte);
    const changes = JSON.stringify([[0, content.length, '', content]]);
    const written = await storage.commit([
      [
        insert('documents', document()),
        insert('document_snapshots', snapshot({ content })),
        insert('document_operations', operation({ revision: 1, changes })),
      ],
    ]);
    expect(written).toEqual([null]);
    const [kept] = await storage.query({ name: 'documentSnapshot', args: { docId: 'd1', before: Infinity } });
    expect(kept?.content === content).toBe(true);
    const [tail] = await storage.query({ name: 'documentTail', args: { docId: 'd1', before: Infinity } });
    expect(tail?.changes === changes).toBe(true);
  });
});
