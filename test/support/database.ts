// The server's SQLite file as another process sees it: only what is committed.
import Driver from 'better-sqlite3';

export type DatabaseRow = Readonly<Record<string, unknown>>;

export class DatabaseView {
  readonly #connection: Driver.Database;
  readonly #statements = new Map<string, Driver.Statement<unknown[], DatabaseRow>>();

  /** @param file is not written to. */
  constructor(file: string) {
    this.#connection = new Driver(file, { readonly: true, fileMustExist: true });
  }

  rows(sql: string, ...values: readonly (string | number)[]): DatabaseRow[] {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#connection.prepare<unknown[], DatabaseRow>(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...values);
  }

  /** The messages of a room in the order of their seq. */
  roomMessages(roomId: string): DatabaseRow[] {
    return this.rows('SELECT * FROM chat_messages WHERE room_id = ? ORDER BY seq', roomId);
  }

  /** The messages kept of a plain topic (its name is without `/topic/`), in the order of their seq. */
  topicMessages(topic: string): DatabaseRow[] {
    return this.rows('SELECT * FROM topic_messages WHERE topic = ? ORDER BY seq', topic);
  }

  close(): void {
    this.#connection.close();
  }
}
