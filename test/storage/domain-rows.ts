// Rows of documents, prices, orders, notifications, inventory, replay and queues, of which a test names only what it
// is about.
import type {
  ActorSnapshotRow,
  CommandAnswerRow,
  DocumentOperationRow,
  DocumentRow,
  DocumentSnapshotRow,
  InventoryChangeRow,
  LastSeenRow,
  NotificationRow,
  OrderChangeRow,
  OrderRow,
  PortfolioRow,
  PriceRow,
  ProductRow,
  QueueMessageRow,
  ReplayAckRow,
  StreamRow,
} from '../../src/storage/tables.ts';
import { noon } from './rows.ts';

export const answer = (row: Partial<CommandAnswerRow> = {}): CommandAnswerRow => ({
  actor: 'order/o1',
  command: 'create',
  user_id: 'ann',
  idempotency_key: 'k1',
  answer: '{"orderId":"o1"}',
  created_at: noon,
  ...row,
});

export const stream = (row: Partial<StreamRow> = {}): StreamRow => ({
  stream: '/topic/inventory',
  epoch: 'e1',
  seq: 1,
  ...row,
});

/** Where the notifications of `ann` are appended. */
export const annsStream = '/user/ann/queue/notifications';

export const notification = (row: Partial<NotificationRow> = {}): NotificationRow => ({
  notification_id: `n${row.seq ?? 1}`,
  user_id: 'ann',
  type: 'ORDER',
  message: 'Shipped.',
  reference_id: null,
  is_read: false,
  created_at: noon,
  read_at: null,
  seq: 1,
  ...row,
});

export const order = (row: Partial<OrderRow> = {}): OrderRow => ({
  order_id: 'o1',
  user_id: 'ann',
  status: 'PLACED',
  estimated_delivery: null,
  current_location: null,
  created_at: noon,
  updated_at: noon,
  version: 1,
  ...row,
});

export const orderChange = (row: Partial<OrderChangeRow> = {}): OrderChangeRow => ({
  order_id: 'o1',
  version: 1,
  status: 'PLACED',
  estimated_delivery: null,
  current_location: null,
  changed_by: 'shop',
  changed_at: noon,
  ...row,
});

export const product = (row: Partial<ProductRow> = {}): ProductRow => ({
  product_id: 'p1',
  name: null,
  quantity: 5,
  version: 1,
  updated_at: noon,
  ...row,
});

export const inventoryChange = (row: Partial<InventoryChangeRow> = {}): InventoryChangeRow => ({
  stream: '/topic/inventory',
  seq: 1,
  product_id: 'p1',
  quantity: 5,
  urgent: false,
  version: 1,
  created_at: noon,
  ...row,
});

export const price = (row: Partial<PriceRow> = {}): PriceRow => ({
  symbol: 'ACME',
  price: '12.50',
  open: '12.00',
  day: '2024-05-01',
  volume: 100,
  updated_at: noon,
  ...row,
});

export const portfolio = (row: Partial<PortfolioRow> = {}): PortfolioRow => ({
  user_id: 'ann',
  holdings: '[["ACME","2"]]',
  updated_at: noon,
  ...row,
});

export const lastSeen = (row: Partial<LastSeenRow> = {}): LastSeenRow => ({
  user_id: 'ann',
  last_seen: noon,
  ...row,
});

export const document = (row: Partial<DocumentRow> = {}): DocumentRow => ({
  doc_id: 'd1',
  epoch: 'e1',
  created_at: noon,
  ...row,
});

export const operation = (row: Partial<DocumentOperationRow> = {}): DocumentOperationRow => ({
  doc_id: 'd1',
  revision: 0,
  operation_id: `op${row.revision ?? 0}`,
  user_id: 'ann',
  base_revision: 0,
  changes: '[[0,0,"a",""]]',
  undoes: null,
  is_undone: false,
  created_at: noon,
  ...row,
});

export const snapshot = (row: Partial<DocumentSnapshotRow> = {}): DocumentSnapshotRow => ({
  doc_id: 'd1',
  revision: 1,
  content: 'a',
  created_at: noon,
  ...row,
});

export const queueMessage = (row: Partial<QueueMessageRow> = {}): QueueMessageRow => ({
  message_id: `q${row.position ?? 1}`,
  queue: 'jobs',
  position: 1,
  sender_id: 'ann',
  headers: null,
  body: Buffer.from('work'),
  is_text: true,
  tries: 0,
  created_at: noon,
  ...row,
});

export const ack = (row: Partial<ReplayAckRow> = {}): ReplayAckRow => ({
  user_id: 'ann',
  room_id: 'lobby',
  ranges: '[[1,3]]',
  updated_at: noon,
  ...row,
});

export const actorSnapshot = (row: Partial<ActorSnapshotRow> = {}): ActorSnapshotRow => ({
  actor: 'room/lobby',
  body: Buffer.from([0, 255, 1]),
  created_at: noon,
  ...row,
});
