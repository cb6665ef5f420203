// The price book without its doors: the last value of every symbol, what of it has moved and is not stored yet, and who
// watches what.
import { isoTime } from '../body.ts';
import { Refusal } from '../../errors.ts';
import { changeOf } from '../../lib/decimal.ts';
import type { PriceRow } from '../../storage/tables.ts';
import type { PriceView, Tick } from './price-views.ts';

/** A tick of one more symbol is a CONFLICT. */
export const symbolsMax = 10_000;
/** Symbols that all actors together watch; above it a new watch is refused and sees no more than what is stored. */
const watchedMax = 1_000_000;
const dayMs = 86_400_000;

/** What is known of a symbol; `day` counts UTC days since 1970. */
export interface Value {
  readonly price: string;
  /** First price of `day`. */
  readonly open: string;
  readonly day: number;
  readonly volume: number;
  readonly updatedAt: number;
}

/** The last value of one symbol. */
export class Quote implements Value {
  readonly symbol: string;
  price: string;
  open: string;
  day: number;
  volume = 0;
  updatedAt = 0;
  /** The place of its newest change among the changes of all symbols. */
  change = 0;
  /** Whether it has had a tick since the last flush. */
  hasMoved = false;
  #view: PriceView | null = null;
  #text: string | null = null;

  constructor(symbol: string, price: string, day: number) {
    this.symbol = symbol;
    this.price = price;
    this.open = price;
    this.day = day;
  }

  static of(row: PriceRow): Quote {
    const { symbol, price, open, volume, updated_at: updatedAt } = row;
    const quote = new Quote(symbol, price, Date.parse(row.day) / dayMs);
    quote.set({ price, open, day: quote.day, volume, updatedAt });
    return quote;
  }

  /** Before anybody has looked at it. */
  set(value: Value): void {
    this.price = value.price;
    this.open = value.open;
    this.day = value.day;
    this.volume = value.volume;
    this.updatedAt = value.updatedAt;
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
    this.#view = null;
    this.#text = null;
  }

  /** Made once per value. */
  get view(): PriceView {
    if (this.#view) return this.#view;
    const [change, changePercent] = changeOf(this.open, this.price);
    this.#view = {
      symbol: this.symbol,
      price: this.price,
      change,
      changePercent,
      volume: this.volume,
      timestamp: isoTime(this.updatedAt),
    };
    return this.#view;
  }

  /** The view as JSON, made once per value. */
  get text(): string {
    return (this.#text ??= JSON.stringify(this.view));
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

export class PriceBook {
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

  /**
   * Takes over the last value of a symbol that was not stored any more. One that the database does not know, or knows
   * better, is left as it is, and so is a value of the future.
   */
  renew(symbol: string, value: Value, now: number): void {
    const quote = this.quotes.get(symbol);
    if (!quote || value.updatedAt <= quote.updatedAt || value.updatedAt > now) return;
    quote.set(value);
    this.unstored.add(quote);
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
