// One actor per user: the notifications that the user got, and which of them are read. They are written by those who
// send them (notifier.ts), and are published here, in the order of their seq.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import type { NotificationRow } from '../../storage/tables.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { isoTime, jsonBody, nothing } from '../body.ts';
import {
  notificationAnswer,
  notificationStream,
  notificationView,
  readAnswer,
  type notificationRead,
} from './notification-views.ts';

const listDefault = 50;
const listMax = 1_000;

const listParameters = z.object({
  unread: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(listMax).optional(),
});

interface Notifications {
  epoch: string;
  /** Whether the row that holds the epoch is there. */
  stored: boolean;
  oldest: number;
  newest: number;
}

/** Before a client hears of the epoch of a stream without messages: the first message must come with the same. */
function store(state: Notifications, ctx: Context): void {
  if (state.stored) return;
  state.stored = true;
  const row = { stream: notificationStream(ctx.id), epoch: state.epoch, seq: 0 };
  // Not an upsert: whoever sent the first message meanwhile has made the row, and its seq counts.
  ctx.write({ op: 'insert', table: 'streams', row });
}

export const notificationsKind = defineActor({
  name: 'notifications',

  load: (id) => ({
    head: { name: 'notificationsHead', args: { stream: notificationStream(id), userId: id } },
  }),

  start(_id, rows, source): Notifications {
    const head = rows.head[0];
    if (!head) return { epoch: source.newEpoch(), stored: false, oldest: 1, newest: 0 };
    return { epoch: head.epoch, stored: true, oldest: head.oldest, newest: head.newest };
  },

  streams: {
    notifications: {
      destination: '/user/{id}/queue/notifications',
      present(state: Notifications, ctx) {
        store(state, ctx);
        return { bodies: [], upto: state.newest, isWhole: true };
      },
      log: {
        head: (state: Notifications) => state,
        after: (id, after, limit) => ({
          name: 'notificationsAfter',
          args: { userId: id, after, limit },
        }),
        message: (row: NotificationRow) => [row.seq, null, jsonBody(notificationView(row)).bytes, true],
        keep: store,
        advance(state: Notifications, row: NotificationRow) {
          state.newest = Math.max(state.newest, row.seq);
        },
      },
    },
    read: { destination: '/user/{id}/queue/notification.read' },
  },

  commands: {
    list: command({
      routes: ['GET /api/notifications'],
      id: 'user',
      about: `Lists the user's notifications, newest first; ${listDefault} unless \`limit\` says otherwise.`,
      answer: z.array(notificationAnswer),
      parameters: listParameters,
      decode: nothing,
      query(_state: Notifications, _body, ctx) {
        const { unread, limit = listDefault } = listParameters.parse(ctx.params);
        return { name: 'notifications', args: { userId: ctx.id, unread: unread === 'true' ? 1 : 0, limit } };
      },
      receive(_state, _body, ctx, rows) {
        ctx.reply(rows.map(notificationView));
      },
    }),

    read: command({
      routes: [
        'SEND /app/notification.read/{notificationId}',
        'POST /api/notifications/{notificationId}/read',
      ],
      id: 'user',
      about: 'Marks a notification as read and tells all sessions of the user.',
      answer: readAnswer,
      decode: nothing,
      query: (_state: Notifications, _body, ctx) => ({
        name: 'notification',
        args: { userId: ctx.id, notificationId: ctx.params['notificationId'] ?? '' },
      }),
      receive(_state, _body, ctx, [row]) {
        if (!row) {
          throw new Refusal('NOT_FOUND', `You have no notification ${ctx.params['notificationId']}.`);
        }
        const { notification_id: notificationId, read_at: before } = row;
        if (row.is_read) {
          ctx.reply({ notificationId, readAt: before === null ? null : isoTime(before) });
          return;
        }
        ctx.write({ op: 'upsert', table: 'notifications', row: { ...row, is_read: true, read_at: ctx.now } });
        const told: z.input<typeof notificationRead> = { notificationId, readAt: isoTime(ctx.now) };
        ctx.publish('read', jsonBody(told));
        ctx.reply(told);
      },
    }),
  },
});
