// The tables as the stores see them: what each needs to translate a value into its own type and back, and to find a row.
import type { TableName, Tables } from './tables.ts';

export type ColumnKind = 'text' | 'integer' | 'boolean' | 'time' | 'bytes';

export interface TableSchema<Row> {
  readonly columns: { readonly [Column in keyof Row]: ColumnKind };
  /** The columns that name a row: what `upsert` and `delete` go by. */
  readonly key: readonly (keyof Row & string)[];
  /** What two rows may not share although it is not their key: the owner and the place there. */
  readonly place?: readonly [owner: keyof Row & string, place: keyof Row & string];
  /** The table of the row that this one goes with; the column that names it is called as there. */
  readonly parent?: TableName;
}

/** Of every table. */
export const schemas: { readonly [Name in TableName]: TableSchema<Tables[Name]> } = {
  chat_rooms: {
    columns: {
      room_id: 'text',
      name: 'text',
      created_by: 'text',
      is_private: 'boolean',
      created_at: 'time',
      updated_at: 'time',
      epoch: 'text',
    },
    key: ['room_id'],
  },
  chat_room_members: {
    columns: { room_id: 'text', user_id: 'text', role: 'text', joined_at: 'time' },
    key: ['room_id', 'user_id'],
    parent: 'chat_rooms',
  },
  chat_messages: {
    columns: {
      message_id: 'text',
      room_id: 'text',
      sender_id: 'text',
      content: 'text',
      message_type: 'text',
      status: 'text',
      created_at: 'time',
      updated_at: 'time',
      seq: 'integer',
    },
    key: ['message_id'],
    place: ['room_id', 'seq'],
    parent: 'chat_rooms',
  },
  chat_read_positions: {
    columns: { room_id: 'text', user_id: 'text', seq: 'integer', read_at: 'time' },
    key: ['room_id', 'user_id'],
    parent: 'chat_rooms',
  },
  topics: {
    columns: { topic: 'text', epoch: 'text', created_at: 'time' },
    key: ['topic'],
  },
  topic_messages: {
    columns: {
      topic: 'text',
      seq: 'integer',
      sender_id: 'text',
      headers: 'text',
      body: 'bytes',
      is_text: 'boolean',
      created_at: 'time',
    },
    key: ['topic', 'seq'],
    parent: 'topics',
  },
  durable_positions: {
    columns: {
      user_id: 'text',
      name: 'text',
      destination: 'text',
      epoch: 'text',
      seq: 'integer',
      updated_at: 'time',
    },
    key: ['user_id', 'name', 'destination'],
  },
  idempotency_keys: {
    columns: {
      actor: 'text',
      command: 'text',
      user_id: 'text',
      idempotency_key: 'text',
      created_at: 'time',
    },
    key: ['actor', 'command', 'user_id', 'idempotency_key'],
  },
  command_answers: {
    columns: {
      actor: 'text',
      command: 'text',
      user_id: 'text',
      idempotency_key: 'text',
      answer: 'text',
      created_at: 'time',
    },
    key: ['actor', 'command', 'user_id', 'idempotency_key'],
  },
  streams: { columns: { stream: 'text', epoch: 'text', seq: 'integer' }, key: ['stream'] },
  notifications: {
    columns: {
      notification_id: 'text',
      user_id: 'text',
      type: 'text',
      message: 'text',
      reference_id: 'text',
      is_read: 'boolean',
      created_at: 'time',
      read_at: 'time',
      seq: 'integer',
    },
    key: ['notification_id'],
    place: ['user_id', 'seq'],
  },
  orders: {
    columns: {
      order_id: 'text',
      user_id: 'text',
      status: 'text',
      estimated_delivery: 'time',
      current_location: 'text',
      created_at: 'time',
      updated_at: 'time',
      version: 'integer',
    },
    key: ['order_id'],
  },
  order_changes: {
    columns: {
      order_id: 'text',
      version: 'integer',
      status: 'text',
      estimated_delivery: 'time',
      current_location: 'text',
      changed_by: 'text',
      changed_at: 'time',
    },
    key: ['order_id', 'version'],
    parent: 'orders',
  },
  products: {
    columns: {
      product_id: 'text',
      name: 'text',
      quantity: 'integer',
      version: 'integer',
      updated_at: 'time',
    },
    key: ['product_id'],
  },
  inventory_changes: {
    columns: {
      stream: 'text',
      seq: 'integer',
      product_id: 'text',
      quantity: 'integer',
      urgent: 'boolean',
      version: 'integer',
      created_at: 'time',
    },
    key: ['stream', 'seq'],
  },
  prices: {
    columns: {
      symbol: 'text',
      price: 'text',
      open: 'text',
      day: 'text',
      volume: 'integer',
      updated_at: 'time',
    },
    key: ['symbol'],
  },
  portfolios: { columns: { user_id: 'text', holdings: 'text', updated_at: 'time' }, key: ['user_id'] },
  last_seen: { columns: { user_id: 'text', last_seen: 'time' }, key: ['user_id'] },
  documents: { columns: { doc_id: 'text', epoch: 'text', created_at: 'time' }, key: ['doc_id'] },
  document_operations: {
    columns: {
      doc_id: 'text',
      revision: 'integer',
      operation_id: 'text',
      user_id: 'text',
      base_revision: 'integer',
      changes: 'text',
      undoes: 'integer',
      is_undone: 'boolean',
      created_at: 'time',
    },
    key: ['doc_id', 'revision'],
    parent: 'documents',
  },
  document_snapshots: {
    columns: { doc_id: 'text', revision: 'integer', content: 'text', created_at: 'time' },
    key: ['doc_id', 'revision'],
    parent: 'documents',
  },
  queue_messages: {
    columns: {
      message_id: 'text',
      queue: 'text',
      position: 'integer',
      sender_id: 'text',
      headers: 'text',
      body: 'bytes',
      is_text: 'boolean',
      tries: 'integer',
      created_at: 'time',
    },
    key: ['message_id'],
    place: ['queue', 'position'],
  },
  replay_acks: {
    columns: { user_id: 'text', room_id: 'text', ranges: 'text', updated_at: 'time' },
    key: ['user_id', 'room_id'],
  },
  actor_snapshots: { columns: { actor: 'text', body: 'bytes', created_at: 'time' }, key: ['actor'] },
};
