// A kind that does one thing per command, for tests of the runtime.
import { command, defineActor } from '../../src/actors/actor.ts';
import { jsonBody, nothing, raw } from '../../src/actors/body.ts';
import { Refusal } from '../../src/errors.ts';
import type { TopicMessageRow } from '../../src/storage/tables.ts';

interface Probe {
  epoch: string;
  stored: boolean;
  oldest: number;
  newest: number;
}

/** Text that no client may see. */
export const faultText = 'a stack, a path, a secret';

export const probe = defineActor({
  name: 'probe',
  load: (id) => ({ head: { name: 'topicHead', args: { topic: id } } }),
  start(_id, rows, source): Probe {
    const [head] = rows.head;
    if (!head) return { epoch: source.newEpoch(), stored: false, oldest: 1, newest: 0 };
    return { ...head, stored: true };
  },
  refusalDetail: (id) => ({ probeId: id }),
  streams: {
    log: {
      destination: '/probe/{id}',
      plain: true,
      log: {
        head: (state) => state,
        after: (id, after, limit) => ({ name: 'topicMessagesAfter', args: { topic: id, after, limit } }),
        message: (row: TopicMessageRow) => [row.seq, null, row.body, row.is_text],
        keep(state, ctx) {
          if (state.stored) return;
          state.stored = true;
          const row = { topic: ctx.id, epoch: state.epoch, created_at: ctx.now };
          ctx.write({ op: 'insert', table: 'topics', row });
        },
      },
    },
    news: { destination: '/probe/{id}.news' },
    closed: {
      destination: '/probe/{id}.closed',
      admit: () => {
        throw new Refusal('FORBIDDEN', 'This is closed.');
      },
    },
  },
  commands: {
    /** One message of the log. */
    write: command({
      routes: ['SEND /probe/{id}'],
      decode: raw,
      receive(state: Probe, body, ctx) {
        if (!state.stored) {
          const row = { topic: ctx.id, epoch: state.epoch, created_at: ctx.now };
          ctx.write({ op: 'insert', table: 'topics', row });
          state.stored = true;
        }
        state.newest += 1;
        const row: TopicMessageRow = {
          topic: ctx.id,
          seq: state.newest,
          sender_id: ctx.user,
          headers: null,
          body: body.bytes,
          is_text: true,
          created_at: ctx.now,
        };
        ctx.write({ op: 'insert', table: 'topic_messages', row });
        ctx.publish('log', body, { seq: state.newest });
      },
    }),
    /** Something that needs no commit. */
    tell: command({
      routes: [],
      decode: raw,
      receive: (_state: Probe, body, ctx) => ctx.publish('news', body) as undefined,
    }),
    newest: command({
      routes: [],
      decode: nothing,
      receive: (state: Probe, _body, ctx) => ctx.reply(state.newest) as undefined,
    }),
    /** The seqs of the log as the store has them. */
    stored: command({
      routes: [],
      decode: nothing,
      query: (_state: Probe, _body, ctx) => ({
        name: 'topicMessagesAfter',
        args: { topic: ctx.id, after: 0, limit: 1_000 },
      }),
      receive: (_state, _body, ctx, rows) => ctx.reply(rows.map(({ seq }) => seq)) as undefined,
    }),
    refuse: command({
      routes: [],
      decode: nothing,
      receive(_state: Probe) {
        throw new Refusal('FORBIDDEN', 'Not you.', { more: 7 });
      },
    }),
    /** Changes the state, asks for a write, and breaks. */
    fault: command({
      routes: [],
      decode: nothing,
      receive(state: Probe, _body, ctx) {
        state.newest += 100;
        ctx.publish('news', jsonBody('never'));
        ctx.write({ op: 'trim_topic', topic: ctx.id, upto: 1_000 });
        throw new Error(faultText);
      },
    }),
    /** Rings after so many milliseconds. */
    ring: command({
      routes: [],
      decode: ({ bytes }) => Number(Buffer.from(bytes).toString()),
      receive: (_state: Probe, delayMs, ctx) => ctx.after(delayMs, 'ring') as undefined,
    }),
    /** As `ring`, with a write that may fail. */
    writeAndRing: command({
      routes: [],
      decode: ({ bytes }) => Number(Buffer.from(bytes).toString()),
      receive(_state: Probe, delayMs, ctx) {
        ctx.write({ op: 'trim_topic', topic: ctx.id, upto: 0 });
        ctx.after(delayMs, 'ring');
      },
    }),
  },
  timers: {
    ring: (_state: Probe, ctx) => ctx.publish('news', jsonBody('ring')) as undefined,
  },
});
