// The tables in memory with their groups, second keys and references.
import { Groups, MemoryTable, type Undo } from './table.ts';
import { schemas } from '../schema.ts';
import { compareText } from '../storable.ts';
import type { TableName, Tables } from '../tables.ts';

/** Rows of one table that refer to a row of another, and go with it. */
interface Reference {
  readonly child: TableName;
  readonly parent: TableName;
  readonly isKept: (row: object) => boolean;
  readonly forget: (parentKey: string, undo: Undo[]) => void;
}

const bySeq = (one: { seq: number }, other: { seq: number }) => one.seq - other.seq;
const byRevision = (one: { revision: number }, other: { revision: number }) => one.revision - other.revision;

/** Groups of which a parent is named by the column that its rows are grouped by. */
type ParentColumn = 'room_id' | 'topic' | 'order_id' | 'doc_id';

export class MemoryRows {
  readonly membersOfRoom = new Groups<Tables['chat_room_members']>(
    (member) => member.room_id,
    (one, other) => one.joined_at - other.joined_at || compareText(one.user_id, other.user_id),
  );
  readonly membershipsOfUser = new Groups<Tables['chat_room_members']>(
    (member) => member.user_id,
    (one, other) => compareText(one.room_id, other.room_id),
  );
  readonly messagesOfRoom = new Groups<Tables['chat_messages']>((message) => message.room_id, bySeq);
  readonly positionsOfRoom = new Groups<Tables['chat_read_positions']>(
    (position) => position.room_id,
    (one, other) => compareText(one.user_id, other.user_id),
  );
  readonly messagesOfTopic = new Groups<Tables['topic_messages']>((message) => message.topic, bySeq);
  readonly keysOfActor = new Groups<Tables['idempotency_keys']>(
    (key) => key.actor,
    (one, other) =>
      other.created_at - one.created_at ||
      compareText(one.command, other.command) ||
      compareText(one.user_id, other.user_id) ||
      compareText(one.idempotency_key, other.idempotency_key),
  );
  readonly notificationsOfUser = new Groups<Tables['notifications']>((row) => row.user_id, bySeq);
  readonly changesOfOrder = new Groups<Tables['order_changes']>(
    (change) => change.order_id,
    (one, other) => one.version - other.version,
  );
  /** One group, of all products. */
  readonly products = new Groups<Tables['products']>(
    () => '',
    (one, other) => compareText(one.product_id, other.product_id),
  );
  readonly changesOfStream = new Groups<Tables['inventory_changes']>((change) => change.stream, bySeq);
  readonly operationsOfDocument = new Groups<Tables['document_operations']>(
    (operation) => operation.doc_id,
    byRevision,
  );
  readonly snapshotsOfDocument = new Groups<Tables['document_snapshots']>(
    (snapshot) => snapshot.doc_id,
    byRevision,
  );
  readonly messagesOfQueue = new Groups<Tables['queue_messages']>(
    (message) => message.queue,
    (one, other) => one.position - other.position,
  );
  readonly acksOfUser = new Groups<Tables['replay_acks']>(
    (ack) => ack.user_id,
    (one, other) => compareText(one.room_id, other.room_id),
  );

  readonly tables: { readonly [Name in TableName]: MemoryTable<Tables[Name]> } = {
    chat_rooms: new MemoryTable('chat_rooms', schemas.chat_rooms),
    chat_room_members: new MemoryTable('chat_room_members', schemas.chat_room_members, {
      groups: [this.membersOfRoom, this.membershipsOfUser],
    }),
    chat_messages: new MemoryTable('chat_messages', schemas.chat_messages, { unique: [this.messagesOfRoom] }),
    chat_read_positions: new MemoryTable('chat_read_positions', schemas.chat_read_positions, {
      groups: [this.positionsOfRoom],
    }),
    topics: new MemoryTable('topics', schemas.topics),
    topic_messages: new MemoryTable('topic_messages', schemas.topic_messages, {
      groups: [this.messagesOfTopic],
    }),
    durable_positions: new MemoryTable('durable_positions', schemas.durable_positions),
    idempotency_keys: new MemoryTable('idempotency_keys', schemas.idempotency_keys, {
      groups: [this.keysOfActor],
    }),
    command_answers: new MemoryTable('command_answers', schemas.command_answers),
    streams: new MemoryTable('streams', schemas.streams),
    notifications: new MemoryTable('notifications', schemas.notifications, {
      unique: [this.notificationsOfUser],
    }),
    orders: new MemoryTable('orders', schemas.orders),
    order_changes: new MemoryTable('order_changes', schemas.order_changes, { groups: [this.changesOfOrder] }),
    products: new MemoryTable('products', schemas.products, { groups: [this.products] }),
    inventory_changes: new MemoryTable('inventory_changes', schemas.inventory_changes, {
      groups: [this.changesOfStream],
    }),
    prices: new MemoryTable('prices', schemas.prices),
    portfolios: new MemoryTable('portfolios', schemas.portfolios),
    last_seen: new MemoryTable('last_seen', schemas.last_seen),
    documents: new MemoryTable('documents', schemas.documents),
    document_operations: new MemoryTable('document_operations', schemas.document_operations, {
      groups: [this.operationsOfDocument],
    }),
    document_snapshots: new MemoryTable('document_snapshots', schemas.document_snapshots, {
      groups: [this.snapshotsOfDocument],
    }),
    queue_messages: new MemoryTable('queue_messages', schemas.queue_messages, {
      unique: [this.messagesOfQueue],
    }),
    actor_snapshots: new MemoryTable('actor_snapshots', schemas.actor_snapshots),
    replay_acks: new MemoryTable('replay_acks', schemas.replay_acks, { groups: [this.acksOfUser] }),
  };

  readonly #references: readonly Reference[] = [
    this.#reference('chat_room_members', this.membersOfRoom, 'chat_rooms', 'room_id'),
    this.#reference('chat_messages', this.messagesOfRoom, 'chat_rooms', 'room_id'),
    this.#reference('chat_read_positions', this.positionsOfRoom, 'chat_rooms', 'room_id'),
    this.#reference('topic_messages', this.messagesOfTopic, 'topics', 'topic'),
    this.#reference('order_changes', this.changesOfOrder, 'orders', 'order_id'),
    this.#reference('document_operations', this.operationsOfDocument, 'documents', 'doc_id'),
    this.#reference('document_snapshots', this.snapshotsOfDocument, 'documents', 'doc_id'),
  ];

  /** Whether what the row refers to is there. */
  isKept(table: TableName, row: object): boolean {
    return this.#references.every(({ child, isKept }) => child !== table || isKept(row));
  }

  /** Deletes the row with that key, and with it all that refers to it. */
  delete<Name extends TableName>(table: Name, key: Partial<Tables[Name]>, undo: Undo[]): void {
    if (!this.tables[table].delete(key, undo)) return;
    const [column] = schemas[table].key;
    for (const { parent, forget } of this.#references) {
      if (parent === table) forget(String(key[column as keyof typeof key]), undo);
    }
  }

  #reference<Child extends TableName>(
    child: Child,
    groups: Groups<Tables[Child]>,
    parent: TableName,
    column: ParentColumn,
  ): Reference {
    const table: MemoryTable<Tables[Child]> = this.tables[child];
    return {
      child,
      parent,
      isKept: (row) =>
        this.tables[parent].get({ [column]: (row as Record<string, unknown>)[column] }) !== undefined,
      forget: (parentKey, undo) => {
        for (const row of groups.of(parentKey).slice()) table.delete(row, undo);
      },
    };
  }
}
