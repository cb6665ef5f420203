// Orders as the service that makes them would make and change them.
import type { TestServer } from './server.ts';

/** Who makes orders and sends notifications. */
export const shop = { user: 'shop', roles: ['service'] } as const;

interface OrderFields {
  readonly orderId?: string;
  readonly status?: string;
  readonly estimatedDelivery?: string | null;
  readonly currentLocation?: string | null;
}

/** Makes an order by REST and returns its id. */
export async function createOrder(
  server: TestServer,
  userId: string,
  fields: OrderFields = {},
): Promise<string> {
  const body = { userId, status: 'PLACED', ...fields };
  const created = await server.rest('POST', '/api/orders', { ...shop, body });
  if (created.status !== 201) throw new Error(`no order: ${created.status} ${JSON.stringify(created.body)}`);
  return (created.body as { orderId: string }).orderId;
}

/** Changes an order by REST; resolves when the change is durable. */
export async function changeOrder(server: TestServer, orderId: string, fields: OrderFields): Promise<void> {
  const path = `/api/orders/${encodeURIComponent(orderId)}`;
  const changed = await server.rest('PATCH', path, { ...shop, body: fields });
  if (changed.status !== 200) throw new Error(`no change: ${changed.status} ${JSON.stringify(changed.body)}`);
}
