// How products and their changes look from outside, and what the kinds of the inventory agree upon.
import { z } from 'zod';
import type { InventoryChangeRow, ProductRow } from '../../storage/tables.ts';
import { isoTime } from '../body.ts';

/** The streams of changes, as the database names them. */
export const changesStream = '/topic/inventory';
export const urgentStream = '/topic/inventory/urgent';

/** What the latest change of a product says of it. */
export type Change = Omit<InventoryChangeRow, 'stream' | 'seq'>;

export function changeView(change: Change) {
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
