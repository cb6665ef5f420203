// The tables of the Spring design as its own script makes them; a database that has them keeps its own.
import type { FoundSchema } from '../found-schema.ts';
import { refused, type MysqlMigration } from './migration.ts';

const options = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci';

// The constraints have the names that the servers give them where a script gives none.
const tables: Readonly<Record<string, string>> = {
  chat_rooms: `CREATE TABLE IF NOT EXISTS chat_rooms (
  room_id VARCHAR(36) NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  created_by VARCHAR(36) NOT NULL,
  is_private TINYINT(1) NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6),
  INDEX idx_created_by (created_by),
  INDEX idx_created_at (created_at)
) ${options}`,
  chat_room_members: `CREATE TABLE IF NOT EXISTS chat_room_members (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  room_id VARCHAR(36) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  role VARCHAR(20) NOT NULL DEFAULT 'MEMBER',
  joined_at DATETIME(6) NOT NULL,
  UNIQUE KEY uk_room_user (room_id, user_id),
  INDEX idx_user_id (user_id),
  CONSTRAINT chat_room_members_ibfk_1 FOREIGN KEY (room_id) REFERENCES chat_rooms (room_id) ON DELETE CASCADE
) ${options}`,
  chat_messages: `CREATE TABLE IF NOT EXISTS chat_messages (
  message_id VARCHAR(36) NOT NULL PRIMARY KEY,
  room_id VARCHAR(36) NOT NULL,
  sender_id VARCHAR(36) NOT NULL,
  content TEXT NOT NULL,
  message_type VARCHAR(20) NOT NULL DEFAULT 'TEXT',
  status VARCHAR(20) NOT NULL DEFAULT 'SENT',
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6),
  INDEX idx_room_created (room_id, created_at DESC),
  INDEX idx_sender (sender_id),
  CONSTRAINT chat_messages_ibfk_1 FOREIGN KEY (room_id) REFERENCES chat_rooms (room_id) ON DELETE CASCADE
) ${options}`,
  notifications: `CREATE TABLE IF NOT EXISTS notifications (
  notification_id VARCHAR(36) NOT NULL PRIMARY KEY,
  user_id VARCHAR(36) NOT NULL,
  type VARCHAR(50) NOT NULL,
  message TEXT NOT NULL,
  reference_id VARCHAR(36),
  is_read TINYINT(1) NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL,
  INDEX idx_user_unread (user_id, is_read, created_at DESC)
) ${options}`,
};

const columnOf = /^ {2}([a-z_]+) [A-Z]/gm;

function assertReference(found: FoundSchema, table: string, sql: string): void {
  const made = found.columns(table);
  if (made === null) return;
  const names = [...sql.matchAll(columnOf)].map(([, column]) => column ?? '');
  const lacking = names.filter((column) => !made.includes(column));
  if (lacking.length === 0) return;
  throw refused(
    `The database ${found.database} has a table ${table} without ${lacking.join(', ')}, so it is of another ` +
      'application: give Stagewire another database, or rename that table.',
  );
}

export const reference: MysqlMigration = {
  version: 1,
  name: 'reference',
  plan(found) {
    return Object.entries(tables).flatMap(([table, sql]) => {
      assertReference(found, table, sql);
      return found.columns(table) === null ? [sql] : [];
    });
  },
};
