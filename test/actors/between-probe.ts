// Kinds that have to do with each other and with sessions, for tests of the runtime.
import { z } from 'zod';
import { command, defineActor, type Context } from '../../src/actors/actor.ts';
import { json, jsonBody, nothing } from '../../src/actors/body.ts';
import type { InventoryChangeRow } from '../../src/storage/tables.ts';

interface Caller {
  heard: unknown[];
  /** What the hook of attachments was told: how many there are, whether again, and who has gone. */
  ties: [count: number, isAgain: boolean, gone: string | null][];
}

const anything = json(z.unknown());

function write(ctx: Context): void {
  ctx.write({ op: 'trim_topic', topic: ctx.id, upto: 0 });
}

export const caller = defineActor({
  name: 'caller',
  load: () => ({}),
  start: (): Caller => ({ heard: [], ties: [] }),
  streams: {
    /** Two pages of present state: the halves of what was heard. */
    present: {
      destination: '/caller/{id}.present',
      conflated: true,
      present(state: Caller, _ctx, after) {
        const next = state.heard.slice(after, after + 2);
        const upto = after + next.length;
        return { bodies: next.map(jsonBody), upto, isWhole: upto >= state.heard.length };
      },
    },
    news: { destination: '/user/{id}/queue/news' },
  },
  commands: {
    /** `[to, body]`: tells another one. */
    call: command({
      routes: [],
      decode: json(z.tuple([z.string(), z.unknown()])),
      receive: (_state: Caller, [to, body], ctx) => ctx.send('caller', to, 'hear', body) as undefined,
    }),
    /** As `call`, with a write of its own. */
    writeAndCall: command({
      routes: [],
      decode: json(z.tuple([z.string(), z.unknown()])),
      receive(_state: Caller, [to, body], ctx) {
        write(ctx);
        ctx.send('caller', to, 'hear', body);
      },
    }),
    callAndBreak: command({
      routes: [],
      decode: json(z.tuple([z.string(), z.unknown()])),
      receive(_state: Caller, [to, body], ctx) {
        ctx.send('caller', to, 'hear', body);
        throw new Error('broken');
      },
    }),
    hear: command({
      routes: [],
      decode: anything,
      receive: (state: Caller, body) => void state.heard.push(body),
    }),
    heard: command({
      routes: [],
      decode: nothing,
      receive: (state: Caller, _body, ctx) => ctx.reply(state.heard) as undefined,
    }),
    push: command({
      routes: [],
      decode: json(z.tuple([z.string(), z.unknown()])),
      receive(_state: Caller, [user, body], ctx) {
        write(ctx);
        ctx.push(user, 'news', jsonBody(body));
      },
    }),
    attach: command({
      routes: [],
      decode: nothing,
      receive: (_state: Caller, _body, ctx) => ctx.attach() as undefined,
    }),
    detach: command({
      routes: [],
      decode: nothing,
      receive: (_state: Caller, _body, ctx) => ctx.detach() as undefined,
    }),
    ties: command({
      routes: [],
      decode: nothing,
      receive: (state: Caller, _body, ctx) =>
        ctx.reply({ attached: [...ctx.attached], ties: state.ties }) as undefined,
    }),
    /** Three pages. */
    page: command({
      routes: [],
      decode: nothing,
      receive(_state: Caller, _body, ctx) {
        const page = Number(ctx.params['cursor'] ?? 1);
        ctx.reply(page);
        if (page < 3) ctx.more(String(page + 1));
      },
    }),
    /** For services, with a parameter, answered with a new id each time. */
    make: command({
      routes: ['POST /api/callers/{id}'],
      roles: ['service'],
      parameters: z.object({ size: z.enum(['s', 'l']).optional() }),
      decode: nothing,
      receive: (_state: Caller, _body, ctx) => ctx.reply(ctx.newId()) as undefined,
    }),
  },
  attachments(state: Caller, ctx, { gone, isAgain }) {
    state.ties.push([ctx.attached.size, isAgain, gone?.user ?? null]);
  },
  drain(_state: Caller, ctx) {
    const row = { topic: ctx.id, epoch: 'drained', created_at: ctx.now };
    ctx.write({ op: 'insert', table: 'topics', row });
  },
});

interface Fed {
  epoch: string;
  newest: number;
}

/** Owns a stream that `feeder` appends to. */
export const fed = defineActor({
  name: 'fed',
  load: () => ({ head: { name: 'inventoryHead', args: { stream: '/fed' } } }),
  start: (_id, rows, source): Fed => rows.head[0] ?? { epoch: source.newEpoch(), newest: 0 },
  streams: {
    changes: {
      destination: '/fed',
      log: {
        head: (state: Fed) => ({ epoch: state.epoch, oldest: 1, newest: state.newest }),
        after: (_id, after, limit) => ({
          name: 'inventoryChangesAfter',
          args: { stream: '/fed', after, limit },
        }),
        message: (row: InventoryChangeRow) => [row.seq, null, jsonBody(row.product_id).bytes, true],
        advance(state, row: InventoryChangeRow) {
          state.newest = Math.max(state.newest, row.seq);
        },
      },
    },
  },
  commands: {
    newest: command({
      routes: [],
      decode: nothing,
      receive: (state: Fed, _body, ctx) => ctx.reply(state.newest) as undefined,
    }),
  },
});

function append(ctx: Context, name: string): void {
  const row: InventoryChangeRow = {
    stream: '/fed',
    seq: 0,
    product_id: name,
    quantity: 1,
    urgent: false,
    version: 1,
    created_at: ctx.now,
  };
  ctx.write({ op: 'append', table: 'inventory_changes', stream: '/fed', epoch: ctx.newEpoch(), row });
}

export const feeder = defineActor({
  name: 'feeder',
  load: () => ({}),
  start: () => null,
  streams: {},
  commands: {
    append: command({
      routes: [],
      decode: json(z.string()),
      receive(_state: null, name: string, ctx) {
        append(ctx, name);
        ctx.feed('fed', '', 'changes');
      },
    }),
    /** Appends, and the word of it is lost. */
    appendInSilence: command({
      routes: [],
      decode: json(z.string()),
      receive: (_state: null, name: string, ctx) => append(ctx, name) as undefined,
    }),
  },
});
