// One actor per user: the queues of `/user/queue/**` that have no kind of their own. They reach the sessions that are
// there and keep nothing, as in Spring.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import { command, defineActor } from '../actor.ts';
import { nothing, raw } from '../body.ts';
import { ownRoomAnswer, roomSummary } from './room-views.ts';

/** Queues that only the server writes to; those with a kind of their own are not asked for here. */
const ownedQueues = new Set(['errors', 'order.status', 'portfolio', 'replay']);

export const userKind = defineActor({
  name: 'user',
  load: () => ({}),
  start: () => null,

  streams: {
    queue: { destination: '/user/{id}/queue/{queue:**}' },
  },

  commands: {
    send: command({
      routes: ['SEND /user/{id}/queue/{queue:**}'],
      decode: raw,
      receive(_state: null, body, ctx) {
        const queue = ctx.params['queue'] ?? '';
        if (ownedQueues.has(queue)) {
          throw new Refusal('FORBIDDEN', `Clients can't send to /user/queue/${queue} of a user.`);
        }
        ctx.publish('queue', body, { headers: body.headers, params: { queue } });
      },
    }),

    rooms: command({
      routes: ['GET /api/rooms'],
      id: 'user',
      about: 'The rooms you are a member of, the oldest first.',
      answer: z.array(ownRoomAnswer),
      decode: nothing,
      query: (_state: null, _body, ctx) => ({ name: 'roomsOfUser', args: { userId: ctx.user } }),
      receive(_state, _body, ctx, rows) {
        ctx.reply(rows.map((row) => ({ ...roomSummary(row), role: row.role })));
      },
    }),
  },
});
