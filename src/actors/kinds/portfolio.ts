// One actor per user: what the user holds, and what it is worth at the last known prices. The prices come from the
// price book, which sends what has moved to those who watch, for as long as they renew their lease.
import { z } from 'zod';
import { decimalOf, decimalPattern, difference, exactNumbers, product, sum } from '../../lib/decimal.ts';
import type { PriceRow } from '../../storage/tables.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { isoTime, json, jsonBody, nothing, type Body, type Decoder, type RawBody } from '../body.ts';
import { holdingsBody, portfolioAnswer, type portfolioView } from './portfolio-views.ts';
import { watchLeaseMs } from './price-views.ts';

/** While somebody looks; three times within a lease, so that a lost message ends nothing. */
const renewMs = 10_000;
/** How long after an answer of the price book the known prices are sure to be kept up to date. */
const freshMs = watchLeaseMs - 5_000;

interface Position {
  quantity: string;
  /** Null until the symbol has a price. */
  price: string | null;
  value: string | null;
}

interface Portfolio {
  positions: Map<string, Position>;
  totalValue: string;
  /** Until when the price book tells of every move. */
  freshUntilMs: number;
  isRenewing: boolean;
  /** Subscribers are told when the price book has answered: until then not all prices are known. */
  owesPresent: boolean;
  sentAt: number;
  isSendDue: boolean;
  /** Number of the newest change that subscribers were told. */
  told: number;
  /** Number of the newest change, whether anybody was told or not; greater in each life of the actor. */
  newest: number;
}

type Holding = readonly [symbol: string, quantity: string];

const decodeShape = json(holdingsBody);

function decodeHoldings(raw: RawBody): readonly Holding[] {
  let { holdings } = decodeShape(raw);
  const text = Buffer.from(raw.bytes).toString('latin1');
  const exact = exactNumbers(text);
  // Rarely so: then it is read twice.
  if (exact !== text) ({ holdings } = decodeShape({ ...raw, bytes: Buffer.from(exact, 'latin1') }));
  return holdings.map(({ symbol, quantity }) => [symbol, decimalOf(quantity) ?? '0']);
}

const decodePut: Decoder<readonly Holding[]> = Object.assign(decodeHoldings, { schema: holdingsBody });
const decodeMoved = json(
  z.object({
    prices: z.array(z.tuple([z.string(), z.string().regex(decimalPattern)])),
    lease: z.enum(['begins', 'goes on', 'ended']),
  }),
);

function reprice(state: Portfolio, symbol: string, price: string): boolean {
  const position = state.positions.get(symbol);
  if (!position || position.price === price) return false;
  const value = product(position.quantity, price);
  // Exact, so that a sum kept up to date is the sum.
  state.totalValue = sum(difference(state.totalValue, position.value ?? '0'), value);
  position.price = price;
  position.value = value;
  return true;
}

/** @returns whether it is worth something else now. */
function repriceAll(state: Portfolio, rows: readonly Pick<PriceRow, 'symbol' | 'price'>[]): boolean {
  return rows.filter(({ symbol, price }) => reprice(state, symbol, price)).length > 0;
}

function replace(state: Portfolio, holdings: readonly Holding[]): void {
  const before = state.positions;
  state.positions = new Map();
  state.totalValue = '0';
  for (const [symbol, quantity] of holdings) {
    state.positions.set(symbol, { quantity, price: null, value: null });
    const price = before.get(symbol)?.price;
    if (price !== null && price !== undefined) reprice(state, symbol, price);
  }
}

const isFresh = (state: Portfolio, now: number): boolean => now < state.freshUntilMs;

/** Whether the newest prices of all these are known without asking. */
function isKnown(state: Portfolio, holdings: readonly Holding[], now: number): boolean {
  return isFresh(state, now) && holdings.every(([symbol]) => state.positions.get(symbol)?.price);
}

function view(state: Portfolio, now: number): z.input<typeof portfolioView> {
  const positions = [...state.positions].map(([symbol, position]) => ({ symbol, ...position }));
  return { positions, totalValue: state.totalValue, timestamp: isoTime(now) };
}

const bodyOf = (state: Portfolio, now: number): Body => jsonBody(view(state, now));

/** As a REST caller sees it: with what was put, too. */
function answer(state: Portfolio, now: number): z.input<typeof portfolioAnswer> {
  const holdings = [...state.positions].map(([symbol, { quantity }]) => ({ symbol, quantity }));
  return { holdings, ...view(state, now) };
}

function publish(state: Portfolio, ctx: Context): void {
  state.sentAt = ctx.now;
  state.owesPresent = false;
  if (!ctx.hasSubscribers('positions')) return;
  state.told = state.newest;
  ctx.publish('positions', bodyOf(state, ctx.now), { seq: state.newest });
}

/** At most once per interval. */
function publishInTime(state: Portfolio, ctx: Context): void {
  if (state.isSendDue) return;
  const { priceIntervalMs } = ctx.settings;
  const waitMs = Math.min(state.sentAt + priceIntervalMs - ctx.now, priceIntervalMs);
  if (waitMs <= 0) return publish(state, ctx);
  state.isSendDue = true;
  ctx.after(waitMs, 'send');
}

