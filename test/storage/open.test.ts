import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrate, openStorage } from '../../src/storage/open.ts';
import { StorageError } from '../../src/storage/storage.ts';
import { newFile, removeFilesAfterwards } from './database-file.ts';
import { insert, room } from './rows.ts';

removeFilesAfterwards();

describe('database URLs', () => {
  it('[STORE28] sqlite:path is migrated, its folder made, and opened, absolute or from the working directory', async () => {
    const file = join(dirname(newFile()), 'made', 'here', 'a b?c.db');
    for (const path of [file, relative(process.cwd(), file)]) {
      const report = await migrate(`sqlite:${path}`);
      expect(report.to).toBe(4);
      const storage = await openStorage(`sqlite:${path}`);
      const outcomes = await storage.commit([[insert('chat_rooms', room({ room_id: path }))]]);
      expect(outcomes).toEqual([null]);
      await storage.close();
    }
    expect(existsSync(file)).toBe(true);
    const storage = await openStorage(`SQLite:${file}`);
    expect(await storage.query({ name: 'room', args: { roomId: file } })).toHaveLength(1);
    await storage.close();
  });

  it('[STORE28] memory: is a new, empty store each time', async () => {
    expect((await migrate('memory:')).applied).toEqual([]);
    const storage = await openStorage('memory:');
    expect(await storage.commit([[insert('chat_rooms', room())]])).toEqual([null]);
    const other = await openStorage('memory:');
    expect(await other.query({ name: 'room', args: { roomId: 'lobby' } })).toEqual([]);
    await storage.close();
    await other.close();
  });

  const refusals: [string, RegExp][] = [
    ['mysql://root:secret@db:3306/', /needs a host, a user and a database/],
    ['mariadb://db:3306/secret', /needs a host, a user and a database/],
    ['mysql:root:secret@db/chat', /needs a host, a user and a database/],
    ['mysql://root:secret@db:33o6/chat', /URL of MySQL is mysql:/],
    ['mysql://root:sec%ret@db/chat', /%25/],
    ['mysql://root:secret@db/chat?password=secret', /\?ssl=true/],
    [`mysql://root:secret@db/${'x'.repeat(65)}`, /at most 64 characters/],
    ['sqlite:', /needs the path of a file/],
    ['sqlite::memory:', /write memory:\.$/],
    ['sqlite://data/a.db', /without \/\//],
    ['postgres://root:secret@db/chat', /sqlite:PATH, mysql:.* or memory:/],
    ['data/a.db', /sqlite:PATH, mysql:.* or memory:/],
    ['', /sqlite:PATH, mysql:.* or memory:/],
  ];
  it.each(refusals)('[STORE28] %s is refused in one line that shows no password', async (url, words) => {
    for (const attempt of [() => openStorage(url), () => migrate(url)]) {
      const refusal = await attempt().catch((thrown: unknown) => thrown);
      expect(refusal).toBeInstanceOf(StorageError);
      expect((refusal as StorageError).message).toMatch(words);
      expect((refusal as StorageError).message).not.toMatch(/secret|\n/);
    }
  });

  it('[STORE28] a path through a file, or to a folder, is refused in one line', async () => {
    const file = newFile();
    writeFileSync(file, '');
    await expect(migrate(`sqlite:${join(file, 'a.db')}`)).rejects.toThrow(/^Can't make the folder .*\.$/);
    await expect(migrate(`sqlite:${dirname(file)}`)).rejects.toThrow(/^Can't open the database .*\.$/);
  });
});
