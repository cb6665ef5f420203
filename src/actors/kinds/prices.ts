// The price book: the last value of every symbol, sent on once per interval however fast ticks come in. Volatile by
// nature: a tick is answered before it is stored, and only the newest value of each symbol ever is.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import { difference, percentage } from '../../lib/decimal.ts';
import type { PriceRow } from '../../storage/tables.ts';
import { command, defineActor, type Context, type Present, type Source } from '../actor.ts';
import { json, nothing, type Body } from '../body.ts';
import { decodeTicks, priceSchema, symbolSchema, watchLeaseMs, type PriceView, type Tick } from './price-views.ts';
import { isoTime } from './room-views.ts';

/** A tick of one more symbol is a CONFLICT. */
const symbolsMax = 10_000;
/** Symbols of one message; there are several messages when more have moved. */
const pageSymbolsMax = 500;
/** Rows of one flush; the others wait for the next one. */
const flushRowsMax = 1_000;
/** Symbols that all actors together watch; above it a new watch is refused and sees no more than what is stored. */
const watchedMax = 1_000_000;
const watchSymbolsMax = 1_000;
const ticksBytesMax = 8 * 1024 * 1024;
const dayMs = 86_400_000;

class Quote {
  readonly symbol: string;
  price: string;
  /** First price of `day`, which counts UTC days since 1970. */
  open: string;
  day: number;
  volume = 0;
  updatedAt = 0;
  /** The place of its newest change among the changes of all symbols. */
  change = 0;
  /** Whether it has had a tick since the last flush. */
  hasMoved = false;
  #text: string | null = null;

  constructor(symbol: string, price: string, day: number) {
    this.symbol = symbol;
    this.price = price;
    this.open = price;
    this.day = day;
  }

  static of(row: PriceRow): Quote {
    const quote = new Quote(row.symbol, row.price, Date.parse(row.day) / dayMs);
    quote.open = row.open;
    quote.volume = row.volume;
    quote.updatedAt = row.updated_at;
    return quote;
  }

  /** No arithmetic here: ticks come a hundred times as often as anybody looks. */
  tick({ price, volume }: Tick, now: number, day: number): void {
    if (day !== this.day) {
      this.day = day;
      this.open = price;
    }
    this.price = price;
    if (volume !== undefined) this.volume = volume;
    this.updatedAt = now;
    this.#text = null;
  }

  view(): PriceView {
    const change = difference(this.price, this.open);
    return {
      symbol: this.symbol,
      price: this.price,
      change,
      changePercent: percentage(change, this.open),
      volume: this.volume,
      timestamp: isoTime(this.updatedAt),
    };
  }

  /** The view as JSON, made once per value. */
  get text(): string {
    return (this.#text ??= JSON.stringify(this.view()));
  }

  row(): PriceRow {
    return {
      symbol: this.symbol,
      price: this.price,
      open: this.open,
      day: isoTime(this.day * dayMs).slice(0, 10),
      volume: this.volume,
      updated_at: this.updatedAt,
    };
  }
}

interface Watch {
  readonly symbols: readonly string[];
  untilMs: number;
}

class Book {
  readonly quotes = new Map<string, Quote>();
  /** Number of the newest change. A book that is loaded again starts above every number of its earlier lives. */
  newest: number;
  /** In the order of their first tick since the last flush. */
  moved: Quote[] = [];
  /** Not stored as they are, those that have waited longest first. */
  readonly unstored = new Set<Quote>();
  flushedAt = 0;
  isFlushDue = false;
  /** By the user whose portfolio it is. */
  readonly watches = new Map<string, Watch>();
  readonly watchersOf = new Map<string, Set<string>>();
  watched = 0;
  isLeaseCheckDue = false;
  #byChange: readonly Quote[] | null = null;

  constructor(rows: readonly PriceRow[], now: number) {
    // A thousand changes a millisecond are more than can be: all symbols at the shortest interval are a fifth of it.
    this.newest = now * 1_000;
    for (const row of rows) this.#add(Quote.of(row));
  }

  /** @throws Refusal when the book has no place for the new symbols among them; nothing is applied then. */
  apply(ticks: readonly Tick[], now: number): void {
    if (this.quotes.size + ticks.length > symbolsMax) this.#refuseTooMany(ticks);
    const day = Math.floor(now / dayMs);
    for (const tick of ticks) {
      const quote = this.quotes.get(tick.symbol) ?? this.#add(new Quote(tick.symbol, tick.price, day));
      quote.tick(tick, now, day);
      if (quote.hasMoved) continue;
      quote.hasMoved = true;
      this.moved.push(quote);
      this.unstored.add(quote);
    }
  }

  /** What has moved since the last call, numbered anew. */
  takeMoved(): readonly Quote[] {
    const { moved } = this;
    this.moved = [];
    if (moved.length > 0) this.#byChange = null;
    for (const quote of moved) {
      quote.hasMoved = false;
      this.newest += 1;
      quote.change = this.newest;
    }
    return moved;
  }

  takeRows(max: number): readonly PriceRow[] {
    const rows: PriceRow[] = [];
    for (const quote of this.unstored) {
      if (rows.length === max) break;
      this.unstored.delete(quote);
      rows.push(quote.row());
    }
    return rows;
  }

