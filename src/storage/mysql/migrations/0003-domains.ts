// The tables of documents, prices, orders, notifications, inventory, replay and queues; a seq for each notification of
// the reference by time, and for each user's stream of them its row in `streams`.
import type { FoundSchema } from '../found-schema.ts';
import { tableUnless, type MysqlMigration, type TableDefinition } from './migration.ts';

const streams: TableDefinition = {
  name: 'streams',
  columns: {
    stream: 'VARCHAR(255) NOT NULL',
    epoch: 'VARCHAR(64) NOT NULL',
    seq: 'BIGINT NOT NULL',
  },
  keys: ['PRIMARY KEY (stream)'],
};

// As `toSegment` writes a user's name: the escape's own sign first.
const notificationStream =
  "CONCAT('/user/', REPLACE(REPLACE(user_id, '%', '%25'), '/', '%2F'), '/queue/notifications')";

/**
 * The reference's index for unread ones stays, for those who read by `created_at`; beside it is one that gives them in
 * the order of the stream.
 */
function notifications(found: FoundSchema): string[] {
  const added = [
    ['seq', 'BIGINT'],
    ['read_at', 'DATETIME(6)'],
  ].flatMap(([column = '', type = '']) =>
    found.column('notifications', column) ? [] : [`ADD COLUMN ${column} ${type} NULL`],
  );
  const statements = added.length === 0 ? [] : [`ALTER TABLE notifications ${added.join(', ')}`];
  if (!found.hasIndex('notifications', 'uk_user_seq')) {
    statements.push(
      `UPDATE notifications JOIN (
  SELECT notification_id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY created_at, notification_id) AS place
  FROM notifications
) AS places ON places.notification_id = notifications.notification_id
SET seq = place`,
      `REPLACE INTO streams (stream, epoch, seq)
SELECT ${notificationStream}, LEFT(SHA2(CONCAT(UUID(), user_id), 256), 12), MAX(seq) FROM notifications GROUP BY user_id`,
      'ALTER TABLE notifications MODIFY seq BIGINT NOT NULL, ADD UNIQUE KEY uk_user_seq (user_id, seq), ' +
        'ADD INDEX idx_user_unread_seq (user_id, is_read, seq)',
    );
  }
  return statements;
}

