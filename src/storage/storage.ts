// The storage contract. Nothing outside src/storage knows SQL, a driver, or in which thread a store lives.
import type {
  ChatMessageRow,
  ChatReadPositionRow,
  ChatRoomMemberRow,
  ChatRoomRow,
  CommandAnswerRow,
  DocumentOperationRow,
  DocumentRow,
  DocumentSnapshotRow,
  DurablePositionRow,
  IdempotencyKeyRow,
  InventoryChangeRow,
  LastSeenRow,
  NotificationRow,
  OrderChangeRow,
  OrderRow,
  PortfolioRow,
  PriceRow,
  ProductRow,
  QueueMessageRow,
  ActorSnapshotRow,
  ReplayAckRow,
  TableName,
  Tables,
  TopicMessageRow,
} from './tables.ts';

/**
 * One row change.
 *
 * - `insert` fails with CONSTRAINT when a row with that key is there.
 * - `upsert` replaces the row with that key, or inserts it.
 * - Both fail with CONSTRAINT when the row refers to a room, topic, order or document that is not there, when its place
 *   (`seq` of a message in its room, of a notification for its user, `position` of a message in its queue) is taken by
 *   another row, and for a time outside the years 0000 to 9999.
 * - `delete` removes the row with that key, all columns of which must be given, and with a room, topic, order or
 *   document every row that refers to it; a missing row is no error.
 * - `mark_read` sets the status of a room's messages with `after < seq <= upto`, sent by others than `readerId`
 *   and not yet READ, to READ, with `updated_at` = `at`.
 * - `append` inserts a row with the next seq of a stream that many actors write to: one more than that in `streams`,
 *   where the stream is made with `epoch` and seq 1 when it is not there. The row's own `seq` is not looked at. It fails
 *   as `insert` does, and the next row that is appended then gets that seq.
 * - `trim_topic` removes a topic's messages with `seq <= upto`.
 * - `trim_inventory` removes a stream's inventory changes with `seq <= upto`.
 * - `trim_document` removes a document's operations with `revision < operationsBefore` and its snapshots with
 *   `revision < snapshotsBefore`.
 * - `expire` removes idempotency keys and command answers made before `keysBefore`, and whole topics (row and
 *   messages) whose newest message was stored before `topicsBefore`; a topic without messages goes by its own
 *   `created_at`. An actor that still holds such a topic gets CONSTRAINT for its next message.
 *
 * Half a surrogate pair in a text is stored as U+FFFD.
 */
export type Write =
  | {
      [Name in TableName]: { readonly op: 'insert'; readonly table: Name; readonly row: Tables[Name] };
    }[TableName]
  | {
      [Name in TableName]: { readonly op: 'upsert'; readonly table: Name; readonly row: Tables[Name] };
    }[TableName]
  | {
      [Name in TableName]: {
        readonly op: 'delete';
        readonly table: Name;
        readonly key: Partial<Tables[Name]>;
      };
    }[TableName]
  | {
      readonly op: 'mark_read';
      readonly roomId: string;
      readonly readerId: string;
      readonly after: number;
      readonly upto: number;
      readonly at: number;
    }
  | {
      [Name in AppendedName]: {
        readonly op: 'append';
        readonly table: Name;
        readonly stream: string;
        readonly epoch: string;
        readonly row: Tables[Name];
      };
    }[AppendedName]
  | { readonly op: 'trim_topic'; readonly topic: string; readonly upto: number }
  | { readonly op: 'trim_inventory'; readonly stream: string; readonly upto: number }
  | {
      readonly op: 'trim_document';
      readonly docId: string;
      readonly operationsBefore: number;
      readonly snapshotsBefore: number;
    }
  | { readonly op: 'expire'; readonly keysBefore: number; readonly topicsBefore: number };

/** Tables whose rows are messages of streams that many actors append to. */
export type AppendedName = 'notifications' | 'inventory_changes';

/** Writes that happen together or not at all, in their order. One actor's part of a group commit. */
export type Transaction = readonly Write[];

/** Why a transaction was not applied. */
export type StorageErrorReason =
  /** A key or a reference was violated, or a value can't be stored: trying again can't help. */
  | 'CONSTRAINT'
  /**
   * The database is full, locked, away or broken: it may work later. When it broke off in the middle of a commit, what
   * became of that is known only by reading again.
   */
  | 'UNAVAILABLE'
  /** Another server has claimed the database since: this one may not write any more, and never will again. */
  | 'FENCED';

