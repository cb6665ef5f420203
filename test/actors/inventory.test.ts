// The inventory and its products on a shard: how much of the past is kept, and what is told of a gap.
import { describe, expect, test } from 'vitest';
import { inventoryKind } from '../../src/actors/kinds/inventory.ts';
import { productKind } from '../../src/actors/kinds/product.ts';
import { ToShard, type SubscribedMessage } from '../../src/link/messages.ts';
import type { Transaction } from '../../src/storage/storage.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { range } from '../support/rooms.ts';
import { appended, product } from '../support/stock.ts';
import { rounds, TestShard } from './test-shard.ts';

const topic = '/topic/inventory';
const idleMs = 60_000;

class Stock extends TestShard {
  private constructor(storage: FakeStorage) {
    super({ idleMs }, { storage, kinds: [productKind, inventoryKind] });
  }

  static async with(stored: Transaction): Promise<Stock> {
    const storage = new FakeStorage();
    await storage.commit([stored]);
    return new Stock(storage);
  }

  update(id: string, body: unknown): Promise<string | null> {
    const asked = { actor: `product/${id}`, user: 'shop', roles: ['service'], body: JSON.stringify(body) };
    return this.answerOf('update', asked);
  }

  async listen(resume?: readonly [epoch: string, seq: number]): Promise<SubscribedMessage> {
    const from = resume ? (['resume', ...resume] as const) : null;
    const number = this.subscribe({ actor: 'inventory/', stream: 'changes', destination: topic, from });
    await rounds();
    return this.edge.starts(number).at(-1) as SubscribedMessage;
  }

  /** The seqs that are stored of a stream. */
  async kept(stream: string): Promise<number[]> {
    const args = { stream, after: 0, limit: 100_000 };
    return (await this.storage.query({ name: 'inventoryChangesAfter', args })).map(({ seq }) => seq);
  }
}

const bodyOf = ([, , , , , , page]: SubscribedMessage): string => Buffer.from(page[0]?.[2] ?? []).toString();

describe('what is kept', () => {
  test('[INVENTORY34] of each stream at least the last 10,000 changes are kept, and fewer than 11,001', async () => {
    const urgentTopic = '/topic/inventory/urgent';
    const stock = await Stock.with([
      ...range(1, 11_000).map((version) => appended(topic, 'a', 0, version)),
      ...range(1, 10_500).map((version) => appended(urgentTopic, 'a', 0, version)),
      product('a', 0, 11_000),
    ]);
    expect(await stock.update('a', { quantity: 7 })).toBe('ok');
    await rounds();
    expect(await stock.kept(topic)).toEqual(range(1_002, 11_001));
    expect(await stock.kept(urgentTopic)).toEqual(range(1, 10_500));

    const edge = await stock.listen(['stored', 1_001]);
    expect(edge[3]).toBe(true);
    expect(edge[6][0]?.[0]).toBe(1_002);
    const lost = await stock.listen(['stored', 1_000]);
    expect(lost.slice(3, 6)).toEqual([false, 'stored', 11_001]);
    expect(JSON.parse(bodyOf(lost))).toMatchObject([{ productId: 'a', quantity: 7, version: 11_001 }]);
  });
});

describe('the list of all products', () => {
  test('[INVENTORY31] it is as the changes left it, whichever of them was read when', async () => {
    const stock = await Stock.with([product('b', 3, 3), appended(topic, 'b', 1, 1)]);
    await stock.listen();
    // The product was read with its third change, the stream at its first.
    await stock.storage.commit([[appended(topic, 'b', 2, 2), appended(topic, 'c', 9, 1)]]);
    stock.shard.receive(0, [ToShard.feed, 'inventory/', 'changes']);
    await rounds();
    const products = [
      { productId: 'b', quantity: 3, version: 3 },
      { productId: 'c', quantity: 9, version: 1 },
    ];
    expect(JSON.parse(bodyOf(await stock.listen(['other', 1])))).toMatchObject(products);
    expect(stock.edge.seqs(topic)).toEqual([2, 3]);
  });

  test.each([
    ['as many products as are held', 40_001, ''],
    ['as many bytes as go at once', 30_000, 'x'.repeat(50)],
  ])('[INVENTORY35] with more than %s it is left out', async (_what, count, suffix) => {
    const products = range(1, count).map((number) => product(`${number}${suffix}`, 1, 1));
    const stock = await Stock.with([...products, appended(topic, 'a', 1, 1)]);
    const lost = await stock.listen(['other', 1]);
    expect(lost.slice(3, 6)).toEqual([false, 'stored', 1]);
    expect(bodyOf(lost)).toBe('');
    await stock.update('late', { quantity: 1 });
    expect(bodyOf(await stock.listen(['other', 1]))).toBe('');
    expect(stock.edge.seqs(topic)).toEqual([2]);
  });
});

test('[INVENTORY30] changes reach subscribers after the inventory has left memory', async () => {
  const stock = await Stock.with([]);
  await stock.listen();
  for (const quantity of [1, 2, 3]) {
    stock.clock.advance(3 * idleMs);
    await rounds();
    expect(await stock.update('a', { quantity })).toBe('ok');
  }
  await rounds();
  expect(stock.edge.seqs(topic)).toEqual([1, 2, 3]);
  const [first] = stock.edge.published(topic);
  const again = await stock.listen([String(first?.[2]), 1]);
  expect(again[3]).toBe(true);
  expect(again[6].map(([seq]) => seq)).toEqual([2, 3]);
});

test('[INVENTORY36] a change that was not stored is told to nobody, and the next one goes on from what is', async () => {
  const stock = await Stock.with([product('a', 5, 1), appended(topic, 'a', 5, 1)]);
  await stock.listen();
  stock.storage.holdsCommits = true;
  const asked = { actor: 'product/a', user: 'shop', roles: ['service'], body: '{"delta":-1}' };
  const request = stock.ask('update', asked);
  await rounds();
  stock.storage.nextCommit().reject();
  stock.storage.holdsCommits = false;
  await rounds();
  expect(stock.edge.answer(request)).toBe('UNAVAILABLE');
  expect(stock.edge.published(topic)).toEqual([]);
  expect(await stock.update('a', { delta: -5 })).toBe('ok');
  expect(stock.edge.texts(topic).map((text) => JSON.parse(text) as unknown)).toMatchObject([
    { quantity: 0, version: 2 },
  ]);
});
