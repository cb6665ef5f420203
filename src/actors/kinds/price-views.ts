// How symbols, ticks and prices look from outside.
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import { decimalOf, exactNumbers, numberDigitsMax } from '../../lib/decimal.ts';
import { optional, type Decoder, type RawBody } from '../body.ts';

/** How long the price book tells an actor of the symbols that it watches, unless it asks again. */
export const watchLeaseMs = 30_000;

/**
 * No space, nothing invisible, nothing that a destination or a list in a query string gives a meaning. The length
 * counts code points.
 */
const symbolPattern = /^[^\s/*?{},\p{C}]{1,32}$/u;
const symbolHint = 'must be 1 to 32 visible characters, none of them / * ? { } or a comma';
export const symbolSchema = z
  .string()
  .regex(symbolPattern, symbolHint)
  .meta({ examples: ['AAPL'] });

const decimalHint = `must be a decimal text of up to 20 digits and 12 decimals, or a number of up to ${numberDigitsMax} digits`;
export const decimalSchema = z
  .union([z.string(), z.number()])
  .refine((value) => decimalOf(value) !== null, decimalHint)
  .meta({ examples: ['187.25'], description: `A decimal: ${decimalHint}.` });

export const tickSchema = z.object({
  symbol: symbolSchema,
  price: decimalSchema,
  volume: optional(z.int().min(0)),
});

export interface Tick {
  readonly symbol: string;
  readonly price: string;
  /** Undefined leaves the last one as it is. */
  readonly volume: number | undefined;
}

function tickOf(value: unknown, index: number): Tick {
  const refuse = (what: string): never => {
    throw new Refusal('BAD_REQUEST', `${what}.`, { index });
  };
  if (typeof value !== 'object' || value === null) return refuse('A tick must be an object');
  const { symbol, price, volume: given } = value as Readonly<Record<string, unknown>>;
  if (typeof symbol !== 'string' || !symbolPattern.test(symbol)) {
    return refuse(`symbol ${symbolHint}`);
  }
  const text = decimalOf(price);
  if (text === null) return refuse(`price ${decimalHint}`);
  const volume = given ?? undefined;
  if (volume !== undefined && !(Number.isSafeInteger(volume) && (volume as number) >= 0)) {
    return refuse('volume must be a whole number, not negative');
  }
  return { symbol, price: text, volume: volume as number | undefined };
}

function decode({ bytes }: RawBody): readonly Tick[] {
  if (!isUtf8(bytes)) throw new Refusal('BAD_REQUEST', 'The body is not UTF-8 text.');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
    const exact = exactNumbers(text);
    // Rarely so: then it is read twice.
    if (exact !== text) value = JSON.parse(exact);
  } catch {
    throw new Refusal('BAD_REQUEST', 'The body is not JSON.');
  }
  const ticks: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (ticks.length === 0) throw new Refusal('BAD_REQUEST', 'The list of ticks is empty.');
  return ticks.map(tickOf);
}

/**
 * A list of ticks, or a single one; one that is wrong refuses all, and says with `index` which it was. Checked by hand:
 * the schema, which says the same, would cost several times as much as reading the JSON, and this is the busiest door.
 */
export const decodeTicks: Decoder<readonly Tick[]> = Object.assign(decode, {
  schema: z.union([z.array(tickSchema).min(1), tickSchema]),
});

/** What clients see of a symbol. */
export const priceSchema = z
  .object({
    symbol: z.string(),
    price: z.string(),
    change: z.string(),
    changePercent: z.string(),
    volume: z.int(),
    timestamp: z.iso.datetime(),
  })
  .meta({ id: 'Price' });
export type PriceView = z.output<typeof priceSchema>;
