// The price book's last values as data. Rows follow the ticks only so fast; after a crash a snapshot may know newer ones.
import { z } from 'zod';
import { decimalPattern } from '../../lib/decimal.ts';
import type { PriceRow } from '../../storage/tables.ts';
import { stateSnapshot, Worthless } from '../state-snapshot.ts';
import { PriceBook, symbolsMax } from './price-book.ts';

const decimal = z.string().regex(decimalPattern);

export const priceSnapshot = stateSnapshot({
  form: 1,
  isStored: true,
  schema: z
    .array(z.tuple([z.string(), decimal, decimal, z.iso.date(), z.int().min(0), z.int()]))
    .max(symbolsMax),

  take(book: PriceBook) {
    const rows = [...book.quotes.values()].map((quote) => quote.row());
    if (rows.length === 0) return null;
    const place = rows.reduce((newest, row) => Math.max(newest, row.updated_at), 0);
    const data = rows.map((row): [string, string, string, string, number, number] => [
      row.symbol,
      row.price,
      row.open,
      row.day,
      row.volume,
      row.updated_at,
    ]);
    return { epoch: '', place, data };
  },

  load: () => ({ prices: { name: 'prices', args: {} } }),

  start(_id, { place, data }, rows, source) {
    if (place > source.now) throw new Worthless('it is of the future');
    const book = new PriceBook(rows.prices, source.now);
    for (const [symbol, price, open, day, volume, updated_at] of data) {
      const row: PriceRow = { symbol, price, open, day, volume, updated_at };
      book.renew(row, source.now);
    }
    return book;
  },
});
