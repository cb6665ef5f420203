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
    this.#connection.close();
  }
}
