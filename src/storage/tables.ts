// The tables as the rest of the server sees them: names and columns of the database, times as milliseconds.

export interface ChatRoomRow {
  room_id: string;
  name: string;
  created_by: string;
  is_private: boolean;
  created_at: number;
  updated_at: number | null;
  /** Names the life of the room's message stream; see `resume`. */
  epoch: string;
}

export interface ChatRoomMemberRow {
  /** A room that is there; its rows go with it. */
  room_id: string;
  user_id: string;
  role: string;
  joined_at: number;
}

export interface ChatMessageRow {
  message_id: string;
  /** A room that is there; its rows go with it. */
  room_id: string;
  sender_id: string;
  content: string;
  message_type: string;
  status: string;
  created_at: number;
  updated_at: number | null;
  /** +1 per message of the room; unique in the room. */
  seq: number;
}

/** How far a user has read a room. */
export interface ChatReadPositionRow {
  /** A room that is there; its rows go with it. */
  room_id: string;
  user_id: string;
  seq: number;
  read_at: number;
}

/** One plain destination that holds messages. */
export interface TopicRow {
  topic: string;
  epoch: string;
  created_at: number;
}

export interface TopicMessageRow {
  /** A topic that is there; its rows go with it. */
  topic: string;
  seq: number;
  sender_id: string;
  /** Headers of the SEND that go out with the message: a JSON object of strings, or null for none. */
  headers: string | null;
  body: Uint8Array;
  /** Whether the body is UTF-8 text. */
  is_text: boolean;
  created_at: number;
}

/** How far a durable subscription has been acknowledged. */
export interface DurablePositionRow {
  user_id: string;
  name: string;
  destination: string;
  epoch: string;
  seq: number;
  updated_at: number;
}

/** A command already applied; a repeat of it is answered and has no second effect. */
export interface IdempotencyKeyRow {
  /** `kind/id` of the actor that applied it. */
  actor: string;
  command: string;
  user_id: string;
  idempotency_key: string;
  created_at: number;
}

/** The life of a stream that many actors append to, and the seq of its newest message. */
export interface StreamRow {
  stream: string;
  epoch: string;
  seq: number;
}

export interface NotificationRow {
  notification_id: string;
  user_id: string;
  type: string;
  message: string;
  reference_id: string | null;
  is_read: boolean;
  created_at: number;
  read_at: number | null;
  /** +1 per notification of the user; unique for the user. */
  seq: number;
}

export interface OrderRow {
  order_id: string;
  user_id: string;
  status: string;
  estimated_delivery: number | null;
  current_location: string | null;
  created_at: number;
  updated_at: number;
  /** +1 per change; 1 when it is made. */
  version: number;
}

/** What an order was after one of its changes. */
export interface OrderChangeRow {
  /** An order that is there; its rows go with it. */
  order_id: string;
  version: number;
  status: string;
  estimated_delivery: number | null;
  current_location: string | null;
  changed_by: string;
  changed_at: number;
}

export interface ProductRow {
  product_id: string;
  name: string | null;
  quantity: number;
  /** +1 per change. */
  version: number;
  updated_at: number;
}

/** One message of a stream of inventory changes. */
export interface InventoryChangeRow {
  stream: string;
  /** +1 per message of the stream. */
  seq: number;
  product_id: string;
  quantity: number;
  urgent: boolean;
  version: number;
  created_at: number;
}

/** The last known price of a symbol. */
export interface PriceRow {
  symbol: string;
  /** Decimal texts. */
  price: string;
  /** First price of `day`. */
  open: string;
  /** UTC day, as `2026-01-31`. */
  day: string;
  volume: number;
  updated_at: number;
}

export interface PortfolioRow {
  user_id: string;
  /** JSON: `[[symbol, quantity], …]`, quantities as decimal texts. */
  holdings: string;
  updated_at: number;
}

/** When a user was last known to be there. */
export interface LastSeenRow {
  user_id: string;
  last_seen: number;
}

export interface DocumentRow {
  doc_id: string;
  epoch: string;
  created_at: number;
}

export interface DocumentOperationRow {
  /** A document that is there; its rows go with it. */
  doc_id: string;
  /** The revision it was applied on. */
  revision: number;
  operation_id: string;
  user_id: string;
  /** The revision it was based on, as its sender said. */
  base_revision: number;
  /** JSON: `[[position, length, text, removed text], …]` in coordinates of `revision`. */
  changes: string;
  /** The revision of the operation that this one takes back; null for an ordinary one. */
  undoes: number | null;
  /** Whether it was taken back. */
  is_undone: boolean;
  created_at: number;
}

export interface DocumentSnapshotRow {
  /** A document that is there; its rows go with it. */
  doc_id: string;
  revision: number;
  content: string;
  created_at: number;
}

/** A message that waits in a queue or is with a consumer that has not acknowledged it. */
export interface QueueMessageRow {
  message_id: string;
  queue: string;
  /** Orders the messages of a queue; unique in the queue. */
  position: number;
  sender_id: string;
  /** As of TopicMessageRow. */
  headers: string | null;
  body: Uint8Array;
  is_text: boolean;
  /** How often it came back. */
  tries: number;
  created_at: number;
}

/** What an actor's state was, so that a load reads only what came later. Worth nothing unless it checks out. */
export interface ActorSnapshotRow {
  actor: string;
  /** As of src/storage/snapshot.ts. */
  body: Uint8Array;
  created_at: number;
}

/** Which messages of a room a user has acknowledged for its replays. */
export interface ReplayAckRow {
  user_id: string;
  room_id: string;
  /** JSON: ranges of seqs, `[[from, to], …]`, ascending, both ends included. */
  ranges: string;
  updated_at: number;
}

/** What a REST command with an idempotency key was answered. */
export interface CommandAnswerRow {
  actor: string;
  command: string;
  user_id: string;
  idempotency_key: string;
  answer: string;
  created_at: number;
}

export interface Tables {
  chat_rooms: ChatRoomRow;
  chat_room_members: ChatRoomMemberRow;
  chat_messages: ChatMessageRow;
  chat_read_positions: ChatReadPositionRow;
  topics: TopicRow;
  topic_messages: TopicMessageRow;
  durable_positions: DurablePositionRow;
  idempotency_keys: IdempotencyKeyRow;
  command_answers: CommandAnswerRow;
  streams: StreamRow;
  notifications: NotificationRow;
  orders: OrderRow;
  order_changes: OrderChangeRow;
  products: ProductRow;
  inventory_changes: InventoryChangeRow;
  prices: PriceRow;
  portfolios: PortfolioRow;
  last_seen: LastSeenRow;
  documents: DocumentRow;
  document_operations: DocumentOperationRow;
  document_snapshots: DocumentSnapshotRow;
  queue_messages: QueueMessageRow;
  replay_acks: ReplayAckRow;
  actor_snapshots: ActorSnapshotRow;
}

export type TableName = keyof Tables;
