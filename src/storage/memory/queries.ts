// The named queries over the tables in memory: those for rows found by their key, and all the others by noun.
import { copied, oneOrNone, page, pageBefore, type MemoryQueries } from './answers.ts';
import { documentQueries } from './document-queries.ts';
import { roomQueries } from './room-queries.ts';
import type { MemoryRows } from './rows.ts';
import { streamQueries } from './stream-queries.ts';
import { firstIndex } from './table.ts';
import { compareText, nearestTime, storableText } from '../storable.ts';
import type { Query, QueryName, Rows } from '../storage.ts';

const queries: MemoryQueries = {
  ...roomQueries,
  ...documentQueries,
  ...streamQueries,

  durablePosition: ({ tables }, { userId, name, destination }) =>
    oneOrNone(tables.durable_positions.get({ user_id: userId, name, destination })),

  idempotencyKeys({ keysOfActor }, { actor, since, limit }) {
    const keys = keysOfActor.of(actor);
    const end = firstIndex(keys, ({ created_at }) => created_at < nearestTime(since));
    return page(keys.slice(0, end), limit, () => true);
  },

  idempotencyKey({ tables }, { actor, command, userId, idempotencyKey, since }) {
    const key = { actor, command, user_id: userId, idempotency_key: idempotencyKey };
    const found = tables.idempotency_keys.get(key);
    return found && found.created_at >= nearestTime(since) ? oneOrNone(found) : [];
  },

  commandAnswer: ({ tables }, { actor, command, userId, idempotencyKey }) =>
    oneOrNone(
      tables.command_answers.get({ actor, command, user_id: userId, idempotency_key: idempotencyKey }),
    ),

  order: ({ tables }, { orderId }) => oneOrNone(tables.orders.get({ order_id: orderId })),

  orderChanges: ({ changesOfOrder }, { orderId, limit }) =>
    pageBefore(changesOfOrder.of(orderId), limit, () => false),

  product: ({ tables }, { productId }) => oneOrNone(tables.products.get({ product_id: productId })),

  products({ products }, { after, limit }) {
    const bound = storableText(after);
    return page(products.of(''), limit, ({ product_id }) => compareText(product_id, bound) > 0);
  },

  // Sorted here and not as they change: they change far more often than they are asked for.
  prices: ({ tables }) =>
    copied([...tables.prices.rows()]).toSorted((one, other) => compareText(one.symbol, other.symbol)),

  portfolio: ({ tables }, { userId }) => oneOrNone(tables.portfolios.get({ user_id: userId })),

  actorSnapshot: ({ tables }, { actor }) => oneOrNone(tables.actor_snapshots.get({ actor })),

  lastSeen: ({ tables }, { userId }) => oneOrNone(tables.last_seen.get({ user_id: userId })),
};

/** @throws TypeError when there is no such query. */
export function queryMemory<Name extends QueryName>(rows: MemoryRows, query: Query<Name>): Rows<Name> {
  return queries[query.name](rows, query.args);
}