export class StorageError extends Error {
  readonly reason: StorageErrorReason;

  constructor(reason: StorageErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.reason = reason;
  }
}

/** Whether it is the database that fails, as opposed to what it was asked. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof StorageError && error.reason === 'UNAVAILABLE';
}

/** What became of one transaction: null when it is durable. */
export type Outcome = StorageError | null;

/**
 * Named queries: arguments and rows. Each is a function that lives with the store. `limit` is a whole number, and
 * none below 1 gives rows; bounds may be infinite. Texts are ordered by code point.
 */
export interface Queries {
  /** The room, or no row. */
  room: { args: { roomId: string }; row: ChatRoomRow };
  /** Ordered by `joined_at`, then `user_id`. */
  roomMembers: { args: { roomId: string }; row: ChatRoomMemberRow };
  /** Ordered by `user_id`. */
  roomReadPositions: { args: { roomId: string }; row: ChatReadPositionRow };
  /** One row: the highest seq of the room, 0 when it has no message. */
  roomHead: { args: { roomId: string }; row: { seq: number } };
  /** Messages with `seq < before`, newest first. */
  roomMessagesBefore: { args: { roomId: string; before: number; limit: number }; row: ChatMessageRow };
  /** Messages with `seq > after`, oldest first. */
  roomMessagesAfter: { args: { roomId: string; after: number; limit: number }; row: ChatMessageRow };
  /** The seq of one message of the room, or no row. */
  roomMessageSeq: { args: { roomId: string; messageId: string }; row: { seq: number } };
  /** Rooms a user is a member of, oldest room first (then by `room_id`), with the user's role. */
  roomsOfUser: { args: { userId: string }; row: ChatRoomRow & { role: string } };
  /** A topic, with the seqs of its oldest and newest message (1 and 0 while it has none), or no row. */
  topicHead: { args: { topic: string }; row: { epoch: string; oldest: number; newest: number } };
  /** Messages with `seq > after`, oldest first. */
  topicMessagesAfter: { args: { topic: string; after: number; limit: number }; row: TopicMessageRow };
  durablePosition: {
    args: { userId: string; name: string; destination: string };
    row: DurablePositionRow;
  };
  /** Keys of one actor made since `since` (at that time or later), newest first, then by key. */
  idempotencyKeys: { args: { actor: string; since: number; limit: number }; row: IdempotencyKeyRow };
  /** One key, or no row. */
  idempotencyKey: {
    args: { actor: string; command: string; userId: string; idempotencyKey: string; since: number };
    row: IdempotencyKeyRow;
  };
  /** The answer, or no row. */
  commandAnswer: {
    args: { actor: string; command: string; userId: string; idempotencyKey: string };
    row: CommandAnswerRow;
  };

  /**
   * The stream of a user's notifications: its epoch, the seq of the oldest that is kept (`newest + 1` without any) and
   * that of the newest there was, from `streams`; or no row.
   */
  notificationsHead: {
    args: { stream: string; userId: string };
    row: { epoch: string; oldest: number; newest: number };
  };
  /** Notifications with `seq > after`, oldest first. */
  notificationsAfter: { args: { userId: string; after: number; limit: number }; row: NotificationRow };
  /** Newest first by seq; those not read only when `unread` is 1. */
  notifications: { args: { userId: string; unread: 0 | 1; limit: number }; row: NotificationRow };
  /** One of the user's, or no row. */
  notification: { args: { userId: string; notificationId: string }; row: NotificationRow };

  /** The order, or no row. */
  order: { args: { orderId: string }; row: OrderRow };
  /** Newest first by version. */
  orderChanges: { args: { orderId: string; limit: number }; row: OrderChangeRow };

  /** The product, or no row. */
  product: { args: { productId: string }; row: ProductRow };
  /** Products with `product_id > after`, in that order. */
  products: { args: { after: string; limit: number }; row: ProductRow };
  /** A stream of changes, as `notificationsHead` tells one. */
  inventoryHead: { args: { stream: string }; row: { epoch: string; oldest: number; newest: number } };
  /** Changes with `seq > after`, oldest first. */
  inventoryChangesAfter: {
    args: { stream: string; after: number; limit: number };
    row: InventoryChangeRow;
  };

