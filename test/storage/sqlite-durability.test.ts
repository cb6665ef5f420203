import { describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { insert, room, topic } from './rows.ts';
import { startChild } from './storage-child-process.ts';

removeFilesAfterwards();

/** Acknowledged commits after which a process is killed: at once, in the log, and across checkpoints. */
const killAfter = [1, 17, 140, 801, 1913];

describe('durability of SQLite', () => {
  it.each(killAfter)(
    '[STORE34] a process killed after %i commits has lost none it acknowledged',
    async (commits) => {
      const file = newDatabase();
      const first = openSqlite({ file });
      await first.commit([[insert('chat_rooms', room()), insert('topics', topic())]]);
      await first.close();

      const child = startChild('commit', file);
      let last = '0';
      for (let count = 0; count < commits; count += 1) last = await child.line();
      child.kill();
      const acknowledged = Number((await child.ended()).at(-1) ?? last);
      expect(acknowledged).toBeGreaterThanOrEqual(commits * 2);

      const storage = openSqlite({ file });
      const limit = acknowledged + 1000;
      const messages = await storage.query({
        name: 'roomMessagesAfter',
        args: { roomId: 'lobby', after: 0, limit },
      });
      const topicMessages = await storage.query({
        name: 'topicMessagesAfter',
        args: { topic: 'news', after: 0, limit },
      });
      // One commit may have been durable and not yet told of; it is there whole or not at all.
      expect([acknowledged, acknowledged + 2]).toContain(messages.length);
      expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
      expect(topicMessages.map(({ seq }) => seq)).toEqual(messages.map(({ seq }) => seq));
      expect(messages.map(({ content }) => content.length)).toEqual(
        messages.map(({ seq }) => (seq * 7919) % 5000),
      );
      await storage.close();
    },
  );
});
