// Plain destinations: `/topic/**` that no other kind owns. A message goes out as it came in; the newest ones are
// kept, so that a subscription can resume.
import { Refusal } from '../../errors.ts';
import type { TopicMessageRow } from '../../storage/tables.ts';
import { command, defineActor } from '../actor.ts';
import { raw } from '../body.ts';

const historyMessagesMax = 10_000;
/** Trimming goes in steps: one write per this many messages, not one each. */
const trimStep = 1_000;
const nameCharactersMax = 255;

/** First words of destinations that are a domain's own, so never plain. */
const reserved = /^(?:room\.|doc\.|prices(?:$|\.)|presence\.|inventory(?:$|\/))/;

interface Topic {
  epoch: string;
  /** Whether the row that holds the epoch is written. */
  stored: boolean;
  oldest: number;
  newest: number;
}

function refuseReserved(name: string): void {
  if (reserved.test(name)) throw new Refusal('NOT_FOUND', `Nothing serves /topic/${name}.`);
}

function refuseLong(name: string): void {
  if (name.length <= nameCharactersMax) return;
  throw new Refusal('TOO_LARGE', `A destination has at most ${nameCharactersMax} characters.`);
}

function store(state: Topic, topic: string, now: number) {
  state.stored = true;
  return {
    op: 'insert',
    table: 'topics',
    row: { topic, epoch: state.epoch, created_at: now },
  } as const;
}

export const topicKind = defineActor({
  name: 'topic',

  load: (id) => ({ head: { name: 'topicHead', args: { topic: id } } }),

  start(_id, rows, source): Topic {
    const head = rows.head[0];
    if (!head) return { epoch: source.newEpoch(), stored: false, oldest: 1, newest: 0 };
    return { epoch: head.epoch, stored: true, oldest: head.oldest, newest: head.newest };
  },

  streams: {
    messages: {
      destination: '/topic/{id:**}',
      plain: true,
      admit(_state, ctx) {
        refuseReserved(ctx.id);
        refuseLong(ctx.id);
      },
      log: {
        head: (state) => state,
        after: (id, after, limit) => ({
          name: 'topicMessagesAfter',
          args: { topic: id, after, limit },
        }),
        message: (row: TopicMessageRow) => [
          row.seq,
          JSON.parse(row.headers ?? '{}') as Record<string, string>,
          row.body,
          row.is_text,
        ],
        keep(state, ctx) {
          if (!state.stored) ctx.write(store(state, ctx.id, ctx.now));
        },
      },
    },
  },

  commands: {
    send: command({
      routes: ['SEND /topic/{id:**}'],
      decode: raw,
      receive(state: Topic, body, ctx) {
        if (reserved.test(ctx.id)) {
          throw new Refusal('FORBIDDEN', `Clients can't send to /topic/${ctx.id}.`);
        }
        refuseLong(ctx.id);
        if (!state.stored) ctx.write(store(state, ctx.id, ctx.now));
        state.newest += 1;
        ctx.write({
          op: 'insert',
          table: 'topic_messages',
          row: {
            topic: ctx.id,
            seq: state.newest,
            sender_id: ctx.user,
            headers: body.headers === null ? null : JSON.stringify(body.headers),
            body: body.bytes,
            is_text: body.isText,
            created_at: ctx.now,
          },
        });
        if (state.newest - state.oldest >= historyMessagesMax + trimStep) {
          state.oldest = state.newest - historyMessagesMax + 1;
          ctx.write({ op: 'trim_topic', topic: ctx.id, upto: state.oldest - 1 });
        }
        ctx.publish('messages', body, { seq: state.newest, headers: body.headers });
      },
    }),
  },
});
