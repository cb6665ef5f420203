// Stagewire's own columns of the reference's tables, exact ids, and its tables for rooms, topics and commands.
//
// The reference's application may go on reading. It may also go on making rooms and members: a room that it inserts
// gets an epoch by default. Its messages and notifications are refused from now on, as `seq` has no default: the actor
// of a room numbers its messages, and a row that it doesn't know of would be shown to nobody and later collide.
import type { FoundSchema } from '../found-schema.ts';
import { assertFree, dropReferencesToRooms, exact, exactIds, referenceToRooms } from './identity.ts';
import { tableUnless, type MysqlMigration, type TableDefinition } from './migration.ts';

// Lengths hold what the server takes: ids of 36 characters, names of topics, documents and queues of 255, actors of
// `kind/` and such a name, destinations of a name and the words around it. All keys stay below the 3,072 bytes that an
// index may have, at 4 bytes per character.
const tables: readonly TableDefinition[] = [
  {
    name: 'chat_read_positions',
    columns: {
      room_id: 'VARCHAR(36) NOT NULL',
      user_id: 'VARCHAR(36) NOT NULL',
      seq: 'BIGINT NOT NULL',
      read_at: 'DATETIME(6) NOT NULL',
    },
    keys: [
      'PRIMARY KEY (room_id, user_id)',
      'CONSTRAINT chat_read_positions_ibfk_1 FOREIGN KEY (room_id) REFERENCES chat_rooms (room_id) ON DELETE CASCADE',
    ],
  },
  {
    name: 'topics',
    columns: {
      topic: 'VARCHAR(255) NOT NULL',
      epoch: 'VARCHAR(64) NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (topic)'],
  },
  {
    name: 'topic_messages',
    columns: {
      topic: 'VARCHAR(255) NOT NULL',
      seq: 'BIGINT NOT NULL',
      sender_id: 'VARCHAR(36) NOT NULL',
      headers: 'MEDIUMTEXT',
      body: 'MEDIUMBLOB NOT NULL',
      is_text: 'TINYINT(1) NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: [
      'PRIMARY KEY (topic, seq)',
      'CONSTRAINT topic_messages_ibfk_1 FOREIGN KEY (topic) REFERENCES topics (topic) ON DELETE CASCADE',
    ],
  },
  {
    name: 'durable_positions',
    columns: {
      user_id: 'VARCHAR(36) NOT NULL',
      name: 'VARCHAR(100) NOT NULL',
      destination: 'VARCHAR(512) NOT NULL',
      epoch: 'VARCHAR(64) NOT NULL',
      seq: 'BIGINT NOT NULL',
      updated_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (user_id, name, destination)'],
  },
  {
    name: 'idempotency_keys',
    columns: {
      actor: 'VARCHAR(300) NOT NULL',
      command: 'VARCHAR(64) NOT NULL',
      user_id: 'VARCHAR(36) NOT NULL',
      idempotency_key: 'VARCHAR(255) NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    // The key comes right after the actor, so that keys made in the order of time lie together.
    keys: [
      'PRIMARY KEY (actor, idempotency_key, user_id, command)',
      'INDEX idx_idempotency_keys_created_at (created_at)',
    ],
  },
];

// Rooms that the reference's application makes later; unlike the rows that are there, they come one by one.
const epochDefault = '(LEFT(SHA2(UUID(), 256), 12))';

function rooms(found: FoundSchema): string[] {
  const { type, isNullable } = found.column('chat_rooms', 'epoch') ?? { type: 'VARCHAR(64)' };
  const changes = exactIds(found, 'chat_rooms');
  if (isNullable === undefined) changes.push(`ADD COLUMN epoch ${exact(found, type)} NULL`);
  const statements = changes.length === 0 ? [] : [`ALTER TABLE chat_rooms ${changes.join(', ')}`];
  if (isNullable !== false) {
    // The room's id beside UUID(), which some versions ask only once per statement.
    statements.push(
      'UPDATE chat_rooms SET epoch = LEFT(SHA2(CONCAT(UUID(), room_id), 256), 12) WHERE epoch IS NULL',
      `ALTER TABLE chat_rooms MODIFY epoch ${exact(found, 'VARCHAR(64)')} NOT NULL DEFAULT ${epochDefault}`,
    );
  }
  return statements;
}

function members(found: FoundSchema): string[] {
  const changes = [...exactIds(found, 'chat_room_members'), ...referenceToRooms(found, 'chat_room_members')];
  return changes.length === 0 ? [] : [`ALTER TABLE chat_room_members ${changes.join(', ')}`];
}

function messages(found: FoundSchema): string[] {
  const changes = [...exactIds(found, 'chat_messages'), ...referenceToRooms(found, 'chat_messages')];
  if (!found.column('chat_messages', 'seq')) changes.push('ADD COLUMN seq BIGINT NULL');
  const statements = changes.length === 0 ? [] : [`ALTER TABLE chat_messages ${changes.join(', ')}`];
  if (!found.hasIndex('chat_messages', 'uk_room_seq')) {
    statements.push(
      `UPDATE chat_messages JOIN (
  SELECT message_id, ROW_NUMBER() OVER (PARTITION BY room_id ORDER BY created_at, message_id) AS place
  FROM chat_messages
) AS places ON places.message_id = chat_messages.message_id
SET seq = place, message_type = COALESCE(message_type, 'TEXT'), status = COALESCE(status, 'SENT')`,
      'ALTER TABLE chat_messages MODIFY seq BIGINT NOT NULL, ADD UNIQUE KEY uk_room_seq (room_id, seq)',
    );
  }
  return statements;
}

export const stagewire: MysqlMigration = {
  version: 2,
  name: 'stagewire',
  plan(found) {
    assertFree(found);
    const own = tables.flatMap((table) => tableUnless(found, table));
    const notifications = exactIds(found, 'notifications');
    return [
      ...dropReferencesToRooms(found),
      ...rooms(found),
      ...members(found),
      ...messages(found),
      ...(notifications.length === 0 ? [] : [`ALTER TABLE notifications ${notifications.join(', ')}`]),
      ...own,
    ];
  },
};
