// Stock.
import type { InventoryChange, Product } from './bodies.ts';
import type { Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';

export interface InventoryListeners {
  /** Everything as it is: at the start, and after changes were missed that are no longer kept. */
  readonly list: (products: readonly InventoryChange[]) => void;
  readonly change: (change: InventoryChange) => void;
}

export class Inventory {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** How it is, then every change, once and in order. */
  watch({ list, change }: InventoryListeners): Stop {
    return this.#client.subscribe(
      '/topic/inventory',
      {
        present: ({ body }) => list(JSON.parse(body) as readonly InventoryChange[]),
        message: ({ body }) => change(JSON.parse(body) as InventoryChange),
      },
      { isResumable: true },
    );
  }

  onUrgent(listener: (change: InventoryChange) => void): Stop {
    return this.#client.subscribe('/topic/inventory/urgent', {
      message: ({ body }) => listener(JSON.parse(body) as InventoryChange),
    });
  }

  list(): Promise<readonly Product[]> {
    return this.#client.rest.get('/api/inventory');
  }

  product(productId: string): Promise<Product> {
    return this.#client.rest.get(pathOf('api', 'inventory', productId));
  }

  /** For services. @throws StagewireError CONFLICT where the stock would go below zero. */
  update(
    productId: string,
    change: ({ readonly quantity: number } | { readonly delta: number }) & { readonly urgent?: boolean },
  ): Promise<void> {
    return this.#client.send(`/app/inventory.update/${productId}`, change);
  }
}
