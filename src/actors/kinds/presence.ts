// Presence: one actor per user, to which the runtime ties every session of that user.
import type { z } from 'zod';
import { Refusal } from '../../errors.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { isoTime, jsonBody, nothing } from '../body.ts';
import { presenceAnswer, type presenceChange } from './presence-views.ts';
import { userName } from './user-views.ts';

/** After its shard was lost, sessions are tied again one edge after the other: meanwhile their count is no news. */
const settleMs = 500;

interface Presence {
  /** When the user's first session came or the last one went; null for one who was never there. */
  lastSeen: number | null;
  /** Whether that is known of the present sessions. */
  isNoted: boolean;
  /** The number of sessions told last; null when the state is new. */
  told: number | null;
  /** Whether the number is told later. */
  settling: boolean;
}

function presenceView(ctx: Context) {
  const sessions = ctx.attached.size;
  return { userId: ctx.id, online: sessions > 0, sessions };
}

function presenceBody(ctx: Context) {
  const change: z.input<typeof presenceChange> = { ...presenceView(ctx), timestamp: isoTime(ctx.now) };
  return jsonBody(change);
}

function assertUser(ctx: Context): void {
  if (!userName.safeParse(ctx.id).success) {
    throw new Refusal('BAD_REQUEST', 'A user has a name of 1 to 36 characters.');
  }
}

function note(state: Presence, ctx: Context): void {
  state.lastSeen = ctx.now;
  ctx.write({ op: 'upsert', table: 'last_seen', row: { user_id: ctx.id, last_seen: ctx.now } });
}

function tell(state: Presence, ctx: Context): void {
  const sessions = ctx.attached.size;
  if (sessions === state.told) return;
  state.told = sessions;
  ctx.publish('presence', presenceBody(ctx));
}

export const presenceKind = defineActor({
  name: 'presence',
  attachesSessions: true,

  load: (id) => ({ lastSeen: { name: 'lastSeen', args: { userId: id } } }),

  start: (_id, rows): Presence => ({
    lastSeen: rows.lastSeen[0]?.last_seen ?? null,
    isNoted: false,
    told: null,
    settling: false,
  }),

  attachments(state, ctx, { came, gone, isAgain }) {
    if (came) ctx.share(['session', ctx.id, came.session, true]);
    if (gone) ctx.share(['session', ctx.id, gone.session, false]);
    const isHere = ctx.attached.size > 0;
    // Of one whose sessions ended while the shard was away nobody knows when that was.
    if (isHere ? !state.isNoted : !isAgain) note(state, ctx);
    state.isNoted = isHere;
    if (isAgain) {
      state.settling = true;
      state.told = null;
      ctx.after(settleMs, 'settle');
    }
    if (!state.settling) tell(state, ctx);
  },

  timers: {
    settle(state, ctx) {
      state.settling = false;
      tell(state, ctx);
    },
  },

  streams: {
    presence: {
      // A slash in a user's name is written as it is.
      destination: '/topic/presence.{id:**}',
      admit: (_state, ctx) => assertUser(ctx),
      // Whoever comes before the number is settled is told of it with the others.
      present: ({ settling }, ctx) => ({
        bodies: settling ? [] : [presenceBody(ctx)],
        upto: 0,
        isWhole: true,
      }),
    },
  },

  commands: {
    query: command({
      routes: ['SUBSCRIBE /app/presence.query', 'GET /api/presence'],
      id: 'each:users',
      about: 'Says of each user whether and with how many sessions it is online, and when it was last seen.',
      answer: presenceAnswer,
      decode: nothing,
      receive(state: Presence, _body, ctx) {
        assertUser(ctx);
        const view = presenceView(ctx);
        const lastSeen = view.online ? ctx.now : state.lastSeen;
        ctx.reply({ ...view, lastSeen: lastSeen === null ? null : isoTime(lastSeen) });
      },
    }),
  },
});
