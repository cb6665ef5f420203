// Streams and their positions: `epoch` of rooms, `seq` of messages, and tables of ours. The chat tables are made anew
// with their rows, because ALTER TABLE can add neither keys nor NOT NULL columns without a default.
import type { SqliteMigration } from './migration.ts';
import { isoTime } from './time.ts';

// Layouts as measured with commits of 1, 2 and 10 rows into 80 rooms. `chat_messages` and `topic_messages` keep their
// rowid: whatever room they are of, new rows then lie together at the end of the table, and only narrow index entries
// are scattered; as WITHOUT ROWID tables they cost up to half as much again. Small rows that are found by their key
// alone need no second tree. In `idempotency_keys` the key comes right after the actor, so that keys made in the order
// of time lie together. Foreign keys cost nothing that could be measured.

export const stagewire: SqliteMigration = {
  version: 2,
  name: 'stagewire',
  sql: `
CREATE TABLE new_chat_rooms (
  room_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_by TEXT NOT NULL,
  is_private INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  epoch TEXT NOT NULL DEFAULT (lower(hex(randomblob(6))))
) WITHOUT ROWID;
INSERT INTO new_chat_rooms (room_id, name, created_by, is_private, created_at, updated_at)
SELECT room_id, name, created_by, is_private, ${isoTime('created_at')}, ${isoTime('updated_at')} FROM chat_rooms;
DROP TABLE chat_rooms;
ALTER TABLE new_chat_rooms RENAME TO chat_rooms;

CREATE TABLE new_chat_room_members (
  id INTEGER PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES chat_rooms (room_id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'MEMBER',
  joined_at TEXT NOT NULL,
  UNIQUE (room_id, user_id)
);
INSERT INTO new_chat_room_members (id, room_id, user_id, role, joined_at)
SELECT id, room_id, user_id, role, ${isoTime('joined_at')} FROM chat_room_members;
DROP TABLE chat_room_members;
ALTER TABLE new_chat_room_members RENAME TO chat_room_members;
CREATE INDEX idx_user_id ON chat_room_members (user_id);

CREATE TABLE new_chat_messages (
  message_id TEXT NOT NULL PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES chat_rooms (room_id) ON DELETE CASCADE,
  sender_id TEXT NOT NULL,
  content TEXT NOT NULL,
  message_type TEXT NOT NULL DEFAULT 'TEXT',
  status TEXT NOT NULL DEFAULT 'SENT',
  created_at TEXT NOT NULL,
  updated_at TEXT,
  seq INTEGER NOT NULL,
  UNIQUE (room_id, seq)
);
INSERT INTO new_chat_messages
  (message_id, room_id, sender_id, content, message_type, status, created_at, updated_at, seq)
SELECT message_id, room_id, sender_id, content, message_type, status, created_at, updated_at,
  row_number() OVER (PARTITION BY room_id ORDER BY created_at, created_exactly_at, message_id)
FROM (
  SELECT message_id, room_id, sender_id, content,
    coalesce(message_type, 'TEXT') AS message_type, coalesce(status, 'SENT') AS status,
    ${isoTime('created_at')} AS created_at, ${isoTime('updated_at')} AS updated_at, created_at AS created_exactly_at
  FROM chat_messages
)
ORDER BY created_at, message_id;
DROP TABLE chat_messages;
ALTER TABLE new_chat_messages RENAME TO chat_messages;

CREATE TABLE chat_read_positions (
  room_id TEXT NOT NULL REFERENCES chat_rooms (room_id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  read_at TEXT NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;

CREATE TABLE topics (
  topic TEXT NOT NULL PRIMARY KEY,
  epoch TEXT NOT NULL,
  created_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE topic_messages (
  topic TEXT NOT NULL REFERENCES topics (topic) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  sender_id TEXT NOT NULL,
  headers TEXT,
  body BLOB NOT NULL,
  is_text INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (topic, seq)
);

CREATE TABLE durable_positions (
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  destination TEXT NOT NULL,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (user_id, name, destination)
) WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  actor TEXT NOT NULL,
  command TEXT NOT NULL,
  user_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (actor, idempotency_key, user_id, command)
) WITHOUT ROWID;
CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at);
`,
};
