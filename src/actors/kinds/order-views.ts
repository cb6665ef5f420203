// How orders look from outside.
import { z } from 'zod';
import type { OrderChangeRow, OrderRow } from '../../storage/tables.ts';
import { isoTime } from '../body.ts';

const time = z.iso.datetime();
const timeOrNull = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : isoTime(milliseconds);

const place = { estimatedDelivery: time.nullable(), currentLocation: z.string().nullable() };

export const orderAnswer = z
  .object({
    orderId: z.string(),
    userId: z.string(),
    status: z.string(),
    ...place,
    lastUpdated: time,
    createdAt: time,
  })
  .meta({ id: 'Order' });

export const orderWithHistoryAnswer = orderAnswer
  .extend({
    history: z.array(z.object({ status: z.string(), ...place, changedBy: z.string(), changedAt: time })),
  })
  .meta({ id: 'OrderWithHistory' });

/** What its owner is told of an order. */
export function orderStatus(order: OrderRow) {
  return {
    orderId: order.order_id,
    status: order.status,
    estimatedDelivery: timeOrNull(order.estimated_delivery),
    currentLocation: order.current_location,
    lastUpdated: isoTime(order.updated_at),
  };
}

export function orderView(order: OrderRow): z.input<typeof orderAnswer> {
  return { ...orderStatus(order), userId: order.user_id, createdAt: isoTime(order.created_at) };
}

export function orderChangeView(change: OrderChangeRow) {
  return {
    status: change.status,
    estimatedDelivery: timeOrNull(change.estimated_delivery),
    currentLocation: change.current_location,
    changedBy: change.changed_by,
    changedAt: isoTime(change.changed_at),
  };
}
