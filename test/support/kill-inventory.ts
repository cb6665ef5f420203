// Products whose stock goes up and down while the server is ended. Each delta is another number, so the steps of a
// quantity tell which were applied.
import { expect } from 'vitest';
import type { DatabaseRow, DatabaseView } from './database.ts';
import type { Followed } from './follower.ts';
import { expectKept, expectOnce, type Load } from './kill-rounds.ts';
import { bodyOf, Participant } from './participant.ts';
import { range } from './rooms.ts';
import type { TestServer } from './server.ts';
import { putProduct, service } from './stock.ts';
import { parse } from './stomp.ts';

const initialQuantity = 1_000_000_000;

/** A SEND of a delta, or a PUT of a quantity. */
interface Change {
  readonly productId: string;
  readonly delta?: number;
  readonly quantity?: number;
  readonly urgent: boolean;
}

interface Product {
  readonly productId: string;
  readonly quantity: number;
  readonly version: number;
}

const rowsOf = (database: DatabaseView, stream: string): DatabaseRow[] =>
  database.inventoryChanges().filter((row) => row['stream'] === stream);

function followedChanges(stream: string): Followed {
  const said = (told: Readonly<Record<string, unknown>>): string =>
    [told['productId'], told['quantity'], told['urgent'], told['version'], told['timestamp']].join(' ');
  return {
    destination: stream,
    textOf: (frame) => said(parse(frame)),
    stored: (database) =>
      rowsOf(database, stream).map((row) => ({
        seq: Number(row['seq']),
        text: said({
          productId: row['product_id'],
          quantity: row['quantity'],
          urgent: row['urgent'] === 1,
          version: row['version'],
          timestamp: row['created_at'],
        }),
      })),
  };
}

const all = '/topic/inventory';
const urgent = '/topic/inventory/urgent';

/** The quantities of a product from its first version on; all its versions are there. */
function quantitiesOf(database: DatabaseView, productId: string): number[] {
  const rows = rowsOf(database, all).filter((row) => row['product_id'] === productId);
  expect(rows.map(({ version }) => version)).toEqual(range(1, rows.length));
  const [product] = database.rows('SELECT * FROM products WHERE product_id = ?', productId);
  const last = rows.at(-1);
  expect(product).toMatchObject({ version: rows.length, quantity: last?.['quantity'] });
  return rows.map(({ quantity }) => Number(quantity));
}

function checkDeltas(
  quantities: readonly number[],
  clerks: readonly Participant<Change>[],
  id: string,
): void {
  const steps = quantities.slice(1).map((quantity, index) => quantity - (quantities[index] ?? 0));
  const applied = expectOnce(steps);
  const pending = clerks.flatMap((clerk) => [...clerk.pending.values()]);
  const answered = clerks.flatMap((clerk) => Array.from(clerk.answered.values(), ({ what }) => what));
  const deltasOf = (changes: readonly Change[]): number[] =>
    changes.flatMap(({ productId, delta = 0 }) => (productId === id ? [delta] : []));
  expectKept(deltasOf(answered), applied);
  const asked = new Set(deltasOf([...answered, ...pending]));
  expect(
    steps.filter((step) => !asked.has(step)),
    'nobody asked for',
  ).toEqual([]);
}

function checkPuts(quantities: readonly number[], counter: Participant<Change>): void {
  expectOnce(quantities);
  for (const { what, answer } of counter.answered.values()) {
    const { version, quantity } = answer as Product;
    expect(quantity).toBe(what.quantity);
    expect(quantities[version - 1]).toBe(quantity);
  }
}

/** The first product is counted by PUT; of the others clerks give and take. */
export async function inventoryLoad(
  server: TestServer,
  [counted, ...moved]: readonly [string, ...string[]],
): Promise<Load> {
  for (const id of [counted, ...moved]) {
    bodyOf(await putProduct(server, id, { quantity: initialQuantity }), 200);
  }
  const follows = [followedChanges(all), followedChanges(urgent)];
  const { roles } = service;
  const clerk = (place: number): Participant<Change> =>
    new Participant<Change>({
      user: `clerk-${place}`,
      roles,
      follows,
      lanes: 3,
      next: (_self, number) => ({
        productId: moved[number % moved.length] as string,
        delta: (number * 4 + place) * (number % 3 === 0 ? -1 : 1),
        urgent: number % 5 === 0,
      }),
      ask: ({ client }, idempotencyKey, { productId, ...change }) =>
        client.send(`/app/inventory.update/${productId}`, { ...change, idempotencyKey }),
    });
  const clerks = range(0, 2).map(clerk);
  const counter = new Participant<Change>({
    user: 'counter',
    roles,
    follows,
    lanes: 2,
    next: (_self, number) => ({ productId: counted, quantity: number, urgent: false }),
    async ask({ server: now }, key, { productId, quantity }) {
      const request = { user: 'counter', roles, body: { quantity }, headers: { 'idempotency-key': key } };
      return bodyOf(await now.rest('PUT', `/api/inventory/${productId}`, request), 200);
    },
  });
  return {
    participants: [...clerks, counter],
    check(database) {
      for (const id of moved) checkDeltas(quantitiesOf(database, id), clerks, id);
      checkPuts(quantitiesOf(database, counted), counter);
      const texts = followedChanges(all)
        .stored(database)
        .map(({ text }) => text);
      const urgentTexts = followedChanges(urgent)
        .stored(database)
        .map(({ text }) => text);
      expect(urgentTexts.toSorted()).toEqual(texts.filter((text) => text.includes(' true ')).toSorted());
    },
  };
}