const goods: readonly TableDefinition[] = [
  {
    name: 'orders',
    columns: {
      order_id: 'VARCHAR(36) NOT NULL',
      user_id: 'VARCHAR(36) NOT NULL',
      status: 'VARCHAR(50) NOT NULL',
      estimated_delivery: 'DATETIME(6)',
      current_location: 'VARCHAR(255)',
      created_at: 'DATETIME(6) NOT NULL',
      updated_at: 'DATETIME(6) NOT NULL',
      version: 'BIGINT NOT NULL',
    },
    keys: ['PRIMARY KEY (order_id)'],
  },
  {
    name: 'order_changes',
    columns: {
      order_id: 'VARCHAR(36) NOT NULL',
      version: 'BIGINT NOT NULL',
      status: 'VARCHAR(50) NOT NULL',
      estimated_delivery: 'DATETIME(6)',
      current_location: 'VARCHAR(255)',
      changed_by: 'VARCHAR(36) NOT NULL',
      changed_at: 'DATETIME(6) NOT NULL',
    },
    keys: [
      'PRIMARY KEY (order_id, version)',
      'CONSTRAINT order_changes_ibfk_1 FOREIGN KEY (order_id) REFERENCES orders (order_id) ON DELETE CASCADE',
    ],
  },
  {
    name: 'products',
    columns: {
      product_id: 'VARCHAR(64) NOT NULL',
      name: 'VARCHAR(255)',
      quantity: 'BIGINT NOT NULL',
      version: 'BIGINT NOT NULL',
      updated_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (product_id)'],
  },
  {
    name: 'inventory_changes',
    columns: {
      stream: 'VARCHAR(255) NOT NULL',
      seq: 'BIGINT NOT NULL',
      product_id: 'VARCHAR(64) NOT NULL',
      quantity: 'BIGINT NOT NULL',
      urgent: 'TINYINT(1) NOT NULL',
      version: 'BIGINT NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (stream, seq)'],
  },
  {
    name: 'prices',
    columns: {
      symbol: 'VARCHAR(32) NOT NULL',
      price: 'VARCHAR(40) NOT NULL',
      open: 'VARCHAR(40) NOT NULL',
      day: 'VARCHAR(10) NOT NULL',
      volume: 'BIGINT NOT NULL',
      updated_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (symbol)'],
  },
  {
    name: 'portfolios',
    columns: {
      user_id: 'VARCHAR(36) NOT NULL',
      holdings: 'MEDIUMTEXT NOT NULL',
      updated_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (user_id)'],
  },
  {
    name: 'last_seen',
    columns: { user_id: 'VARCHAR(36) NOT NULL', last_seen: 'DATETIME(6) NOT NULL' },
    keys: ['PRIMARY KEY (user_id)'],
  },
];

// A change holds the text that it removed, which may be a whole document, as JSON.
const documents: readonly TableDefinition[] = [
  {
    name: 'documents',
    columns: {
      doc_id: 'VARCHAR(255) NOT NULL',
      epoch: 'VARCHAR(64) NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (doc_id)'],
  },
  {
    name: 'document_operations',
    columns: {
      doc_id: 'VARCHAR(255) NOT NULL',
      revision: 'BIGINT NOT NULL',
      operation_id: 'VARCHAR(255) NOT NULL',
      user_id: 'VARCHAR(36) NOT NULL',
      base_revision: 'BIGINT NOT NULL',
      changes: 'LONGTEXT NOT NULL',
      undoes: 'BIGINT',
      is_undone: 'TINYINT(1) NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: [
      'PRIMARY KEY (doc_id, revision)',
      'CONSTRAINT document_operations_ibfk_1 FOREIGN KEY (doc_id) REFERENCES documents (doc_id) ON DELETE CASCADE',
    ],
  },
  {
    name: 'document_snapshots',
    columns: {
      doc_id: 'VARCHAR(255) NOT NULL',
      revision: 'BIGINT NOT NULL',
      content: 'LONGTEXT NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: [
      'PRIMARY KEY (doc_id, revision)',
      'CONSTRAINT document_snapshots_ibfk_1 FOREIGN KEY (doc_id) REFERENCES documents (doc_id) ON DELETE CASCADE',
    ],
  },
];

const others: readonly TableDefinition[] = [
  {
    name: 'queue_messages',
    columns: {
      message_id: 'VARCHAR(36) NOT NULL',
      queue: 'VARCHAR(255) NOT NULL',
      position: 'BIGINT NOT NULL',
      sender_id: 'VARCHAR(36) NOT NULL',
      headers: 'MEDIUMTEXT',
      body: 'MEDIUMBLOB NOT NULL',
      is_text: 'TINYINT(1) NOT NULL',
      tries: 'BIGINT NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (message_id)', 'UNIQUE KEY uk_queue_position (queue, position)'],
  },
  {
    name: 'replay_acks',
    columns: {
      user_id: 'VARCHAR(36) NOT NULL',
      room_id: 'VARCHAR(36) NOT NULL',
      ranges: 'MEDIUMTEXT NOT NULL',
      updated_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (user_id, room_id)'],
  },
  {
    name: 'command_answers',
    columns: {
      actor: 'VARCHAR(300) NOT NULL',
      command: 'VARCHAR(64) NOT NULL',
      user_id: 'VARCHAR(36) NOT NULL',
      idempotency_key: 'VARCHAR(255) NOT NULL',
      answer: 'LONGTEXT NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: [
      'PRIMARY KEY (actor, idempotency_key, user_id, command)',
      'INDEX idx_command_answers_created_at (created_at)',
    ],
  },
];

export const domains: MysqlMigration = {
  version: 3,
  name: 'domains',
  plan: (found) => [
    ...tableUnless(found, streams),
    ...notifications(found),
    ...[...goods, ...documents, ...others].flatMap((table) => tableUnless(found, table)),
  ],
};
