// Notifications as the service that sends them would send them.
import { shop } from './orders.ts';
import type { TestServer } from './server.ts';

/** Sends a notification by REST and returns its ids, one per user in the order given. */
export async function notify(
  server: TestServer,
  userIds: readonly string[],
  message: string,
  from: string = shop.user,
): Promise<string[]> {
  const body = { userIds, type: 'NEWS', message };
  const sent = await server.rest('POST', '/api/notifications', { user: from, roles: shop.roles, body });
  if (sent.status !== 201) throw new Error(`not sent: ${sent.status} ${JSON.stringify(sent.body)}`);
  return (sent.body as { notificationId: string }[]).map(({ notificationId }) => notificationId);
}
