// The price book's last values as data. Rows follow the ticks only so fast; after a crash a snapshot may know newer ones.
import { z } from 'zod';
import { decimalPattern } from '../../lib/decimal.ts';
import { stateSnapshot, Worthless } from '../state-snapshot.ts';
import { PriceBook, symbolsMax } from './price-book.ts';

type Value = readonly [
  symbol: string,
  price: string,
  open: string,
  day: number,
  volume: number,
  updatedAt: number,
];

const isDecimal = (value: unknown): boolean => typeof value === 'string' && decimalPattern.test(value);

/** By hand: zod takes longer for ten thousand of them than all else of the load. */
function isValue(value: unknown): value is Value {
  if (!Array.isArray(value)) return false;
  const [symbol, price, open, ...numbers] = value as unknown[];
  if (typeof symbol !== 'string' || !isDecimal(price) || !isDecimal(open)) return false;
  return numbers.length === 3 && numbers.every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
}

function areValues(data: unknown): boolean {
  return Array.isArray(data) && data.length <= symbolsMax && data.every(isValue);
}

export const priceSnapshot = stateSnapshot({
  form: 1,
  isStored: true,
  schema: z.custom<readonly Value[]>(areValues),

  take({ quotes }: PriceBook) {
    let place = 0;
    const data: Value[] = [];
    for (const { symbol, price, open, day, volume, updatedAt } of quotes.values()) {
      data.push([symbol, price, open, day, volume, updatedAt]);
      place = Math.max(place, updatedAt);
    }
    return data.length === 0 ? null : { epoch: '', place, data };
  },

  load: () => ({ prices: { name: 'prices', args: {} } }),

  start(_id, { place, data }, rows, source) {
    if (place > source.now) throw new Worthless('it is of the future');
    const book = new PriceBook(rows.prices, source.now);
    for (const [symbol, price, open, day, volume, updatedAt] of data) {
      book.renew(symbol, { price, open, day, volume, updatedAt }, source.now);
    }
    return book;
  },
});
