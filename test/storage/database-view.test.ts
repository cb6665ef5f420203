// What tests look at databases with: the same rows from every store, and only what is committed.
import { describe, expect, test } from 'vitest';
import { migrate, openStorage } from '../../src/storage/open.ts';
import { DatabaseView } from '../support/database.ts';
import { runsMysql } from '../support/mariadb.ts';
import { useMariadb } from '../support/shared-mariadb.ts';
import { newFile, removeFilesAfterwards } from './database-file.ts';
import { notification } from './domain-rows.ts';
import { insert, topic, topicMessage } from './rows.ts';

removeFilesAfterwards();
const mariadb = useMariadb();

const body = Uint8Array.from([0, 200, 255]);

async function look(url: string): Promise<void> {
  await migrate(url);
  const view = new DatabaseView(url);
  expect(view.topicMessages('news')).toEqual([]);
  const storage = await openStorage(url);
  const writes = [
    insert('topics', topic()),
    insert('topic_messages', topicMessage({ body })),
    insert('notifications', notification({ message: 'Grüße 🚀', is_read: true, seq: 2 ** 40 })),
  ];
  expect(await storage.commit([writes])).toEqual([null]);
  await storage.close();
  expect(view.topicMessages('news')).toEqual([
    {
      topic: 'news',
      seq: 1,
      sender_id: 'ann',
      headers: null,
      body: Buffer.from(body),
      is_text: 1,
      created_at: '2024-05-01T12:00:00.000Z',
    },
  ]);
  expect(view.notifications('ann')).toMatchObject([
    { message: 'Grüße 🚀', is_read: 1, read_at: null, seq: 2 ** 40 },
  ]);
  expect(view.rows('SELECT count(*) AS topics FROM topics WHERE topic = ?', 'news')).toEqual([{ topics: 1 }]);
  expect(() => view.rows('SELECT nothing FROM topics')).toThrow(/nothing/);
  view.close();
}

test('a view of SQLite', async () => {
  await look(`sqlite:${newFile()}`);
  expect.hasAssertions();
});

describe.runIf(runsMysql)('MySQL', () => {
  test('a view of MySQL', async () => {
    await look(await mariadb().newDatabase());
    expect.hasAssertions();
  });
});
