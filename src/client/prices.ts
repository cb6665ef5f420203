// Prices and portfolios.
import type { Holding, Portfolio, PortfolioWithHoldings, Price, Tick } from './bodies.ts';
import type { Stop } from './listeners.ts';
import type { Messaging } from './messaging.ts';

export class Prices {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** What moved, once per interval, beginning with the last known values. @param symbol that one alone. */
  onPrices(listener: (prices: readonly Price[]) => void, symbol?: string): Stop {
    return this.#client.subscribe(symbol === undefined ? '/topic/prices' : `/topic/prices.${symbol}`, {
      message({ body }) {
        const told = JSON.parse(body) as Price | readonly Price[];
        listener(Array.isArray(told) ? (told as readonly Price[]) : [told as Price]);
      },
    });
  }

  /** For services. */
  tick(ticks: readonly Tick[]): Promise<void> {
    return this.#client.send('/app/price.tick', ticks);
  }

  list(): Promise<readonly Price[]> {
    return this.#client.rest.get('/api/prices');
  }

  /** The user's own, after a holding changes and while prices move. */
  onPortfolio(listener: (portfolio: Portfolio) => void): Stop {
    return this.#client.subscribe('/user/queue/portfolio', {
      message: ({ body }) => listener(JSON.parse(body) as Portfolio),
    });
  }

  portfolio(): Promise<PortfolioWithHoldings> {
    return this.#client.rest.get('/api/portfolio');
  }

  /** Replaces what the user holds. */
  hold(holdings: readonly Holding[]): Promise<PortfolioWithHoldings> {
    return this.#client.rest.request('PUT', '/api/portfolio', { holdings });
  }
}
