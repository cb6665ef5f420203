// How notifications look from outside, and where their streams lie.
import { z } from 'zod';
import type { NotificationRow } from '../../storage/tables.ts';
import { isoTime } from '../body.ts';
import { toSegment } from '../route.ts';
import { userName } from './user-views.ts';

/** Users of one request. */
export const usersMax = 10_000;

export const notifyBody = z.object({
  userIds: z.array(userName).min(1).max(usersMax),
  type: z.string().min(1).max(50),
  message: z.string().min(1),
  referenceId: z.string().max(36).nullable().default(null),
});

/** One for each user that is notified. */
export const notifiedAnswer = z.object({ notificationId: z.string(), userId: z.string() });

/** One that was read before times were kept has no `readAt`. */
export const readAnswer = z.object({ notificationId: z.string(), readAt: z.iso.datetime().nullable() });

/** What the user's sessions are told when one of them reads a notification. */
export const notificationRead = readAnswer.extend({ readAt: z.iso.datetime() });

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
