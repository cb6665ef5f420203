// The named queries as statements that every database takes and plans well: those for rows found by their key, and all
// the others by noun.
import { documentSelections } from './document-selections.ts';
import { roomSelections } from './room-selections.ts';
import { select, type Selections } from './selection.ts';
import { streamSelections } from './stream-selections.ts';

export const sharedSelections = {
  ...roomSelections,
  ...documentSelections,
  ...streamSelections,
  durablePosition: select(
    'durable_positions',
    'WHERE user_id = :userId AND name = :name AND destination = :destination',
  ),
  idempotencyKeys: {
    ...select(
      'idempotency_keys',
      `WHERE actor = :actor AND created_at >= :since
        ORDER BY created_at DESC, command, user_id, idempotency_key LIMIT :limit`,
    ),
    times: ['since'],
  },
  idempotencyKey: {
    ...select(
      'idempotency_keys',
      `WHERE actor = :actor AND command = :command AND user_id = :userId AND idempotency_key = :idempotencyKey
        AND created_at >= :since`,
    ),
    times: ['since'],
  },
  commandAnswer: select(
    'command_answers',
    `WHERE actor = :actor AND command = :command AND user_id = :userId AND idempotency_key = :idempotencyKey`,
  ),
  order: select('orders', 'WHERE order_id = :orderId'),
  orderChanges: select('order_changes', `WHERE order_id = :orderId ORDER BY version DESC LIMIT :limit`),
  product: select('products', 'WHERE product_id = :productId'),
  products: select('products', `WHERE product_id > :after ORDER BY product_id LIMIT :limit`),
  prices: select('prices', 'ORDER BY symbol'),
  portfolio: select('portfolios', 'WHERE user_id = :userId'),
  actorSnapshot: select('actor_snapshots', 'WHERE actor = :actor'),
  lastSeen: select('last_seen', 'WHERE user_id = :userId'),
} satisfies Partial<Selections>;
