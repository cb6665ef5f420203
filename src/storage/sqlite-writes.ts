// Row changes as SQLite statements, each prepared once. Knows no transactions.
import type { Statement } from 'better-sqlite3';
import { toIsoTime } from './iso-time.ts';
import type { Connection } from './sqlite-connection.ts';
import { nearestTime, storableText } from './storable.ts';
import type { Write } from './storage.ts';
import { tables, type ColumnKind, type TableName, type Tables, type TableSchema } from './tables.ts';

type Value = string | number | Uint8Array | null;

function toValue(kind: ColumnKind, value: unknown): Value {
  if (value === null) return null;
  switch (kind) {
    case 'text':
      return storableText(value as string);
    case 'boolean':
      return value ? 1 : 0;
    case 'time':
      return toIsoTime(value as number);
    default:
      return value as Value;
  }
}

class TableWrites<Row> {
  readonly #columns: readonly (readonly [keyof Row & string, ColumnKind])[];
  readonly #schema: TableSchema<Row>;
  readonly #insert: Statement;
  readonly #upsert: Statement;
  readonly #delete: Statement;

  constructor(connection: Connection, name: TableName, schema: TableSchema<Row>) {
    this.#columns = Object.entries(schema.columns) as [keyof Row & string, ColumnKind][];
    this.#schema = schema;
    const names = this.#columns.map(([column]) => column);
    const insert = `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    const changes = names
      .filter((column) => !schema.key.includes(column))
      .map((column) => `${column} = excluded.${column}`);
    this.#insert = connection.prepare(insert);
    // Not INSERT OR REPLACE: that deletes the row first, and with it every row that refers to it.
    this.#upsert = connection.prepare(
      `${insert} ON CONFLICT (${schema.key.join(', ')}) DO UPDATE SET ${changes.join(', ')}`,
    );
    this.#delete = connection.prepare(
      `DELETE FROM ${name} WHERE ${schema.key.map((column) => `${column} = ?`).join(' AND ')}`,
    );
  }

  insert(row: Row): void {
    this.#insert.run(...this.#values(row));
  }

  upsert(row: Row): void {
    this.#upsert.run(...this.#values(row));
  }

  delete(key: Partial<Row>): void {
    this.#delete.run(
      ...this.#schema.key.map((column) => {
        if (key[column] === undefined) throw new TypeError(`A delete needs ${column}.`);
        return toValue(this.#schema.columns[column], key[column]);
      }),
    );
  }

  #values(row: Row): Value[] {
    const values: Value[] = [];
    for (const [column, kind] of this.#columns) values.push(toValue(kind, row[column]));
    return values;
  }
}

type RowWrite<Name extends TableName> = { readonly table: Name; readonly row: Tables[Name] };
type KeyWrite<Name extends TableName> = { readonly table: Name; readonly key: Partial<Tables[Name]> };

export class SqliteWrites {
  readonly #tables: { readonly [Name in TableName]: TableWrites<Tables[Name]> };
  readonly #markRead: Statement;
  readonly #trimTopic: Statement;
  readonly #expireKeys: Statement;
  readonly #expireTopics: Statement;

  /** @throws the driver's error when a table or a column is missing. */
  constructor(connection: Connection) {
    this.#tables = {
      chat_rooms: new TableWrites(connection, 'chat_rooms', tables.chat_rooms),
      chat_room_members: new TableWrites(connection, 'chat_room_members', tables.chat_room_members),
      chat_messages: new TableWrites(connection, 'chat_messages', tables.chat_messages),
      chat_read_positions: new TableWrites(connection, 'chat_read_positions', tables.chat_read_positions),
      topics: new TableWrites(connection, 'topics', tables.topics),
      topic_messages: new TableWrites(connection, 'topic_messages', tables.topic_messages),
      durable_positions: new TableWrites(connection, 'durable_positions', tables.durable_positions),
      idempotency_keys: new TableWrites(connection, 'idempotency_keys', tables.idempotency_keys),
    };
    this.#markRead = connection.prepare(
      `UPDATE chat_messages SET status = 'READ', updated_at = ?
        WHERE room_id = ? AND seq > ? AND seq <= ? AND sender_id <> ? AND status <> 'READ'`,
    );
    this.#trimTopic = connection.prepare('DELETE FROM topic_messages WHERE topic = ? AND seq <= ?');
    this.#expireKeys = connection.prepare('DELETE FROM idempotency_keys WHERE created_at < ?');
    // The messages go with their topic's row, by its foreign key.
    this.#expireTopics = connection.prepare(
      `DELETE FROM topics WHERE coalesce(
         (SELECT message.created_at FROM topic_messages AS message
           WHERE message.topic = topics.topic ORDER BY message.seq DESC LIMIT 1),
         topics.created_at) < ?`,
    );
  }

  /** @throws the driver's error, or a RangeError or TypeError for a value that can't be stored. */
  apply(write: Write): void {
    switch (write.op) {
      case 'insert':
        return this.#insertRow(write);
      case 'upsert':
        return this.#upsertRow(write);
      case 'delete':
        return this.#deleteRow(write);
      case 'mark_read': {
        const { roomId, readerId, after, upto, at } = write;
        this.#markRead.run(toIsoTime(at), storableText(roomId), after, upto, storableText(readerId));
        return;
      }
      case 'trim_topic':
        this.#trimTopic.run(storableText(write.topic), write.upto);
        return;
      case 'expire':
        this.#expireKeys.run(toIsoTime(nearestTime(write.keysBefore)));
        this.#expireTopics.run(toIsoTime(nearestTime(write.topicsBefore)));
    }
  }

  #insertRow<Name extends TableName>(write: RowWrite<Name>): void {
    this.#tables[write.table].insert(write.row);
  }

  #upsertRow<Name extends TableName>(write: RowWrite<Name>): void {
    this.#tables[write.table].upsert(write.row);
  }

  #deleteRow<Name extends TableName>(write: KeyWrite<Name>): void {
    this.#tables[write.table].delete(write.key);
  }
}
