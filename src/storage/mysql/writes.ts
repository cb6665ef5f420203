// Writes as MySQL statements. Knows no transactions.
import { schemas, type ColumnKind, type TableSchema } from '../schema.ts';
import { nearestTime, storableText } from '../storable.ts';
import type { Write } from '../storage.ts';
import type { TableName } from '../tables.ts';
import type { MysqlLink } from './link.ts';
import { toDateTime, toValue, type Value } from './values.ts';

type Row = Readonly<Record<string, unknown>>;

/** Tables whose rows have a place beside their key, which another row may have taken. */
const placed: ReadonlySet<TableName> = new Set(['chat_messages', 'notifications', 'queue_messages']);

const schemaOf = (table: TableName) => schemas[table] as unknown as TableSchema<Record<string, unknown>>;

interface Statements {
  readonly columns: readonly (readonly [string, ColumnKind])[];
  readonly key: readonly string[];
  readonly insert: string;
  readonly upsert: string;
  readonly update: string;
  readonly delete: string;
}

function statementsOf(table: TableName): Statements {
  const { columns, key } = schemaOf(table);
  const names = Object.keys(columns);
  const others = names.filter((name) => !key.includes(name));
  const insert = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  const where = key.map((name) => `${name} = ?`).join(' AND ');
  const changes = (others.length === 0 ? key : others).map((name) => `${name} = VALUES(${name})`).join(', ');
  return {
    columns: Object.entries(columns),
    key,
    insert,
    upsert: `${insert} ON DUPLICATE KEY UPDATE ${changes}`,
    update: `UPDATE ${table} SET ${others.map((name) => `${name} = ?`).join(', ')} WHERE ${where}`,
    delete: `DELETE FROM ${table} WHERE ${where}`,
  };
}

const statements = Object.fromEntries(
  (Object.keys(schemas) as TableName[]).map((table) => [table, statementsOf(table)]),
) as Readonly<Record<TableName, Statements>>;

export class MysqlWrites {
  readonly #link: MysqlLink;

  constructor(link: MysqlLink) {
    this.#link = link;
  }

  /** @throws the driver's error, or a RangeError or TypeError for a value that can't be stored. */
  async apply(write: Write): Promise<void> {
    switch (write.op) {
      case 'insert':
        return this.#run(
          statements[write.table].insert,
          this.#values(write.table, write.row as unknown as Row),
        );
      case 'upsert':
        return this.#upsert(write.table, write.row as unknown as Row);
      case 'delete':
        return this.#delete(write.table, write.key as Row);
      case 'append':
        return this.#append(write);
      case 'mark_read':
        return this.#run(
          `UPDATE chat_messages SET status = 'READ', updated_at = ?
            WHERE room_id = ? AND seq > ? AND seq <= ? AND sender_id <> ? AND status <> 'READ'`,
          [
            toDateTime(write.at),
            storableText(write.roomId),
            write.after,
            write.upto,
            storableText(write.readerId),
          ],
        );
      case 'trim_topic':
        return this.#run('DELETE FROM topic_messages WHERE topic = ? AND seq <= ?', [
          storableText(write.topic),
          write.upto,
        ]);
      case 'trim_inventory':
        return this.#run('DELETE FROM inventory_changes WHERE stream = ? AND seq <= ?', [
          storableText(write.stream),
          write.upto,
        ]);
      case 'trim_document': {
        const docId = storableText(write.docId);
        await this.#run('DELETE FROM document_operations WHERE doc_id = ? AND revision < ?', [
          docId,
          write.operationsBefore,
        ]);
        return this.#run('DELETE FROM document_snapshots WHERE doc_id = ? AND revision < ?', [
          docId,
          write.snapshotsBefore,
        ]);
      }
      case 'expire':
        return this.#expire(
          toDateTime(nearestTime(write.keysBefore)),
          toDateTime(nearestTime(write.topicsBefore)),
        );
    }
  }

  async #upsert(table: TableName, row: Row): Promise<void> {
    const values = this.#values(table, row);
    if (!placed.has(table)) return this.#run(statements[table].upsert, values);
    // ON DUPLICATE KEY would change the row that has the place.
    const { columns, key, update, insert } = statements[table];
    const value = new Map(columns.map(([name], index) => [name, values[index] as Value]));
    const others = columns.filter(([name]) => !key.includes(name)).map(([name]) => value.get(name) as Value);
    const keys = key.map((name) => value.get(name) as Value);
    const { affected } = await this.#link.execute(update, [...others, ...keys]);
    if (affected === 0) await this.#run(insert, values);
  }

  async #delete(table: TableName, key: Row): Promise<void> {
    const { columns } = schemaOf(table);
    const values = statements[table].key.map((name) => {
      if (key[name] === undefined) throw new TypeError(`A delete needs ${name}.`);
      return toValue(columns[name] as ColumnKind, key[name]);
    });
    await this.#run(statements[table].delete, values);
  }

  async #append({ table, stream, epoch, row }: Extract<Write, { op: 'append' }>): Promise<void> {
    const name = storableText(stream);
    await this.#run(
      'INSERT INTO streams (stream, epoch, seq) VALUES (?, ?, 1) ON DUPLICATE KEY UPDATE seq = seq + 1',
      [name, storableText(epoch)],
    );
    const { rows } = await this.#link.execute('SELECT seq FROM streams WHERE stream = ?', [name]);
    await this.#run(statements[table].insert, this.#values(table, { ...row, seq: Number(rows[0]?.['seq']) }));
  }

  async #expire(keysBefore: string, topicsBefore: string): Promise<void> {
    await this.#run('DELETE FROM idempotency_keys WHERE created_at < ?', [keysBefore]);
    await this.#run('DELETE FROM command_answers WHERE created_at < ?', [keysBefore]);
    await this.#run(
      `DELETE FROM topics WHERE coalesce(
         (SELECT message.created_at FROM topic_messages AS message
           WHERE message.topic = topics.topic ORDER BY message.seq DESC LIMIT 1),
         topics.created_at) < ?`,
      [topicsBefore],
    );
  }

  async #run(sql: string, values: readonly Value[]): Promise<void> {
    await this.#link.execute(sql, [...values]);
  }

  #values(table: TableName, row: Row): Value[] {
    return statements[table].columns.map(([column, kind]) => toValue(kind, row[column]));
  }
}
