// How notifications look from outside, and where their streams lie.
import { z } from 'zod';
import type { NotificationRow } from '../../storage/tables.ts';
import { isoTime } from '../body.ts';
import { toSegment } from '../route.ts';

export const notificationAnswer = z
  .object({
    notificationId: z.string(),
    type: z.string(),
    message: z.string(),
    referenceId: z.string().nullable(),
    isRead: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Notification' });

export function notificationView(row: NotificationRow): z.input<typeof notificationAnswer> {
  return {
    notificationId: row.notification_id,
    type: row.type,
    message: row.message,
    referenceId: row.reference_id,
    isRead: row.is_read,
    createdAt: isoTime(row.created_at),
  };
}

/** The name of a user's stream in the table `streams`: its destination. */
export function notificationStream(user: string): string {
  return `/user/${toSegment(user)}/queue/notifications`;
}
