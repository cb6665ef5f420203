// Where a server under test stores what it has given receipts for: one fresh database per round.
import Sqlite from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';

export interface Database {
  /** As `--database-url` takes it. */
  readonly url: string;
  /** Chat messages that are stored, read past the server, which has ended. */
  countMessages(): Promise<number>;
  drop(): Promise<void>;
}

const count = 'SELECT count(*) AS messages FROM chat_messages';

/** A file in a folder that is deleted with it. */
export function sqliteIn(folder: string): Database {
  const file = join(folder, 'stagewire.db');
  return {
    url: `sqlite:${file}`,
    countMessages() {
      const database = new Sqlite(file);
      try {
        return Promise.resolve((database.prepare(count).get() as { messages: number }).messages);
      } finally {
        database.close();
      }
    },
    drop: () => Promise.resolve(),
  };
}

/**
 * A new database of a MySQL or MariaDB server.
 * @param serverUrl of a user who may make and drop databases; a database in it is not looked at.
 * @throws Error when the server can't be reached.
 */
export async function mysqlOn(serverUrl: string): Promise<Database> {
  const name = `stagewire_bench_${randomBytes(6).toString('hex')}`;
  const at = (database: string): string => {
    const url = new URL(serverUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
  const asked = async <T>(ask: (connection: Connection) => Promise<T>, database = ''): Promise<T> => {
    const connection = await createConnection({ uri: at(database) });
    try {
      return await ask(connection);
    } finally {
      await connection.end();
    }
  };
  await asked((connection) => connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`));
  return {
    url: at(name),
    countMessages: () =>
      asked(async (connection) => {
        const [rows] = await connection.query<(RowDataPacket & { messages: number })[]>(count);
        return Number(rows[0]?.messages);
      }, name),
    async drop() {
      await asked((connection) => connection.query(`DROP DATABASE IF EXISTS ${name}`));
    },
  };
}
