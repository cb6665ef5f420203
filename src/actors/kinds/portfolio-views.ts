// How portfolios look from outside.
import { z } from 'zod';
import { decimalSchema, symbolSchema } from './price-views.ts';

const holdingsMax = 1_000;

const holdingBody = z.object({ symbol: symbolSchema, quantity: decimalSchema });

/** All that the user holds: what it does not name is no longer held. */
export const holdingsBody = z.object({
  holdings: z
    .array(holdingBody)
    .max(holdingsMax)
    .refine(
      (holdings) => new Set(holdings.map(({ symbol }) => symbol)).size === holdings.length,
      'must not name a symbol twice',
    ),
});

export const portfolioView = z.object({
  positions: z.array(
    z.object({
      symbol: z.string(),
      quantity: z.string(),
      /** Null until the symbol has a price. */
      price: z.string().nullable(),
      value: z.string().nullable(),
    }),
  ),
  totalValue: z.string(),
  timestamp: z.iso.datetime(),
});

/** As a REST caller sees it: with what was put, too. */
export const portfolioAnswer = z
  .object({
    holdings: z.array(z.object({ symbol: z.string(), quantity: z.string() })),
    ...portfolioView.shape,
  })
  .meta({ id: 'Portfolio' });
