// The price book: the last value of every symbol, sent on once per interval however fast ticks come in. Volatile by
// nature: a tick is answered before it is stored, and only the newest value of each symbol ever is.
import { z } from 'zod';
import { command, defineActor, type Context, type Present, type Source } from '../actor.ts';
import { json, nothing, type Body } from '../body.ts';
import { priceSnapshot } from './price-snapshot.ts';
import { PriceBook, symbolsMax, type Quote } from './price-book.ts';
import { decodeTicks, priceSchema, symbolSchema, watchLeaseMs } from './price-views.ts';

/** Symbols of one message; there are several messages when more have moved. */
const pageSymbolsMax = 500;
/** Rows of one flush; the others wait for the next one. */
const flushRowsMax = 1_000;
const watchSymbolsMax = 1_000;
/** How often leases are looked at: a watch may last longer by so much. */
const leaseCheckMs = 10_000;
const ticksBytesMax = 8 * 1024 * 1024;

const bodyOf = (text: string): Body => ({ bytes: Buffer.from(text), isText: true });
const listOf = (quotes: readonly Quote[]): Body => bodyOf(`[${quotes.map(({ text }) => text).join(',')}]`);

/** Sends on what has moved, and stores some of what is not stored. */
function flush(book: PriceBook, ctx: Context): void {
  book.flushedAt = ctx.now;
  const moved = book.takeMoved();
  if (ctx.hasSubscribers('all')) {
    for (let start = 0; start < moved.length; start += pageSymbolsMax) {
      const page = moved.slice(start, start + pageSymbolsMax);
      ctx.publish('all', listOf(page), { seq: page.at(-1)?.change ?? 0 });
    }
  }
  for (const quote of moved) {
    const params = { symbol: quote.symbol };
    if (!ctx.hasSubscribers('symbol', params)) continue;
    ctx.publish('symbol', bodyOf(quote.text), { seq: quote.change, params });
  }
  tellWatchers(book, moved, ctx);
  store(book, flushRowsMax, ctx);
  if (book.unstored.size > 0) flushLater(book, ctx.settings.priceIntervalMs, ctx);
}

function store(book: PriceBook, rowsMax: number, ctx: Context): void {
  for (const row of book.takeRows(rowsMax)) ctx.write({ op: 'upsert', table: 'prices', row });
}

function flushLater(book: PriceBook, delayMs: number, ctx: Context): void {
  book.isFlushDue = true;
  ctx.after(delayMs, 'flush');
}

/** Costs what there is to tell, not how many watch. */
function tellWatchers(book: PriceBook, moved: readonly Quote[], ctx: Context): void {
  if (book.watches.size === 0) return;
  const pricesOf = new Map<string, [symbol: string, price: string][]>();
  for (const { symbol, price } of moved) {
    for (const user of book.watchersOf.get(symbol) ?? []) {
      const prices = pricesOf.get(user);
      if (prices) prices.push([symbol, price]);
      else pricesOf.set(user, [[symbol, price]]);
    }
  }
  for (const [user, prices] of pricesOf) ctx.send('portfolio', user, 'moved', { prices, lease: 'goes on' });
}

function checkLeasesLater(book: PriceBook, ctx: Context): void {
  if (book.isLeaseCheckDue || book.watches.size === 0) return;
  book.isLeaseCheckDue = true;
  ctx.after(leaseCheckMs, 'leases');
}

function present(book: PriceBook, after: number): Present {
  const page = book.since(after, pageSymbolsMax);
  const isWhole = page.length < pageSymbolsMax;
  const upto = isWhole ? book.newest : (page.at(-1)?.change ?? book.newest);
  return { bodies: page.length === 0 ? [] : [listOf(page)], upto, isWhole };
}

function presentSymbol(book: PriceBook, symbol: string, after: number): Present {
  const quote = book.quotes.get(symbol);
  const bodies = quote && quote.change > after ? [bodyOf(quote.text)] : [];
  return { bodies, upto: book.newest, isWhole: true };
}

const decodeWatch = json(z.object({ user: z.string(), symbols: z.array(symbolSchema).max(watchSymbolsMax) }));

export const pricesKind = defineActor({
  name: 'prices',

  load: () => ({ prices: { name: 'prices', args: {} } }),
  start: (_id, rows, source: Source) => new PriceBook(rows.prices, source.now),
  snapshot: priceSnapshot,

  streams: {
    all: {
      destination: '/topic/prices',
      conflated: true,
      present: (book: PriceBook, _ctx, after) => present(book, after),
    },
    symbol: {
      destination: '/topic/prices.{symbol}',
      conflated: true,
      present: (book: PriceBook, ctx, after) => presentSymbol(book, ctx.params['symbol'] ?? '', after),
    },
  },

  commands: {
    ticks: command({
      routes: ['SEND /app/price.tick', 'POST /api/prices/ticks'],
      roles: ['service'],
      about: 'New prices: a JSON list, or a stream of JSON lines.',
      answer: z.object({ applied: z.int() }),
      bodyBytesMax: ticksBytesMax,
      takesLines: true,
      decode: decodeTicks,
      receive(book: PriceBook, ticks, ctx) {
        book.apply(ticks, ctx.now);
        ctx.reply({ applied: ticks.length });
        if (book.isFlushDue) return;
        const { priceIntervalMs } = ctx.settings;
        // A clock that was set back makes no wait longer than one interval.
        const waitMs = Math.min(book.flushedAt + priceIntervalMs - ctx.now, priceIntervalMs);
        if (waitMs > 0) flushLater(book, waitMs, ctx);
        else flush(book, ctx);
      },
    }),

    list: command({
      routes: ['GET /api/prices'],
      about: 'The last price of every symbol, or of those named.',
      parameters: z.object({
        symbols: z.string().optional().describe('Separated by commas; all unless given.'),
      }),
      answer: z.array(priceSchema),
      decode: nothing,
      receive(book: PriceBook, _body, ctx) {
        const symbols = ctx.params['symbols']?.split(',') ?? [...book.quotes.keys()].toSorted();
        const quotes = [...new Set(symbols)].map((symbol) => book.quotes.get(symbol));
        ctx.reply(quotes.filter((quote) => quote !== undefined).map((quote) => quote.view));
      },
    }),

    /** A portfolio wants to be told of these symbols, for as long as a lease lasts. */
    watch: command({
      routes: [],
      decode: decodeWatch,
      receive(book: PriceBook, { user, symbols }, ctx) {
        book.watch(user, { symbols, untilMs: ctx.now + watchLeaseMs });
        const quotes = symbols
          .map((symbol) => book.quotes.get(symbol))
          .filter((quote) => quote !== undefined);
        const prices = quotes.map(({ symbol, price }) => [symbol, price]);
        ctx.send('portfolio', user, 'moved', { prices, lease: 'begins' });
        checkLeasesLater(book, ctx);
      },
    }),
  },

  timers: {
    flush(book: PriceBook, ctx) {
      book.isFlushDue = false;
      flush(book, ctx);
    },
    leases(book: PriceBook, ctx) {
      book.isLeaseCheckDue = false;
      for (const [user, { untilMs }] of book.watches) {
        if (untilMs > ctx.now) continue;
        book.unwatch(user);
        // Whoever still wants it has forgotten to renew, as one that was loaded again has.
        ctx.send('portfolio', user, 'moved', { prices: [], lease: 'ended' });
      }
      checkLeasesLater(book, ctx);
    },
  },

  drain(book: PriceBook, ctx) {
    store(book, symbolsMax, ctx);
  },
});
