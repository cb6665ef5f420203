// What each write does to the tables in memory.
import type { MemoryRows } from './rows.ts';
import { firstIndex, type Undo } from './table.ts';
import { nearestTime, storableText, storableTime } from '../storable.ts';
import { StorageError, type AppendedName, type Write } from '../storage.ts';
import type { TableName, Tables } from '../tables.ts';

type RowWrite<Name extends TableName> = { readonly table: Name; readonly row: Tables[Name] };
type Append<Name extends AppendedName> = RowWrite<Name> & { readonly stream: string; readonly epoch: string };
type MarkRead = Extract<Write, { op: 'mark_read' }>;
type TrimDocument = Extract<Write, { op: 'trim_document' }>;

export class MemoryWrites {
  readonly #rows: MemoryRows;

  constructor(rows: MemoryRows) {
    this.#rows = rows;
  }

  /**
   * Appends to `undo` what takes the change back, also when it throws.
   *
   * @throws StorageError with reason CONSTRAINT, or a RangeError or TypeError for a value that can't be stored.
   */
  apply(write: Write, undo: Undo[]): void {
    switch (write.op) {
      case 'insert':
        return this.#insert(write, undo);
      case 'upsert':
        return this.#upsert(write, undo);
      case 'delete':
        return this.#rows.delete(write.table, write.key, undo);
      case 'append':
        return this.#append(write, undo);
      case 'mark_read':
        return this.#markRead(write, undo);
      case 'trim_topic':
        return this.#trim('topic_messages', this.#rows.messagesOfTopic.of(write.topic), write.upto, undo);
      case 'trim_inventory':
        return this.#trim('inventory_changes', this.#rows.changesOfStream.of(write.stream), write.upto, undo);
      case 'trim_document':
        return this.#trimDocument(write, undo);
      case 'expire':
        this.#expireKeys(nearestTime(write.keysBefore), undo);
        this.#expireTopics(nearestTime(write.topicsBefore), undo);
    }
  }

  #insert<Name extends TableName>({ table, row }: RowWrite<Name>, undo: Undo[]): void {
    this.#rows.tables[table].insert(row, undo);
    this.#assertKept(table, row);
  }

  #upsert<Name extends TableName>({ table, row }: RowWrite<Name>, undo: Undo[]): void {
    this.#rows.tables[table].upsert(row, undo);
    this.#assertKept(table, row);
  }

  #assertKept(table: TableName, row: object): void {
    if (this.#rows.isKept(table, row)) return;
    throw new StorageError('CONSTRAINT', `A row of ${table} refers to one that is not there.`);
  }

  #append<Name extends AppendedName>({ table, stream, epoch, row }: Append<Name>, undo: Undo[]): void {
    const { streams } = this.#rows.tables;
    const before = streams.get({ stream });
    const seq = (before?.seq ?? 0) + 1;
    streams.upsert({ stream, epoch: before?.epoch ?? epoch, seq }, undo);
    this.#insert({ table, row: { ...row, seq } }, undo);
  }

  #markRead({ roomId, readerId, after, upto, at }: MarkRead, undo: Undo[]): void {
    const messages = this.#rows.messagesOfRoom.of(roomId);
    const reader = storableText(readerId);
    const readAt = storableTime(at);
    const start = firstIndex(messages, ({ seq }) => seq > after);
    const end = firstIndex(messages, ({ seq }) => seq > upto);
    for (const message of messages.slice(start, end)) {
      if (message.sender_id === reader || message.status === 'READ') continue;
      this.#rows.tables.chat_messages.upsert({ ...message, status: 'READ', updated_at: readAt }, undo);
    }
  }

  #trim<Name extends 'topic_messages' | 'inventory_changes'>(
    table: Name,
    messages: readonly Tables[Name][],
    upto: number,
    undo: Undo[],
  ): void {
    const end = firstIndex(messages, ({ seq }) => seq > upto);
    for (const message of messages.slice(0, end)) this.#rows.delete(table, message, undo);
  }

  #trimDocument({ docId, operationsBefore, snapshotsBefore }: TrimDocument, undo: Undo[]): void {
    const { document_operations, document_snapshots } = this.#rows.tables;
    const operations = this.#rows.operationsOfDocument.of(docId);
    const operationsEnd = firstIndex(operations, ({ revision }) => revision >= operationsBefore);
    for (const row of operations.slice(0, operationsEnd)) document_operations.delete(row, undo);
    const snapshots = this.#rows.snapshotsOfDocument.of(docId);
    const snapshotsEnd = firstIndex(snapshots, ({ revision }) => revision >= snapshotsBefore);
    for (const row of snapshots.slice(0, snapshotsEnd)) document_snapshots.delete(row, undo);
  }

  #expireKeys(before: number, undo: Undo[]): void {
    const { idempotency_keys, command_answers } = this.#rows.tables;
    for (const table of [idempotency_keys, command_answers]) {
      for (const row of table.rows()) if (row.created_at < before) table.delete(row, undo);
    }
  }

  #expireTopics(before: number, undo: Undo[]): void {
    for (const topic of this.#rows.tables.topics.rows()) {
      const newest = this.#rows.messagesOfTopic.of(topic.topic).at(-1);
      if ((newest ?? topic).created_at < before) this.#rows.delete('topics', topic, undo);
    }
  }
}
