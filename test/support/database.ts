// The server's database as another process sees it: only what is committed. Whatever the store, a row is what SQLite
// makes of it: times are ISO texts, booleans 0 or 1, bytes a Buffer.
import Driver from 'better-sqlite3';
import { MysqlReader } from './mysql-reader.ts';

export type DatabaseRow = Readonly<Record<string, unknown>>;

interface Reader {
  rows(sql: string, values: readonly (string | number)[]): DatabaseRow[];
  close(): void;
}

export class DatabaseView {
  readonly #reader: Reader;

  /** @param url is not written to: the `databaseUrl` of a server. */
  constructor(url: string) {
    const [, file] = /^sqlite:(.+)$/.exec(url) ?? [];
    this.#reader = file === undefined ? new MysqlReader(url) : new SqliteReader(file);
  }

  /** @param sql in words that all stores understand. */
  rows(sql: string, ...values: readonly (string | number)[]): DatabaseRow[] {
    return this.#reader.rows(sql, values);
  }

  /** The messages of a room in the order of their seq. */
  roomMessages(roomId: string): DatabaseRow[] {
    return this.rows('SELECT * FROM chat_messages WHERE room_id = ? ORDER BY seq', roomId);
  }

  /** The messages kept of a plain topic (its name is without `/topic/`), in the order of their seq. */
  topicMessages(topic: string): DatabaseRow[] {
    return this.rows('SELECT * FROM topic_messages WHERE topic = ? ORDER BY seq', topic);
  }

  /** A user's notifications in the order of their seq. */
  notifications(userId: string): DatabaseRow[] {
    return this.rows('SELECT * FROM notifications WHERE user_id = ? ORDER BY seq', userId);
  }

  /** The operations kept of a document, in the order of their revision. */
  documentOperations(docId: string): DatabaseRow[] {
    return this.rows('SELECT * FROM document_operations WHERE doc_id = ? ORDER BY revision', docId);
  }

  /** What an order was after each of its changes, oldest first. */
  orderChanges(orderId: string): DatabaseRow[] {
    return this.rows('SELECT * FROM order_changes WHERE order_id = ? ORDER BY version', orderId);
  }

  /** The inventory changes kept of all streams, each in the order of its seq. */
  inventoryChanges(): DatabaseRow[] {
    return this.rows('SELECT * FROM inventory_changes ORDER BY stream, seq');
  }

  /** What waits in a queue or is with a consumer, by position. */
  queueMessages(queue: string): DatabaseRow[] {
    return this.rows('SELECT * FROM queue_messages WHERE queue = ? ORDER BY position', queue);
  }

  close(): void {
    this.#reader.close();
  }
}

class SqliteReader implements Reader {
  readonly #connection: Driver.Database;
  readonly #statements = new Map<string, Driver.Statement<unknown[], DatabaseRow>>();

  constructor(file: string) {
    this.#connection = new Driver(file, { readonly: true, fileMustExist: true });
  }

  rows(sql: string, values: readonly (string | number)[]): DatabaseRow[] {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#connection.prepare<unknown[], DatabaseRow>(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...values);
  }

  close(): void {
    this.#connection.close();
  }
}