/** Asks the price book for the prices as they are, and for all moves within a lease. */
function watch(state: Portfolio, ctx: Context): void {
  ctx.send('prices', '', 'watch', { user: ctx.id, symbols: [...state.positions.keys()] });
}

function keepWatching(state: Portfolio, ctx: Context): void {
  watch(state, ctx);
  state.isRenewing = true;
  ctx.after(renewMs, 'renew');
}

export const portfolioKind = defineActor({
  name: 'portfolio',

  load: (id) => ({ portfolio: { name: 'portfolio', args: { userId: id } } }),

  start(_id, rows, source): Portfolio {
    const state: Portfolio = {
      positions: new Map(),
      totalValue: '0',
      freshUntilMs: 0,
      isRenewing: false,
      owesPresent: false,
      sentAt: 0,
      isSendDue: false,
      told: 0,
      newest: source.now * 1_000,
    };
    replace(state, JSON.parse(rows.portfolio[0]?.holdings ?? '[]') as Holding[]);
    return state;
  },

  streams: {
    positions: {
      destination: '/user/{id}/queue/portfolio',
      conflated: true,
      present(state: Portfolio, ctx, after) {
        if (!state.isRenewing) keepWatching(state, ctx);
        const upto = state.newest;
        const isUpToDate = state.positions.size === 0 || isFresh(state, ctx.now);
        // What is not known yet comes as a message, with the price book's answer.
        if (!isUpToDate) state.owesPresent = true;
        const bodies = isUpToDate && after < upto ? [bodyOf(state, ctx.now)] : [];
        return { bodies, upto, isWhole: true };
      },
    },
  },

  commands: {
    put: command({
      routes: ['PUT /api/portfolio'],
      id: 'user',
      about: 'Replaces everything that the user holds.',
      answer: portfolioAnswer,
      decode: decodePut,
      query: (state: Portfolio, holdings, ctx) =>
        isKnown(state, holdings, ctx.now) ? undefined : { name: 'prices', args: {} },
      receive(state: Portfolio, holdings, ctx, rows) {
        // What is stored may lack the newest ticks.
        const isToldAtOnce = holdings.length === 0 || isKnown(state, holdings, ctx.now);
        const known = new Map([...state.positions].map(([symbol, { price }]) => [symbol, price]));
        replace(state, holdings);
        const row = { user_id: ctx.id, holdings: JSON.stringify(holdings), updated_at: ctx.now };
        ctx.write({ op: 'upsert', table: 'portfolios', row });
        // What the price book has told is newer than what it has stored.
        repriceAll(state, isFresh(state, ctx.now) ? rows.filter(({ symbol }) => !known.get(symbol)) : rows);
        state.newest += 1;
        ctx.reply(answer(state, ctx.now));
        if (isToldAtOnce) publish(state, ctx);
        else state.owesPresent = true;
        watch(state, ctx);
      },
    }),

    get: command({
      routes: ['GET /api/portfolio'],
      id: 'user',
      about: 'What the user holds, at the last known prices.',
      answer: portfolioAnswer,
      decode: nothing,
      query: (state: Portfolio, _body, ctx) =>
        isFresh(state, ctx.now) ? undefined : { name: 'prices', args: {} },
      receive(state: Portfolio, _body, ctx, rows) {
        if (repriceAll(state, rows)) state.newest += 1;
        ctx.reply(answer(state, ctx.now));
        // One lease, so that asking again soon costs no reading of all prices.
        if (!isFresh(state, ctx.now)) watch(state, ctx);
      },
    }),

    /** From the price book: prices that have moved, or all that are watched. */
    moved: command({
      routes: [],
      decode: decodeMoved,
      receive(state: Portfolio, { prices, lease }, ctx) {
        const hasChanged = repriceAll(
          state,
          prices.map(([symbol, price]) => ({ symbol, price })),
        );
        const owes = state.owesPresent && lease === 'begins';
        if (hasChanged || owes) state.newest += 1;
        if (lease === 'begins') state.freshUntilMs = ctx.now + freshMs;
        if (lease === 'ended') state.freshUntilMs = 0;
        if (owes) state.owesPresent = false;
        if (!ctx.hasSubscribers('positions')) return;
        if (owes) publish(state, ctx);
        else if (hasChanged) publishInTime(state, ctx);
        // One that was loaded again has lost its timer.
        if (!state.isRenewing) keepWatching(state, ctx);
      },
    }),
  },

  timers: {
    renew(state: Portfolio, ctx) {
      state.isRenewing = false;
      if (ctx.hasSubscribers('positions')) keepWatching(state, ctx);
    },
    send(state: Portfolio, ctx) {
      state.isSendDue = false;
      // A change of holdings may have told it meanwhile.
      if (state.newest > state.told) publishInTime(state, ctx);
    },
  },
});
