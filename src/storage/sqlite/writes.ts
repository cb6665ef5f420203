// Writes as SQLite statements, each prepared once. Knows no transactions.
import type { Statement } from 'better-sqlite3';
import { toIsoTime } from '../sql/iso-time.ts';
import { schemas, type TableSchema } from '../schema.ts';
import type { Connection } from './connection.ts';
import { SqliteTable } from './table.ts';
import { nearestTime, storableText } from '../storable.ts';
import type { AppendedName, Write } from '../storage.ts';
import type { TableName, Tables } from '../tables.ts';

type SqliteTables = { readonly [Name in TableName]: SqliteTable<Tables[Name]> };
type RowWrite<Name extends TableName> = { readonly table: Name; readonly row: Tables[Name] };
type KeyWrite<Name extends TableName> = { readonly table: Name; readonly key: Partial<Tables[Name]> };
type Append<Name extends AppendedName> = RowWrite<Name> & { readonly stream: string; readonly epoch: string };

function prepareTables(connection: Connection): SqliteTables {
  const made = Object.entries(schemas).map(([name, schema]) => [
    name,
    new SqliteTable(connection, name as TableName, schema as TableSchema<Tables[TableName]>),
  ]);
  return Object.fromEntries(made) as SqliteTables;
}

export class SqliteWrites {
  readonly #tables: SqliteTables;
  readonly #nextSeq: Statement<[string, string], number>;
  readonly #markRead: Statement;
  readonly #trimTopic: Statement;
  readonly #trimInventory: Statement;
  readonly #trimOperations: Statement;
  readonly #trimSnapshots: Statement;
  readonly #expireKeys: Statement;
  readonly #expireAnswers: Statement;
  readonly #expireTopics: Statement;

  /** @throws the driver's error when a table or a column is missing. */
  constructor(connection: Connection) {
    this.#tables = prepareTables(connection);
    this.#nextSeq = connection
      .prepare<[string, string], number>(
        `INSERT INTO streams (stream, epoch, seq) VALUES (?, ?, 1)
          ON CONFLICT (stream) DO UPDATE SET seq = seq + 1 RETURNING seq`,
      )
      .pluck();
    this.#markRead = connection.prepare(
      `UPDATE chat_messages SET status = 'READ', updated_at = ?
        WHERE room_id = ? AND seq > ? AND seq <= ? AND sender_id <> ? AND status <> 'READ'`,
    );
    this.#trimTopic = connection.prepare('DELETE FROM topic_messages WHERE topic = ? AND seq <= ?');
    this.#trimInventory = connection.prepare('DELETE FROM inventory_changes WHERE stream = ? AND seq <= ?');
    this.#trimOperations = connection.prepare(
      'DELETE FROM document_operations WHERE doc_id = ? AND revision < ?',
    );
    this.#trimSnapshots = connection.prepare(
      'DELETE FROM document_snapshots WHERE doc_id = ? AND revision < ?',
    );
    this.#expireKeys = connection.prepare('DELETE FROM idempotency_keys WHERE created_at < ?');
    this.#expireAnswers = connection.prepare('DELETE FROM command_answers WHERE created_at < ?');
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
      case 'append':
        return this.#appendRow(write);
      case 'mark_read': {
        const { roomId, readerId, after, upto, at } = write;
        this.#markRead.run(toIsoTime(at), storableText(roomId), after, upto, storableText(readerId));
        return;
      }
      case 'trim_topic':
        this.#trimTopic.run(storableText(write.topic), write.upto);
        return;
      case 'trim_inventory':
        this.#trimInventory.run(storableText(write.stream), write.upto);
        return;
      case 'trim_document':
        this.#trimOperations.run(storableText(write.docId), write.operationsBefore);
        this.#trimSnapshots.run(storableText(write.docId), write.snapshotsBefore);
        return;
      case 'expire': {
        const keysBefore = toIsoTime(nearestTime(write.keysBefore));
        this.#expireKeys.run(keysBefore);
        this.#expireAnswers.run(keysBefore);
        this.#expireTopics.run(toIsoTime(nearestTime(write.topicsBefore)));
      }
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

  #appendRow<Name extends AppendedName>({ table, stream, epoch, row }: Append<Name>): void {
    // Whether made or changed, the counter's row is returned.
    const seq = this.#nextSeq.get(storableText(stream), storableText(epoch)) as number;
    this.#tables[table].insert({ ...row, seq });
  }
}
