// Another process holds the lock that the server needs for a commit.
import Driver from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** @returns what lets go again. */
export async function lockDatabase(url: string): Promise<() => Promise<void>> {
  return (await lock(url, true)) as () => Promise<void>;
}

/** Whether some process is in the middle of a write. */
export async function isLocked(url: string): Promise<boolean> {
  const unlock = await lock(url, false);
  await unlock?.();
  return unlock === null;
}

/** @returns null when it is held by somebody else, unless that is waited for. */
async function lock(url: string, waits: boolean): Promise<(() => Promise<void>) | null> {
  const [, file] = /^sqlite:(.+)$/.exec(url) ?? [];
  return file === undefined ? lockMysql(url, waits) : lockSqlite(file, waits);
}

async function lockSqlite(file: string, waits: boolean): Promise<(() => Promise<void>) | null> {
  const driver = new Driver(file, waits ? {} : { timeout: 0 });
  try {
    driver.exec('BEGIN IMMEDIATE');
    return async () => {
      driver.close();
    };
  } catch {
    driver.close();
    return null;
  }
}

/** Each commit asks for the owner's row, and shares a lock of it. */
async function lockMysql(url: string, waits: boolean): Promise<(() => Promise<void>) | null> {
  const connection = await createConnection(url);
  try {
    await connection.query('START TRANSACTION');
    await connection.query(`SELECT * FROM owners FOR UPDATE ${waits ? '' : 'NOWAIT'}`);
    return () => connection.end();
  } catch {
    await connection.end();
    return null;
  }
}
