// The tables of the Spring design, with its names and columns; a database that has them keeps its own.
// Of its indexes only those that a query here can use are made.
import type { SqliteMigration } from './migration.ts';

export const reference: SqliteMigration = {
  version: 1,
  name: 'reference',
  sql: `
CREATE TABLE IF NOT EXISTS chat_rooms (
  room_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_by TEXT NOT NULL,
  is_private INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT
);

CREATE TABLE IF NOT EXISTS chat_room_members (
  id INTEGER PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES chat_rooms (room_id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'MEMBER',
  joined_at TEXT NOT NULL,
  UNIQUE (room_id, user_id)
);

CREATE TABLE IF NOT EXISTS chat_messages (
  message_id TEXT NOT NULL PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES chat_rooms (room_id) ON DELETE CASCADE,
  sender_id TEXT NOT NULL,
  content TEXT NOT NULL,
  message_type TEXT NOT NULL DEFAULT 'TEXT',
  status TEXT NOT NULL DEFAULT 'SENT',
  created_at TEXT NOT NULL,
  updated_at TEXT
);

CREATE TABLE IF NOT EXISTS notifications (
  notification_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  type TEXT NOT NULL,
  message TEXT NOT NULL,
  reference_id TEXT,
  is_read INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS idx_user_unread ON notifications (user_id, is_read, created_at DESC);
`,
};
