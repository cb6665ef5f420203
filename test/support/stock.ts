// Rows and calls of the inventory.
import type { Write } from '../../src/storage/storage.ts';
import type { RestAnswer, TestServer } from './server.ts';

const madeAt = Date.UTC(2026, 0, 2);

export function product(id: string, quantity: number, version: number): Write {
  const row = { product_id: id, name: null, quantity, version, updated_at: madeAt };
  return { op: 'upsert', table: 'products', row };
}

/** One more message of a stream of changes; it is urgent in that of the urgent ones. */
export function appended(stream: string, id: string, quantity: number, version: number): Write {
  const urgent = stream.endsWith('/urgent');
  const row = { stream, seq: 0, product_id: id, quantity, urgent, version, created_at: madeAt };
  return { op: 'append', table: 'inventory_changes', stream, epoch: 'stored', row };
}

export const service = { user: 'shop', roles: ['service'] } as const;

/** Sets a product's quantity over REST. */
export function putProduct(server: TestServer, id: string, body: unknown): Promise<RestAnswer> {
  return server.rest('PUT', `/api/inventory/${encodeURIComponent(id)}`, { ...service, body });
}
