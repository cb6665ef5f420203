// The tables of documents, prices, orders, notifications, inventory, replay and queues. `notifications` is made anew
// with its rows, for the reasons of migration 2: each gets a seq by time, each user's stream its row in `streams`.
import type { SqliteMigration } from './migration.ts';
import { isoTime } from './time.ts';

// Layouts as measured in CPU per row. `document_operations` keeps its rowid as messages do: as a WITHOUT ROWID table it
// is a sixth cheaper only for single operations of one document, and costs a third to three times as much for commits
// of 10 operations to 80 or more documents. For `queue_messages` (a row comes and goes, at one end and the other) the
// layouts differ by less than the measurements do, so its bodies, up to a whole frame, stay out of the keys.
// `notifications` has one index beside its keys. The reference's `idx_user_unread` ends in `created_at DESC`; with `seq`
// in that place it serves the same question in the stream's own order, and a bulk row costs 10 us; with the reference's
// column 11.5, with both 14. Those who order by `created_at` sort what one user has not read.
// Small rows that are found by their key alone, or changed in place (`prices`, `streams`, `last_seen`), need no second
// tree. `inventory_changes` are few streams, each of which grows at its end and is cut at its start, as its key is.
// Nothing is indexed for undo: it walks back from the newest operation, and an index would cost every operation.

// As `toSegment` writes a user's name: the escape's own sign first.
const notificationStream = (user: string) =>
  `'/user/' || replace(replace(${user}, '%', '%25'), '/', '%2F') || '/queue/notifications'`;

export const domains: SqliteMigration = {
  version: 3,
  name: 'domains',
  sql: `
CREATE TABLE streams (
  stream TEXT NOT NULL PRIMARY KEY,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE new_notifications (
  notification_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  type TEXT NOT NULL,
  message TEXT NOT NULL,
  reference_id TEXT,
  is_read INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  read_at TEXT,
  seq INTEGER NOT NULL,
  UNIQUE (user_id, seq)
);
INSERT INTO new_notifications (notification_id, user_id, type, message, reference_id, is_read, created_at, seq)
SELECT notification_id, user_id, type, message, reference_id, is_read, created_at,
  row_number() OVER (PARTITION BY user_id ORDER BY created_at, created_exactly_at, notification_id)
FROM (
  SELECT notification_id, user_id, type, message, reference_id, is_read,
    ${isoTime('created_at')} AS created_at, created_at AS created_exactly_at
  FROM notifications
)
ORDER BY created_at, notification_id;
DROP TABLE notifications;
ALTER TABLE new_notifications RENAME TO notifications;
CREATE INDEX idx_user_unread ON notifications (user_id, is_read, seq);

INSERT INTO streams (stream, epoch, seq)
SELECT ${notificationStream('user_id')}, lower(hex(randomblob(6))), max(seq) FROM notifications GROUP BY user_id;

CREATE TABLE orders (
  order_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL,
  estimated_delivery TEXT,
  current_location TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE order_changes (
  order_id TEXT NOT NULL REFERENCES orders (order_id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  status TEXT NOT NULL,
  estimated_delivery TEXT,
  current_location TEXT,
  changed_by TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  PRIMARY KEY (order_id, version)
) WITHOUT ROWID;

CREATE TABLE products (
  product_id TEXT NOT NULL PRIMARY KEY,
  name TEXT,
  quantity INTEGER NOT NULL,
  version INTEGER NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE inventory_changes (
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL,
  product_id TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  urgent INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (stream, seq)
) WITHOUT ROWID;

CREATE TABLE prices (
  symbol TEXT NOT NULL PRIMARY KEY,
  price TEXT NOT NULL,
  open TEXT NOT NULL,
  day TEXT NOT NULL,
  volume INTEGER NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE portfolios (
  user_id TEXT NOT NULL PRIMARY KEY,
  holdings TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE last_seen (
  user_id TEXT NOT NULL PRIMARY KEY,
  last_seen TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE documents (
  doc_id TEXT NOT NULL PRIMARY KEY,
  epoch TEXT NOT NULL,
  created_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE document_operations (
  doc_id TEXT NOT NULL REFERENCES documents (doc_id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  operation_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  base_revision INTEGER NOT NULL,
  changes TEXT NOT NULL,
  undoes INTEGER,
  is_undone INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (doc_id, revision)
);

CREATE TABLE document_snapshots (
  doc_id TEXT NOT NULL REFERENCES documents (doc_id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  content TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (doc_id, revision)
);

CREATE TABLE queue_messages (
  message_id TEXT NOT NULL PRIMARY KEY,
  queue TEXT NOT NULL,
  position INTEGER NOT NULL,
  sender_id TEXT NOT NULL,
  headers TEXT,
  body BLOB NOT NULL,
  is_text INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (queue, position)
);

CREATE TABLE replay_acks (
  user_id TEXT NOT NULL,
  room_id TEXT NOT NULL,
  ranges TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;

CREATE TABLE command_answers (
  actor TEXT NOT NULL,
  command TEXT NOT NULL,
  user_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (actor, idempotency_key, user_id, command)
);
CREATE INDEX idx_command_answers_created_at ON command_answers (created_at);
`,
};
