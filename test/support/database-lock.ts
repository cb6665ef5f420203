// Another process holds a lock, so that the server can't make rooms.
import Driver from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** @returns what lets go again. */
export async function lockDatabase(url: string): Promise<() => Promise<void>> {
  const [, file] = /^sqlite:(.+)$/.exec(url) ?? [];
  if (file !== undefined) {
    const connection = new Driver(file);
    connection.exec('BEGIN IMMEDIATE');
    return async () => {
      connection.close();
    };
  }
  const connection = await createConnection(url);
  await connection.query('LOCK TABLES chat_rooms READ');
  return () => connection.end();
}
