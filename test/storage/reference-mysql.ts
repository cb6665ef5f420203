// The reference's own script for MySQL, word for word, with rows as its application leaves them, and what its
// application asks.

export const referenceScript = `
CREATE TABLE chat_rooms (
    room_id VARCHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    is_private TINYINT(1) NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6),
    INDEX idx_created_by (created_by),
    INDEX idx_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE chat_room_members (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    room_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    role VARCHAR(20) NOT NULL DEFAULT 'MEMBER',
    joined_at DATETIME(6) NOT NULL,
    UNIQUE KEY uk_room_user (room_id, user_id),
    INDEX idx_user_id (user_id),
    FOREIGN KEY (room_id) REFERENCES chat_rooms(room_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE chat_messages (
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
    FOREIGN KEY (room_id) REFERENCES chat_rooms(room_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE notifications (
    notification_id VARCHAR(36) NOT NULL PRIMARY KEY,
    user_id VARCHAR(36) NOT NULL,
    type VARCHAR(50) NOT NULL,
    message TEXT NOT NULL,
    reference_id VARCHAR(36),
    is_read TINYINT(1) NOT NULL DEFAULT 0,
    created_at DATETIME(6) NOT NULL,
    INDEX idx_user_unread (user_id, is_read, created_at DESC)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
`;

/** Equal times, times that differ by less than a millisecond, NULLs, emoji, names that a destination escapes. */
export const referenceRows = `
INSERT INTO chat_rooms VALUES
  ('lobby', 'Lobby \u{1F600}', 'ann', 1, '2024-05-01 12:00:00.000000', NULL),
  ('hall', 'Hall', 'bob', 0, '2024-05-01 12:00:00.000000', '2024-05-01 12:00:00.001000'),
  ('empty', 'Nobody', 'bob', 0, '2024-05-01 12:00:01.000000', NULL);
INSERT INTO chat_room_members (id, room_id, user_id, role, joined_at) VALUES
  (7, 'lobby', 'ann', 'ADMIN', '2024-05-01 12:00:00'),
  (9, 'hall', 'bob', 'ADMIN', '2024-05-01 12:00:00.000001'),
  (10, 'hall', 'ann', 'MEMBER', '2024-05-01 12:00:00');
INSERT INTO chat_messages VALUES
  ('b', 'lobby', 'ann', 'third \u{1F44B}\u{1F3FD} caf\u00E9', 'TEXT', 'SENT', '2024-05-01 12:00:00.002400', NULL),
  ('c', 'lobby', 'ann', 'second', 'IMAGE', 'READ', '2024-05-01 12:00:00.002100', '2024-05-01 12:00:01'),
  ('z', 'lobby', 'ann', 'first', 'TEXT', 'SENT', '2024-05-01 12:00:00.001000', NULL),
  ('d', 'lobby', 'bob', 'fourth', 'TEXT', 'SENT', '2024-05-01 12:00:00.003000', NULL),
  ('e', 'lobby', 'bob', 'fifth', 'TEXT', 'SENT', '2024-05-01 12:00:00.003000', NULL),
  ('a', 'hall', 'bob', '', 'TEXT', 'SENT', '2024-05-01 12:00:00.500000', NULL);
INSERT INTO notifications VALUES
  ('b', 'ann', 'ORDER', 'third', 'o1', 0, '2024-05-01 12:00:00.002400'),
  ('c', 'ann', 'ORDER', 'second', NULL, 1, '2024-05-01 12:00:00.002100'),
  ('z', 'ann', 'ALERT', 'first \u{1F600}', NULL, 0, '2024-05-01 12:00:00.001000'),
  ('s', '50%/x%2F', 'ALERT', 'strange', NULL, 0, '2024-05-01 12:00:00.500000');
`;

/** All columns of the reference, in the orders that its application asks for. */
export const referenceQueries: readonly string[] = [
  'SELECT room_id, name, created_by, is_private, created_at, updated_at FROM chat_rooms ORDER BY created_at, room_id',
  'SELECT id, room_id, user_id, role, joined_at FROM chat_room_members ORDER BY id',
  `SELECT message_id, room_id, sender_id, content, message_type, status, created_at, updated_at
    FROM chat_messages WHERE room_id = 'lobby' ORDER BY created_at DESC, message_id`,
  `SELECT COUNT(*) AS unread FROM chat_messages WHERE room_id = 'lobby' AND sender_id != 'ann' AND status = 'SENT'`,
  `SELECT r.room_id FROM chat_rooms r JOIN chat_room_members m ON r.room_id = m.room_id
    WHERE m.user_id = 'ann' ORDER BY r.room_id`,
  `SELECT notification_id, user_id, type, message, reference_id, is_read, created_at
    FROM notifications WHERE user_id = 'ann' AND is_read = 0 ORDER BY created_at DESC`,
];
