// The tables in memory with their second keys and references, and what each write does to them.
import { compareText, firstIndex, Groups, MemoryTable, type Undo } from './memory-table.ts';
import { nearestTime, storableText, storableTime } from './storable.ts';
import { StorageError, type Write } from './storage.ts';
import {
  tables,
  type ChatMessageRow,
  type ChatReadPositionRow,
  type ChatRoomMemberRow,
  type IdempotencyKeyRow,
  type TableName,
  type Tables,
  type TopicMessageRow,
} from './tables.ts';

const bySeq = (one: { seq: number }, other: { seq: number }) => one.seq - other.seq;

type RowWrite<Name extends TableName> = { readonly table: Name; readonly row: Tables[Name] };
type KeyWrite<Name extends TableName> = { readonly table: Name; readonly key: Partial<Tables[Name]> };
type MarkRead = Extract<Write, { op: 'mark_read' }>;

export class MemoryTables {
  readonly membersOfRoom = new Groups<ChatRoomMemberRow>(
    (member) => member.room_id,
    (one, other) => one.joined_at - other.joined_at || compareText(one.user_id, other.user_id),
  );
  readonly membershipsOfUser = new Groups<ChatRoomMemberRow>(
    (member) => member.user_id,
    (one, other) => compareText(one.room_id, other.room_id),
  );
  readonly messagesOfRoom = new Groups<ChatMessageRow>((message) => message.room_id, bySeq);
  readonly positionsOfRoom = new Groups<ChatReadPositionRow>(
    (position) => position.room_id,
    (one, other) => compareText(one.user_id, other.user_id),
  );
  readonly messagesOfTopic = new Groups<TopicMessageRow>((message) => message.topic, bySeq);
  readonly keysOfActor = new Groups<IdempotencyKeyRow>(
    (key) => key.actor,
    (one, other) =>
      other.created_at - one.created_at ||
      compareText(one.command, other.command) ||
      compareText(one.user_id, other.user_id) ||
      compareText(one.idempotency_key, other.idempotency_key),
  );

  readonly rows: { readonly [Name in TableName]: MemoryTable<Tables[Name]> } = {
    chat_rooms: new MemoryTable('chat_rooms', tables.chat_rooms),
    chat_room_members: new MemoryTable('chat_room_members', tables.chat_room_members, {
      groups: [this.membersOfRoom, this.membershipsOfUser],
    }),
    chat_messages: new MemoryTable('chat_messages', tables.chat_messages, { unique: [this.messagesOfRoom] }),
    chat_read_positions: new MemoryTable('chat_read_positions', tables.chat_read_positions, {
      groups: [this.positionsOfRoom],
    }),
    topics: new MemoryTable('topics', tables.topics),
    topic_messages: new MemoryTable('topic_messages', tables.topic_messages, {
      groups: [this.messagesOfTopic],
    }),
    durable_positions: new MemoryTable('durable_positions', tables.durable_positions),
    idempotency_keys: new MemoryTable('idempotency_keys', tables.idempotency_keys, {
      groups: [this.keysOfActor],
    }),
  };

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
        return this.#delete(write, undo);
      case 'mark_read':
        return this.#markRead(write, undo);
      case 'trim_topic': {
        const messages = this.messagesOfTopic.of(write.topic);
        const end = firstIndex(messages, (message) => message.seq > write.upto);
        for (const message of messages.slice(0, end)) this.rows.topic_messages.delete(message, undo);
        return;
      }
      case 'expire':
        this.#expireKeys(nearestTime(write.keysBefore), undo);
        this.#expireTopics(nearestTime(write.topicsBefore), undo);
    }
  }

  #insert<Name extends TableName>(write: RowWrite<Name>, undo: Undo[]): void {
    this.rows[write.table].insert(write.row, undo);
    this.#assertReferred(write);
  }

  #upsert<Name extends TableName>(write: RowWrite<Name>, undo: Undo[]): void {
    this.rows[write.table].upsert(write.row, undo);
    this.#assertReferred(write);
  }

  #delete<Name extends TableName>(write: KeyWrite<Name>, undo: Undo[]): void {
    if (!this.rows[write.table].delete(write.key, undo)) return;
    const key: KeyWrite<TableName>['key'] = write.key;
    if (write.table === 'chat_rooms' && 'room_id' in key) this.#forgetRoom(key.room_id ?? '', undo);
    if (write.table === 'topics' && 'topic' in key) this.#forgetTopic(key.topic ?? '', undo);
  }

  #assertReferred(write: RowWrite<TableName>): void {
    const { table, row } = write;
    if (table !== 'chat_rooms' && 'room_id' in row && !this.rows.chat_rooms.get(row)) {
      throw new StorageError('CONSTRAINT', `A row of ${table} refers to a room that is not there.`);
    }
    if (table === 'topic_messages' && 'topic' in row && !this.rows.topics.get(row)) {
      throw new StorageError('CONSTRAINT', `A row of ${table} refers to a topic that is not there.`);
    }
  }

  #forgetRoom(roomId: string, undo: Undo[]): void {
    for (const row of this.membersOfRoom.of(roomId).slice()) this.rows.chat_room_members.delete(row, undo);
    for (const row of this.messagesOfRoom.of(roomId).slice()) this.rows.chat_messages.delete(row, undo);
    for (const row of this.positionsOfRoom.of(roomId).slice())
      this.rows.chat_read_positions.delete(row, undo);
  }

  #forgetTopic(topic: string, undo: Undo[]): void {
    for (const row of this.messagesOfTopic.of(topic).slice()) this.rows.topic_messages.delete(row, undo);
  }

  #markRead({ roomId, readerId, after, upto, at }: MarkRead, undo: Undo[]): void {
    const messages = this.messagesOfRoom.of(roomId);
    const reader = storableText(readerId);
    const readAt = storableTime(at);
    const start = firstIndex(messages, ({ seq }) => seq > after);
    const end = firstIndex(messages, ({ seq }) => seq > upto);
    for (const message of messages.slice(start, end)) {
      if (message.sender_id === reader || message.status === 'READ') continue;
      this.rows.chat_messages.upsert({ ...message, status: 'READ', updated_at: readAt }, undo);
    }
  }

  #expireKeys(before: number, undo: Undo[]): void {
    for (const key of this.rows.idempotency_keys.rows()) {
      if (key.created_at < before) this.rows.idempotency_keys.delete(key, undo);
    }
  }

  #expireTopics(before: number, undo: Undo[]): void {
    for (const topic of this.rows.topics.rows()) {
      const newest = this.messagesOfTopic.of(topic.topic).at(-1);
      if ((newest ?? topic).created_at >= before) continue;
      this.rows.topics.delete(topic, undo);
      this.#forgetTopic(topic.topic, undo);
    }
  }
}
