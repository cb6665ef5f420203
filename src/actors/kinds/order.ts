// Orders: services make and change them, their owners track them. The owner alone may track an order, so what is
// pushed reaches nobody else.
import { Refusal } from '../../errors.ts';
import type { OrderRow } from '../../storage/tables.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { json, jsonBody, nothing } from '../body.ts';
import {
  changeOrderBody,
  createOrderBody,
  orderAnswer,
  orderChangeView,
  orderStatus,
  orderView,
  orderWithHistoryAnswer,
} from './order-views.ts';

/** Changes that are shown with an order, the newest ones; all of them are kept. */
const historyMax = 100;
/**
 * After its shard was lost an order may change before the sessions that track it are tied to it again: when they are,
 * all are told how it is.
 */
const settleMs = 500;
const decodeCreateOrder = json(createOrderBody);
const decodeChangeOrder = json(changeOrderBody);

interface Order {
  /** Null while there is no such order. */
  order: OrderRow | null;
}

function existing(state: Order, ctx: Context): OrderRow {
  if (!state.order) throw new Refusal('NOT_FOUND', `There is no order ${ctx.id}.`);
  return state.order;
}

function owned(state: Order, ctx: Context): OrderRow {
  const order = existing(state, ctx);
  if (order.user_id !== ctx.user) throw new Refusal('FORBIDDEN', `Order ${ctx.id} is not yours.`);
  return order;
}

/** For its owner and for those who change it. */
function visible(state: Order, ctx: Context): OrderRow {
  if (ctx.roles.includes('service') || ctx.roles.includes('admin')) return existing(state, ctx);
  return owned(state, ctx);
}

/** The order as it is from now on, with the row of what it became. */
function keep(state: Order, order: OrderRow, ctx: Context): void {
  state.order = order;
  ctx.write({ op: order.version === 1 ? 'insert' : 'upsert', table: 'orders', row: order });
  ctx.write({
    op: 'insert',
    table: 'order_changes',
    row: {
      order_id: order.order_id,
      version: order.version,
      status: order.status,
      estimated_delivery: order.estimated_delivery,
      current_location: order.current_location,
      changed_by: ctx.user,
      changed_at: order.updated_at,
    },
  });
  ctx.reply(orderView(order));
}

/** Once to each user of whom a session tracks the order: all sessions of that user hear of it. */
function tell(order: OrderRow, ctx: Context): void {
  const told = jsonBody(orderStatus(order));
  for (const user of new Set(ctx.attached.values())) ctx.push(user, 'order.status', told);
}

/** The asking session of the user does not track the order any more, or another one that is gone; others may. */
function untracked(user: string, ctx: Context): void {
  const others = [...ctx.attached].filter(([session, whose]) => whose === user && session !== ctx.session);
  if (others.length === 0) ctx.share(['tracking', ctx.id, user, false]);
}

export const orderKind = defineActor({
  name: 'order',

  load: (id) => ({ order: { name: 'order', args: { orderId: id } } }),
  start: (_id, rows): Order => ({ order: rows.order[0] ?? null }),
  refusalDetail: (id) => ({ orderId: id }),
  streams: {},

  attachments(_state, ctx, { came, gone, isAgain }) {
    if (came) ctx.share(['tracking', ctx.id, came.user, true]);
    if (gone) untracked(gone.user, ctx);
    if (isAgain) ctx.after(settleMs, 'tellAgain');
  },

  timers: {
    tellAgain(state, ctx) {
      if (state.order) tell(state.order, ctx);
    },
  },

  commands: {
    create: command({
      routes: ['POST /api/orders'],
      id: 'body:orderId',
      status: 201,
      roles: ['service'],
      about: 'Makes an order of a user.',
      answer: orderAnswer,
      decode: decodeCreateOrder,
      receive(state: Order, body, ctx) {
        if (state.order) {
          throw new Refusal('CONFLICT', `There is an order ${ctx.id} already.`, { orderId: ctx.id });
        }
        const order: OrderRow = {
          order_id: ctx.id,
          user_id: body.userId,
          status: body.status,
          estimated_delivery: body.estimatedDelivery,
          current_location: body.currentLocation,
          created_at: ctx.now,
          updated_at: ctx.now,
          version: 1,
        };
        keep(state, order, ctx);
      },
    }),

    change: command({
      routes: ['PATCH /api/orders/{id}'],
      roles: ['service'],
      about: 'Changes what is given; null takes a delivery time or a location away.',
      answer: orderAnswer,
      decode: decodeChangeOrder,
      receive(state: Order, body, ctx) {
        const before = existing(state, ctx);
        const { estimatedDelivery: delivery, currentLocation: location } = body;
        const order: OrderRow = {
          ...before,
          status: body.status ?? before.status,
          estimated_delivery: delivery === undefined ? before.estimated_delivery : delivery,
          current_location: location === undefined ? before.current_location : location,
          updated_at: ctx.now,
          version: before.version + 1,
        };
        keep(state, order, ctx);
        tell(order, ctx);
      },
    }),

    get: command({
      routes: ['GET /api/orders/{id}'],
      about: `Shows an order with its newest changes, at most ${historyMax}, newest first.`,
      answer: orderWithHistoryAnswer,
      decode: nothing,
      query(state: Order, _body, ctx) {
        visible(state, ctx);
        return { name: 'orderChanges', args: { orderId: ctx.id, limit: historyMax } };
      },
      receive(state, _body, ctx, rows) {
        ctx.reply({ ...orderView(visible(state, ctx)), history: rows.map(orderChangeView) });
      },
    }),

    track: command({
      routes: ['SUBSCRIBE /app/order.track/{id}'],
      decode: nothing,
      receive(state: Order, _body, ctx) {
        const order = owned(state, ctx);
        ctx.attach();
        ctx.share(['tracking', ctx.id, ctx.user, true]);
        ctx.reply(orderStatus(order));
      },
    }),

    untrack: command({
      routes: ['SEND /app/order.untrack/{id}'],
      decode: nothing,
      receive(state: Order, _body, ctx) {
        owned(state, ctx);
        ctx.detach();
        untracked(ctx.user, ctx);
      },
    }),
  },
});
