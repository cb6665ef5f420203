// Prices as their viewers see them.

export interface Price {
  readonly symbol: string;
  readonly price: string;
  readonly change: string;
  readonly changePercent: string;
  readonly volume: number;
  readonly timestamp: string;
}

/** The prices of messages, in order; a message is a list or one alone. */
export function pricesOf(bodies: readonly string[]): Price[] {
  return bodies.flatMap((body) => JSON.parse(body) as Price | Price[]);
}

/** `[symbol, price]` of each. */
export function pairsOf(bodies: readonly string[]): [symbol: string, price: string][] {
  return pricesOf(bodies).map(({ symbol, price }) => [symbol, price]);
}
