// What SQLite does beyond the contract of all stores: locks, space, files, readable rows.
import Driver from 'better-sqlite3';
import fs from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { DatabaseView } from '../support/database.ts';
import { newDatabase, newFile, removeFilesAfterwards } from './database-file.ts';
import {
  annsStream,
  document,
  inventoryChange,
  notification,
  operation,
  order,
  orderChange,
  queueMessage,
} from './domain-rows.ts';
import { append, insert, message, messages, noon, reasons, room, topic, topicMessage } from './rows.ts';
import { storageContract } from './storage.contract.ts';

removeFilesAfterwards();

storageContract('sqlite', async () => {
  const file = newDatabase();
  const storage = openSqlite({ file });
  return {
    storage,
    async reopen() {
      await storage.close();
      return openSqlite({ file });
    },
  };
});

const newestSeq = async (storage: Storage) =>
  (await storage.query({ name: 'roomHead', args: { roomId: 'lobby' } }))[0]?.seq;

describe('sqlite only', () => {
  it('[STORE22] a full database refuses the whole commit, and takes writes again when there is space', async () => {
    const storage = openSqlite({ file: newDatabase(), fileBytesMax: 512 * 1024 });
    const big = (seq: number) => [
      insert('topic_messages', topicMessage({ seq, body: Buffer.alloc(20_000, 1) })),
    ];
    expect(await storage.commit([[insert('topics', topic()), insert('chat_rooms', room())]])).toEqual([null]);
    let stored = 0;
    for (;;) {
      const outcomes = reasons(await storage.commit([big(stored + 1), big(stored + 2)]));
      if (outcomes.some((outcome) => outcome !== null)) {
        expect(outcomes).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
        break;
      }
      stored += 2;
    }
    expect(stored).toBeGreaterThan(10);
    const head = () => storage.query({ name: 'topicHead', args: { topic: 'news' } });
    expect(await head()).toEqual([{ epoch: 'e1', oldest: 1, newest: stored }]);
    expect(await storage.commit([[{ op: 'trim_topic', topic: 'news', upto: 8 }]])).toEqual([null]);
    expect(await storage.commit([big(stored + 1), messages(1)])).toEqual([null, null]);
    expect(await head()).toEqual([{ epoch: 'e1', oldest: 9, newest: stored + 1 }]);
    await storage.close();
  });

  it('[STORE22] space that runs out while transactions are applied one by one fails them all', async () => {
    const storage = openSqlite({ file: newDatabase(), fileBytesMax: 512 * 1024 });
    await storage.commit([[insert('topics', topic()), insert('chat_rooms', room())]]);
    const huge = insert('topic_messages', topicMessage({ body: Buffer.alloc(600_000, 1) }));
    const stray = insert('chat_messages', message({ room_id: 'none' }));
    const outcomes = await storage.commit([messages(1), [stray], [huge]]);
    expect(reasons(outcomes)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(await newestSeq(storage)).toBe(0);
    expect(reasons(await storage.commit([messages(1), [stray]]))).toEqual([null, 'CONSTRAINT']);
    expect(await newestSeq(storage)).toBe(1);
    await storage.close();
  });

  it('[STORE36] after a failed flush the log is left before anything else is committed', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file });
    await storage.commit([[insert('chat_rooms', room())]]);
    const flush = vi.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
      throw new Error('EIO: i/o error');
    });
    expect(reasons(await storage.commit([messages(1)]))).toEqual(['UNAVAILABLE']);
    expect(await storage.commit([[insert('chat_messages', message({ seq: 2 }))]])).toEqual([null]);
    flush.mockRestore();
    // The file alone, as if the log were lost.
    const copy = newFile();
    fs.copyFileSync(file, copy);
    const alone = openSqlite({ file: copy });
    expect(await newestSeq(alone)).toBe(1);
    await alone.close();
    await storage.close();
  });

  it('[STORE36] while a reader keeps the log in use after a failed flush, nothing is committed or read', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file, busyTimeoutMs: 20 });
    await storage.commit([[insert('chat_rooms', room())]]);
    const reader = new Driver(file, { readonly: true });
    reader.exec('BEGIN; SELECT 1 FROM chat_rooms');
    reader.prepare('SELECT 1 FROM chat_rooms').get();
    const flush = vi.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
      throw new Error('EIO: i/o error');
    });
    expect(reasons(await storage.commit([messages(1)]))).toEqual(['UNAVAILABLE']);
    const second = [insert('chat_messages', message({ seq: 2 }))];
    expect(reasons(await storage.commit([second]))).toEqual(['UNAVAILABLE']);
    // It is in the log, and a crash would take it away.
    await expect(newestSeq(storage)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    flush.mockRestore();
    reader.exec('COMMIT');
    expect(await newestSeq(storage)).toBe(1);
    expect(await storage.commit([second])).toEqual([null]);
    reader.close();
    await storage.close();
  });

  it('[STORE23] a locked database refuses the commit, lets queries through, and takes writes again', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file, busyTimeoutMs: 20 });
    expect(await storage.commit([[insert('chat_rooms', room())]])).toEqual([null]);
    const other = new Driver(file);
    other.exec('BEGIN IMMEDIATE');
    expect(reasons(await storage.commit([messages(1), []]))).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    expect(await newestSeq(storage)).toBe(0);
    other.exec('COMMIT');
    expect(await storage.commit([messages(1)])).toEqual([null]);
    other.close();
    await storage.close();
  });

  it('[STORE23] a reader in the middle of its transaction stops neither commits nor closing', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file, busyTimeoutMs: 20 });
    await storage.commit([[insert('chat_rooms', room())]]);
    const reader = new Driver(file, { readonly: true });
    reader.exec('BEGIN');
    const count = () => reader.prepare('SELECT count(*) FROM chat_messages').pluck().get();
    expect(count()).toBe(0);
    expect(await storage.commit([messages(3)])).toEqual([null]);
    await storage.close();
    expect(count()).toBe(0);
    reader.exec('COMMIT');
    expect(count()).toBe(3);
    reader.close();
  });

  it('[STORE24] a store opened read-only answers queries and refuses commits', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file });
    await storage.commit([[insert('chat_rooms', room()), ...messages(2)]]);
    const reading = openSqlite({ file, readonly: true });
    expect(await newestSeq(reading)).toBe(2);
    expect(reasons(await reading.commit([messages(1)]))).toEqual(['UNAVAILABLE']);
    await storage.commit([[insert('chat_messages', message({ seq: 3 }))]]);
    expect(await newestSeq(reading)).toBe(3);
    await reading.close();
    await storage.close();
  });

  it('[STORE25] rows can be read at the sqlite3 shell: names, times and flags as text and numbers', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file });
    await storage.commit([[insert('chat_rooms', room({ is_private: true })), ...messages(1)]]);
    const shell = new Driver(file, { readonly: true });
    expect(shell.prepare('SELECT is_private, created_at, updated_at FROM chat_rooms').get()).toEqual({
      is_private: 1,
      created_at: '2024-05-01T12:00:00.000Z',
      updated_at: null,
    });
    expect(shell.prepare('SELECT content, message_type, status FROM chat_messages').get()).toEqual({
      content: 'hello',
      message_type: 'TEXT',
      status: 'SENT',
    });
    shell.close();
    await storage.close();
  });

  it('[STORE25] rows of the domains can be read by another process as they are told to clients', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file });
    const writes = [
      append('notifications', annsStream, notification({ read_at: noon })),
      append('inventory_changes', '/topic/inventory', inventoryChange({ urgent: true })),
      insert('orders', order()),
      insert('order_changes', orderChange({ estimated_delivery: noon })),
      insert('documents', document()),
      insert('document_operations', operation()),
      insert('queue_messages', queueMessage()),
    ];
    expect(await storage.commit([writes])).toEqual([null]);
    const view = new DatabaseView(`sqlite:${file}`);
    const time = '2024-05-01T12:00:00.000Z';
    expect(view.notifications('ann')).toMatchObject([
      { seq: 1, is_read: 0, created_at: time, read_at: time },
    ]);
    expect(view.inventoryChanges()).toMatchObject([{ stream: '/topic/inventory', seq: 1, urgent: 1 }]);
    expect(view.orderChanges('o1')).toMatchObject([{ status: 'PLACED', estimated_delivery: time }]);
    expect(view.documentOperations('d1')).toMatchObject([{ revision: 0, undoes: null, is_undone: 0 }]);
    expect(view.queueMessages('jobs')).toMatchObject([
      { position: 1, body: Buffer.from('work'), is_text: 1 },
    ]);
    view.close();
    await storage.close();
  });

  it('[STORE25] a row entered by hand with defaults and a time without zone is read', async () => {
    const file = newDatabase();
    const shell = new Driver(file);
    shell.exec(`INSERT INTO chat_rooms (room_id, name, created_by, created_at)
      VALUES ('lobby', 'Lobby', 'ann', '2024-05-01 12:00:00')`);
    shell.close();
    const storage = openSqlite({ file });
    const [row] = await storage.query({ name: 'room', args: { roomId: 'lobby' } });
    expect(row).toEqual(room({ epoch: row?.epoch ?? '' }));
    expect(row?.created_at).toBe(noon);
    expect(row?.epoch).toMatch(/^[0-9a-f]{12}$/);
    await storage.close();
  });

  it('[STORE26] closing leaves one file, with everything in it', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file });
    await storage.commit([[insert('chat_rooms', room()), ...messages(20)]]);
    await storage.close();
    expect(fs.statSync(`${file}-wal`, { throwIfNoEntry: false })).toBeUndefined();
    const again = openSqlite({ file });
    expect(await newestSeq(again)).toBe(20);
    await again.close();
  });

  it('[STORE26] closing empties the log although another connection stays', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file });
    const other = new Driver(file);
    other.pragma('schema_version');
    await storage.commit([[insert('chat_rooms', room()), ...messages(20)]]);
    expect(fs.statSync(`${file}-wal`).size).toBeGreaterThan(0);
    await storage.close();
    expect(fs.statSync(`${file}-wal`).size).toBe(0);
    other.close();
  });

  it('[STORE27] a file that is missing, no database or not migrated is refused in one line that says what to do', () => {
    const missing = newFile();
    expect(() => openSqlite({ file: missing })).toThrow(
      `There is no database ${missing}: run \`stagewire migrate\`.`,
    );
    expect(fs.statSync(missing, { throwIfNoEntry: false })).toBeUndefined();
    const text = newFile();
    fs.writeFileSync(text, 'not a database, whatever its name says. '.repeat(100));
    expect(() => openSqlite({ file: text })).toThrow(`${text} is not a SQLite database.`);
    const empty = newFile();
    fs.writeFileSync(empty, '');
    expect(() => openSqlite({ file: empty })).toThrow(/has schema 0 .* run `stagewire migrate`\.$/);
  });
});