  /** Every symbol, in order. */
  prices: { args: Record<string, never>; row: PriceRow };
  /** The portfolio, or no row. */
  portfolio: { args: { userId: string }; row: PortfolioRow };
  /** The row, or none. */
  lastSeen: { args: { userId: string }; row: LastSeenRow };

  /** The document, or no row. */
  document: { args: { docId: string }; row: DocumentRow };
  /**
   * One row: the revision of the oldest operation that is kept (`newest` without any), and that of the document as it
   * is now, which is 0 for a new one.
   */
  documentHead: { args: { docId: string }; row: { oldest: number; newest: number } };
  /** The newest snapshot with `revision < before`, or no row. */
  documentSnapshot: { args: { docId: string; before: number }; row: DocumentSnapshotRow };
  /** Operations that the same snapshot lacks and the one before them (all without a snapshot), by revision. */
  documentTail: { args: { docId: string; before: number }; row: DocumentOperationRow };
  /** Operations with `revision > after`, by revision. */
  documentOperationsAfter: {
    args: { docId: string; after: number; limit: number };
    row: DocumentOperationRow;
  };
  /**
   * All operations from the newest ordinary one (`undoes` null) of the user that is not undone and has a revision of
   * at least `since` on, by revision; no row when there is none. Reads back to `since` at most.
   */
  documentUndo: { args: { docId: string; userId: string; since: number }; row: DocumentOperationRow };

  /** Messages with `position > after`, in that order. */
  queueMessagesAfter: { args: { queue: string; after: number; limit: number }; row: QueueMessageRow };
  /**
   * One row: how many messages the queue holds, the bytes of their bodies, and its highest position (0 without any).
   * Reads every message of the queue.
   */
  queueHead: { args: { queue: string }; row: { count: number; bytes: number; newest: number } };

  /** The snapshot, or no row. */
  actorSnapshot: { args: { actor: string }; row: ActorSnapshotRow };

  /** What a user has acknowledged, by room. */
  replayAcks: { args: { userId: string }; row: ReplayAckRow };
  /** One row when there is such a room: whether the user is a member, and the seq of the message, null without one. */
  roomMessageOfMember: {
    args: { userId: string; roomId: string; messageId: string };
    row: { isMember: boolean; seq: number | null };
  };
  /** Messages with `seq > after` of a room that the user is a member of, oldest first. */
  missedInRoom: {
    args: { userId: string; roomId: string; after: number; limit: number };
    row: ChatMessageRow;
  };
  /**
   * Messages of all rooms that the user is a member of (of `roomId` alone unless it is ''), ordered by `created_at`,
   * then `room_id`, then `seq`, that come after the place (`since`, `afterRoom`, `afterSeq`) in that order. Each room is
   * read back from its newest message to the first that is older than `since` and no further: a call costs what comes
   * after its place, not what the rooms hold. Where a room's times go back, what lies before an older one is left out.
   */
  missedSince: {
    args: {
      userId: string;
      roomId: string;
      since: number;
      afterRoom: string;
      afterSeq: number;
      limit: number;
    };
    row: ChatMessageRow;
  };
}

export type QueryName = keyof Queries;

/** A query with its arguments, as data: an actor kind returns one, the shard runs it. */
export type Query<Name extends QueryName = QueryName> = {
  [N in Name]: { readonly name: N; readonly args: Queries[N]['args'] };
}[Name];

export type Rows<Name extends QueryName> = readonly Queries[Name]['row'][];

export interface Storage {
  /**
   * Applies each transaction whole or not at all, in the order given, and resolves with one outcome each when all
   * that were applied are durable (they survive a crash of the process and of the machine).
   *
   * A transaction that fails does not stop its neighbours. Later transactions of the same call see the earlier
   * ones. A store that was opened with a claim asks in the same transaction whether it holds; when it does not, nothing
   * is applied and all outcomes are FENCED. So an empty transaction is the question alone, and costs no flush. Never
   * rejects: what went wrong is in the outcomes.
   */
  commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]>;

  /**
   * Rows as of the last commit that resolved before the call, or later.
   *
   * @throws StorageError with reason UNAVAILABLE.
   */
  query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>>;

  /** Finishes what was asked and lets the database go. Nothing may be asked afterwards. */
  close(): Promise<void>;
}
