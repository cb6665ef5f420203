// The built-in kinds and some that ask of an edge all that a kind can ask of it.
import { z } from 'zod';
import { command, defineActor, type AnyKind } from '../../src/actors/actor.ts';
import { json, jsonBody, nothing, raw } from '../../src/actors/body.ts';
import { kinds as builtInKinds } from '../../src/actors/kinds.ts';
import { Refusal } from '../../src/errors.ts';
import { probe } from '../actors/probe.ts';

interface Board {
  place: number;
  /** In the order of their places, which are their newest. */
  values: Map<string, { value: string; place: number }>;
  applied: number[];
}

const valuesPerPage = 3;
const lines = z.array(z.object({ n: z.number() }));

/** Names with values of which only the newest counts, and commands that tell how they were asked. */
function keep(state: Board, name: string, value: string): void {
  state.place += 1;
  state.values.delete(name);
  state.values.set(name, { value, place: state.place });
}

const board = defineActor({
  name: 'board',
  load: () => ({}),
  start: (): Board => ({ place: 0, values: new Map(), applied: [] }),
  streams: {
    values: {
      destination: '/topic/board.{id}',
      conflated: true,
      admit(_state, ctx) {
        if (ctx.user === 'mallory') throw new Refusal('FORBIDDEN', 'Not you.');
      },
      present(state: Board, _ctx, after) {
        // A place that it has not come to is of an earlier life.
        const seen = after > state.place ? 0 : after;
        const changed = [...state.values].filter(([, { place }]) => place > seen);
        const page = changed.slice(0, valuesPerPage);
        return {
          bodies: page.map(([name, { value }]) => jsonBody({ name, value })),
          upto: page.at(-1)?.[1].place ?? state.place,
          isWhole: page.length === changed.length,
        };
      },
    },
    walk: { destination: '/user/{id}/queue/walk' },
  },
  commands: {
    set: command({
      routes: ['SEND /app/board.set/{id}'],
      decode: json(z.object({ name: z.string(), value: z.string() })),
      receive(state: Board, { name, value }, ctx) {
        keep(state, name, value);
        ctx.publish('values', jsonBody({ name, value }), { seq: state.place });
      },
    }),
    /** As `set`, and is published only by the next `set`, as what gathers over an interval is. */
    note: command({
      routes: ['SEND /app/board.note/{id}'],
      decode: json(z.object({ name: z.string(), value: z.string() })),
      receive: (state: Board, { name, value }) => keep(state, name, value) as undefined,
    }),
    look: command({
      routes: ['SUBSCRIBE /app/board.look/{id}/{what}', 'GET /api/boards/{id}'],
      decode: nothing,
      receive(_state: Board, _body, ctx) {
        const { id, user, session, params } = ctx;
        ctx.reply({ id, user, hasSession: session !== '', params });
      },
    }),
    each: command({
      routes: ['SUBSCRIBE /app/board.each', 'GET /api/boards'],
      id: 'each:names',
      parameters: z.object({ names: z.string() }),
      decode: nothing,
      receive(_state: Board, _body, ctx) {
        const { id, params } = ctx;
        if (id === 'secret') throw new Refusal('FORBIDDEN', 'This is secret.', { board: id });
        ctx.reply({ id, ...params });
      },
    }),
    mine: command({
      routes: ['SUBSCRIBE /app/board.mine'],
      id: 'user',
      decode: nothing,
      receive: (_state: Board, _body, ctx) => ctx.reply(ctx.id) as undefined,
    }),
    put: command({
      routes: ['POST /api/boards'],
      id: 'body:boardId',
      status: 201,
      decode: raw,
      receive: (_state: Board, _body, ctx) => ctx.reply(ctx.id) as undefined,
    }),
    make: command({
      routes: ['POST /api/made'],
      id: 'new',
      bodyBytesMax: 10,
      decode: raw,
      receive: (_state: Board, _body, ctx) => ctx.reply(ctx.id) as undefined,
    }),
    /** Sends its asker a page of so many bytes, as often as asked for. */
    walk: command({
      routes: ['SEND /app/board.walk'],
      id: 'user',
      decode: json(z.object({ pages: z.number(), bytes: z.number() })),
      receive(_state: Board, { pages, bytes }, ctx) {
        const page = Number(ctx.params['cursor'] ?? 1);
        if (page === 99) throw new Refusal('NOT_FOUND', 'There is no such page.');
        ctx.publish('walk', jsonBody(`${page}`.padEnd(bytes, '.')));
        if (page < pages) ctx.more(String(page + 1));
      },
    }),
    /** Takes lists of numbers below 1,000, and tells which one is none. */
    take: command({
      routes: ['POST /api/lines'],
      roles: ['service'],
      takesLines: true,
      bodyBytesMax: 1_000_000,
      decode: ({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as unknown[],
      receive(state: Board, list: unknown[], ctx) {
        const index = list.findIndex((one) => typeof one !== 'number' || one >= 1_000);
        if (index !== -1) throw new Refusal('BAD_REQUEST', 'This is no number below 1,000.', { index });
        state.applied.push(...(list as number[]));
        ctx.reply({ applied: list.length });
      },
    }),
    /** As `take`, and does not tell. */
    takeObjects: command({
      routes: ['POST /api/objects'],
      takesLines: true,
      decode: json(lines),
      receive(state: Board, list: readonly { n: number }[], ctx) {
        state.applied.push(...list.map(({ n }) => n));
        ctx.reply({ applied: list.length });
      },
    }),
    taken: command({
      routes: ['GET /api/lines'],
      decode: nothing,
      receive: (state: Board, _body, ctx) => ctx.reply(state.applied) as undefined,
    }),
  },
});

interface Here {
  ties: [sessions: number, isAgain: boolean][];
}

/** Knows of the sessions of its user, and of those that ask to be tied to it. */
const here = defineActor({
  name: 'here',
  attachesSessions: true,
  load: () => ({}),
  start: (): Here => ({ ties: [] }),
  streams: {},
  commands: {
    tie: command({
      routes: ['SEND /app/here.tie/{id}'],
      decode: nothing,
      receive: (_state: Here, _body, ctx) => ctx.attach() as undefined,
    }),
    untie: command({
      routes: ['SEND /app/here.untie/{id}'],
      decode: nothing,
      receive: (_state: Here, _body, ctx) => ctx.detach() as undefined,
    }),
    look: command({
      routes: ['SUBSCRIBE /app/here.look/{id}'],
      decode: nothing,
      receive: (state: Here, _body, ctx) =>
        ctx.reply({ users: [...ctx.attached.values()], ties: state.ties }) as undefined,
    }),
  },
  attachments(state: Here, ctx, { isAgain }) {
    state.ties.push([ctx.attached.size, isAgain]);
  },
});

/** The log of the probe, which tells its present state where a gap can't be filled. */
const state: AnyKind = {
  ...probe,
  streams: {
    ...probe.streams,
    log: {
      ...probe.streams['log'],
      destination: '/probe/{id}',
      present: (_state, ctx) => ({ bodies: [jsonBody(`state of ${ctx.id}`)], upto: 0, isWhole: true }),
    },
  },
};

export const kinds: readonly AnyKind[] = [...builtInKinds, board, here, state];