  /** Quotes that have changed after that place, the oldest change first. */
  since(after: number, max: number): readonly Quote[] {
    if (after >= this.newest) return [];
    const quotes = (this.#byChange ??= [...this.quotes.values()].toSorted((a, b) => a.change - b.change));
    let low = 0;
    let high = quotes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((quotes[middle]?.change ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return quotes.slice(low, low + max);
  }

  /** @throws Refusal when too much is watched already. */
  watch(user: string, watch: Watch): void {
    const before = this.watches.get(user);
    if (this.watched - (before?.symbols.length ?? 0) + watch.symbols.length > watchedMax) {
      throw new Refusal('UNAVAILABLE', 'Too many symbols are watched.');
    }
    this.unwatch(user);
    this.watches.set(user, watch);
    this.watched += watch.symbols.length;
    for (const symbol of watch.symbols) {
      const watchers = this.watchersOf.get(symbol);
      if (watchers) watchers.add(user);
      else this.watchersOf.set(symbol, new Set([user]));
    }
  }

  unwatch(user: string): void {
    const watch = this.watches.get(user);
    if (!watch) return;
    this.watches.delete(user);
    this.watched -= watch.symbols.length;
    for (const symbol of watch.symbols) {
      const watchers = this.watchersOf.get(symbol);
      watchers?.delete(user);
      if (watchers?.size === 0) this.watchersOf.delete(symbol);
    }
  }

  #add(quote: Quote): Quote {
    // Numbered at once, though it is numbered again by its first flush: so whoever subscribes before that sees it.
    this.newest += 1;
    quote.change = this.newest;
    this.quotes.set(quote.symbol, quote);
    this.#byChange = null;
    return quote;
  }

  #refuseTooMany(ticks: readonly Tick[]): void {
    const added = new Set(ticks.map(({ symbol }) => symbol).filter((symbol) => !this.quotes.has(symbol)));
    if (this.quotes.size + added.size <= symbolsMax) return;
    throw new Refusal('CONFLICT', `There are at most ${symbolsMax} symbols.`);
  }
}

const bodyOf = (text: string): Body => ({ bytes: Buffer.from(text), isText: true });
const listOf = (quotes: readonly Quote[]): Body => bodyOf(`[${quotes.map(({ text }) => text).join(',')}]`);

/** Sends on what has moved, and stores some of what is not stored. */
function flush(book: Book, ctx: Context): void {
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

function store(book: Book, rowsMax: number, ctx: Context): void {
  for (const row of book.takeRows(rowsMax)) ctx.write({ op: 'upsert', table: 'prices', row });
}

function flushLater(book: Book, delayMs: number, ctx: Context): void {
  book.isFlushDue = true;
  ctx.after(delayMs, 'flush');
}

/** Costs what there is to tell, not how many watch. */
function tellWatchers(book: Book, moved: readonly Quote[], ctx: Context): void {
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

function present(book: Book, after: number): Present {
  const page = book.since(after, pageSymbolsMax);
  const isWhole = page.length < pageSymbolsMax;
  const upto = isWhole ? book.newest : (page.at(-1)?.change ?? book.newest);
  return { bodies: page.length === 0 ? [] : [listOf(page)], upto, isWhole };
}

function presentSymbol(book: Book, symbol: string, after: number): Present {
  const quote = book.quotes.get(symbol);
  const bodies = quote && quote.change > after ? [bodyOf(quote.text)] : [];
  return { bodies, upto: book.newest, isWhole: true };
}

const decodeWatch = json(z.object({ user: z.string(), symbols: z.array(symbolSchema).max(watchSymbolsMax) }));

export const pricesKind = defineActor({
  name: 'prices',

  load: () => ({ prices: { name: 'prices', args: {} } }),
  start: (_id, rows, source: Source) => new Book(rows.prices, source.now),

  streams: {
    all: {
      destination: '/topic/prices',
      conflated: true,
      present: (book: Book, _ctx, after) => present(book, after),
    },
    symbol: {
      destination: '/topic/prices.{symbol}',
      conflated: true,
      present: (book: Book, ctx, after) => presentSymbol(book, ctx.params['symbol'] ?? '', after),
    },
  },

  commands: {
    ticks: command({
      routes: ['SEND /app/price.tick', 'POST /api/prices/ticks'],
      id: 'path',
      roles: ['service'],
      about: 'New prices: a JSON list, or a stream of JSON lines.',
      answer: z.object({ applied: z.int() }),
      bodyBytesMax: ticksBytesMax,
      takesLines: true,
      decode: decodeTicks,
      receive(book: Book, ticks, ctx) {
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
      parameters: z.object({ symbols: z.string().optional() }),
      answer: z.array(priceSchema),
      decode: nothing,
      receive(book: Book, _body, ctx) {
        const symbols = ctx.params['symbols']?.split(',') ?? [...book.quotes.keys()].toSorted();
        const quotes = [...new Set(symbols)].map((symbol) => book.quotes.get(symbol));
        ctx.reply(quotes.filter((quote) => quote !== undefined).map((quote) => quote.view()));
      },
    }),

    /** A portfolio wants to be told of these symbols, for as long as a lease lasts. */
    watch: command({
      routes: [],
      decode: decodeWatch,
      receive(book: Book, { user, symbols }, ctx) {
        book.watch(user, { symbols, untilMs: ctx.now + watchLeaseMs });
        const quotes = symbols.map((symbol) => book.quotes.get(symbol)).filter((quote) => quote !== undefined);
        const prices = quotes.map(({ symbol, price }) => [symbol, price]);
        ctx.send('portfolio', user, 'moved', { prices, lease: 'begins' });
        checkLeasesLater(book, ctx);
      },
    }),
  },

  timers: {
    flush(book: Book, ctx) {
      book.isFlushDue = false;
      flush(book, ctx);
    },
    leases(book: Book, ctx) {
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

  drain(book: Book, ctx) {
    store(book, symbolsMax, ctx);
  },
});

function checkLeasesLater(book: Book, ctx: Context): void {
  if (book.isLeaseCheckDue || book.watches.size === 0) return;
  book.isLeaseCheckDue = true;
  ctx.after(watchLeaseMs, 'leases');
}
