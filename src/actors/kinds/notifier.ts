// Sends notifications: one actor per service that sends them, so that one request is one turn and one transaction,
// however many users it is for. Each user's own actor publishes what it finds committed.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import { command, defineActor } from '../actor.ts';
import { json } from '../body.ts';
import { notificationStream, notifiedAnswer, notifyBody, usersMax } from './notification-views.ts';

const messageBytesMax = 8 * 1024;

const decodeNotify = json(notifyBody);

export const notifierKind = defineActor({
  name: 'notifier',
  load: () => ({}),
  start: () => null,
  streams: {},

  commands: {
    send: command({
      routes: ['POST /api/notifications'],
      id: 'user',
      status: 201,
      roles: ['service'],
      about: `Notifies up to ${usersMax} users, all of them or none; a user who is named twice is notified once.`,
      answer: z.array(notifiedAnswer),
      decode: decodeNotify,
      receive(_state: null, body, ctx) {
        if (Buffer.byteLength(body.message) > messageBytesMax) {
          throw new Refusal('TOO_LARGE', `A notification's message holds at most ${messageBytesMax} bytes.`);
        }
        const sent = [...new Set(body.userIds)].map((userId) => ({ notificationId: ctx.newId(), userId }));
        for (const { notificationId, userId } of sent) {
          ctx.write({
            op: 'append',
            table: 'notifications',
            stream: notificationStream(userId),
            epoch: ctx.newEpoch(),
            row: {
              notification_id: notificationId,
              user_id: userId,
              type: body.type,
              message: body.message,
              reference_id: body.referenceId,
              is_read: false,
              created_at: ctx.now,
              read_at: null,
              seq: 0,
            },
          });
          ctx.feed('notifications', userId, 'notifications');
        }
        ctx.reply(sent);
      },
    }),
  },
});
