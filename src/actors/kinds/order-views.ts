// How orders look from outside, and what may be asked of them.
import { z } from 'zod';
import type { OrderChangeRow, OrderRow } from '../../storage/tables.ts';
import { isoTime } from '../body.ts';
import { userName } from './user-views.ts';

const yearZero = Date.parse('0000-01-01T00:00:00Z');
const yearTenThousand = Date.parse('+010000-01-01T00:00:00Z');

/** One segment of a destination. */
const orderId = z
  .string()
  .min(1)
  .max(36)
  .regex(/^[^\p{Cc}/]*$/u, 'must not hold slashes or control characters');
const status = z.string().min(1).max(50);
/** Taken as milliseconds since 1970. */
const estimatedDelivery = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  // An offset may lead out of the years that a database can hold.
  .refine((time) => time >= yearZero && time < yearTenThousand, 'must lie in the years 0000 to 9999');
const currentLocation = z.string().max(255);

export const createOrderBody = z.object({
  orderId: orderId.nullish(),
  userId: userName,
  status,
  estimatedDelivery: estimatedDelivery.nullable().default(null),
  currentLocation: currentLocation.nullable().default(null),
});

export const changeOrderBody = z
  .object({
    status: status.optional(),
    estimatedDelivery: estimatedDelivery.nullable().optional(),
    currentLocation: currentLocation.nullable().optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'Nothing to change is given.');

const time = z.iso.datetime();
const timeOrNull = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : isoTime(milliseconds);

const place = { estimatedDelivery: time.nullable(), currentLocation: z.string().nullable() };

/** What its owner is told of an order. */
export const orderStatusView = z.object({
  orderId: z.string(),
  status: z.string(),
  ...place,
  lastUpdated: time,
});

export const orderAnswer = orderStatusView
  .extend({ userId: z.string(), createdAt: time })
  .meta({ id: 'Order' });

export const orderWithHistoryAnswer = orderAnswer
  .extend({
    history: z.array(z.object({ status: z.string(), ...place, changedBy: z.string(), changedAt: time })),
  })
  .meta({ id: 'OrderWithHistory' });

export function orderStatus(order: OrderRow): z.input<typeof orderStatusView> {
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
