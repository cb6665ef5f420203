// Claims of a SQLite file, and what they do about its one lock.
import fs from 'node:fs';
import Driver from 'better-sqlite3';
import { describe, expect, it, vi } from 'vitest';
import { claimSqlite } from '../../src/storage/sqlite/claim.ts';
import { migrateSqlite } from '../../src/storage/sqlite/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import { claimsContract } from './claims.contract.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';
import { insert, message, messages, noon, reasons, room } from './rows.ts';
import { startScript } from './storage-child-process.ts';

removeFilesAfterwards();

claimsContract('sqlite', () => {
  const file = newDatabase();
  return Promise.resolve({
    url: `sqlite:${file}`,
    sql(statement) {
      const driver = new Driver(file);
      try {
        const prepared = driver.prepare<[], Record<string, unknown>>(statement);
        return Promise.resolve(prepared.reader ? prepared.all() : (prepared.run(), []));
      } finally {
        driver.close();
      }
    },
  });
});

const owner = 'a server';
const now = noon;

/** Somebody in the middle of a write. */
function lock(file: string): Driver.Database {
  const holder = new Driver(file);
  holder.exec('BEGIN IMMEDIATE');
  return holder;
}

describe('claims of SQLite only', () => {
  it('[FENCE2] a claim that is lost between the two ways to apply a commit is lost for both', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file, claim: claimSqlite({ file, owner, now }) });
    await storage.commit([[insert('chat_rooms', room())]]);
    const probe = new Driver(file);
    const statements = Object.getPrototypeOf(probe.prepare('ROLLBACK')) as Driver.Statement;
    const run: (...values: unknown[]) => Driver.RunResult = Reflect.get(statements, 'run');
    const spy = vi.spyOn(statements, 'run').mockImplementation(function (this: Driver.Statement, ...values) {
      const result = Reflect.apply(run, this, values);
      if (this.source === 'ROLLBACK') claimSqlite({ file, owner, now });
      return result;
    });
    const stray = [insert('chat_messages', message({ room_id: 'none' }))];
    const outcomes = await storage.commit([stray, messages(1)]);
    spy.mockRestore();
    expect(reasons(outcomes)).toEqual(['FENCED', 'FENCED']);
    expect(probe.prepare('SELECT count(*) FROM chat_messages').pluck().get()).toBe(0);
    probe.close();
    await storage.close();
  });

  it('[FENCE6] to ask whether the claim holds takes no lock and flushes nothing', async () => {
    const file = newDatabase();
    const storage = openSqlite({ file, busyTimeoutMs: 20, claim: claimSqlite({ file, owner, now }) });
    const flush = vi.spyOn(fs, 'fdatasyncSync');
    const holder = lock(file);
    expect(await storage.commit([[], []])).toEqual([null, null]);
    expect(reasons(await storage.commit([[insert('chat_rooms', room())]]))).toEqual(['UNAVAILABLE']);
    holder.close();
    expect(flush).not.toHaveBeenCalled();
    flush.mockRestore();
    await storage.close();
    expect(reasons(await storage.commit([[]]))).toEqual(['UNAVAILABLE']);
  });

  it('[FENCE7] a claim waits for a write that ends', async () => {
    const file = newDatabase();
    const holder = lock(file);
    const child = startScript('./claims-child.js', ['claim', `sqlite:${file}`, owner]);
    await child.line();
    child.say('go');
    expect(JSON.parse(await child.line())).toBe('claiming');
    holder.exec('COMMIT');
    holder.close();
    expect(JSON.parse(await child.line())).toEqual({ territory: '*', epoch: 1 });
    await child.ended();
  });

  it('[FENCE7] one that does not end refuses the claim within its bound, in a line that says what to do', () => {
    const file = newDatabase();
    const holder = lock(file);
    const claiming = (): unknown => claimSqlite({ file, owner, now, busyTimeoutMs: 50 });
    expect(claiming).toThrow(/test\.db was locked for 0\.05 s by another process.*end it or let it go on/);
    // What comes before the claim of a start is not held up.
    expect(migrateSqlite(file).applied).toEqual([]);
    holder.close();
    expect(claiming()).toEqual({ territory: '*', epoch: 1 });
  });
});
