// How products and their changes look from outside, and what the kinds of the inventory agree upon.
import { z } from 'zod';
import type { InventoryChangeRow, ProductRow } from '../../storage/tables.ts';
import { isoTime, optional } from '../body.ts';

export const quantityMax = Number.MAX_SAFE_INTEGER;

const quantity = z.number().int().min(0).max(quantityMax);

export const updateProductBody = z
  .object({
    quantity: optional(quantity),
    delta: optional(z.number().int().min(-quantityMax).max(quantityMax)),
    urgent: optional(z.boolean(), false),
    idempotencyKey: optional(z.string().min(1).max(255)),
  })
  .refine((body) => (body.quantity === undefined) !== (body.delta === undefined), {
    message: 'Give either quantity or delta.',
  });
export const putProductBody = z.object({ name: optional(z.string().trim().min(1).max(255)), quantity });

/** The streams of changes, as the database names them. */
export const changesStream = '/topic/inventory';
export const urgentStream = '/topic/inventory/urgent';

/** What the latest change of a product says of it. */
export type Change = Omit<InventoryChangeRow, 'stream' | 'seq'>;

export const inventoryChange = z.object({
  productId: z.string(),
  quantity: z.int(),
  urgent: z.boolean(),
  version: z.int(),
  timestamp: z.iso.datetime(),
});

export function changeView(change: Change): z.input<typeof inventoryChange> {
  return {
    productId: change.product_id,
    quantity: change.quantity,
    urgent: change.urgent,
    version: change.version,
    timestamp: isoTime(change.created_at),
  };
}

export const productAnswer = z
  .object({
    productId: z.string(),
    name: z.string().nullable(),
    quantity: z.int(),
    version: z.int(),
    timestamp: z.iso.datetime(),
  })
  .meta({ id: 'Product' });

export function productView(product: ProductRow): z.input<typeof productAnswer> {
  return {
    productId: product.product_id,
    name: product.name,
    quantity: product.quantity,
    version: product.version,
    timestamp: isoTime(product.updated_at),
  };
}
