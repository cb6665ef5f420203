import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { insert, reasons, room } from './rows.ts';

removeFilesAfterwards();

describe('the write-ahead log', () => {
  let file: string;
  let storage: Storage;

  beforeEach(() => {
    file = newDatabase();
    storage = openSqlite({ file });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await storage.close();
  });

  it('[STORE37] a commit of several transactions flushes the log once, after it was written', async () => {
    const log = `${file}-wal`;
    const before = fs.statSync(log).size;
    const sizes: number[] = [];
    vi.spyOn(fs, 'fdatasyncSync').mockImplementation(() => sizes.push(fs.statSync(log).size));
    await storage.commit(['a', 'b'].map((id) => [insert('chat_rooms', room({ room_id: id }))]));
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeGreaterThan(before);
  });

  it('[STORE37] a commit whose log could not be flushed is unavailable', async () => {
    vi.spyOn(fs, 'fdatasyncSync').mockImplementation(() => {
      throw new Error('EIO: i/o error');
    });
    expect(reasons(await storage.commit([[insert('chat_rooms', room())]]))).toEqual(['UNAVAILABLE']);
  });
});
