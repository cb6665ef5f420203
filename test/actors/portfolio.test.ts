// Portfolios and the price book on a shard whose clock a test holds: what is told when, and what heals.
import { describe, expect, test } from 'vitest';
import type { AnyKind } from '../../src/actors/actor.ts';
import { portfolioKind } from '../../src/actors/kinds/portfolio.ts';
import { pricesKind } from '../../src/actors/kinds/prices.ts';
import { ToEdge, ToShard } from '../../src/link/messages.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const destination = '/user/alice/queue/portfolio';
const actor = 'portfolio/alice';
const intervalMs = 500;

interface Shown {
  readonly positions: readonly { symbol: string; quantity: string; price: string; value: string }[];
  readonly totalValue: string;
  readonly timestamp: string;
}

/** Counts the commands that reach the actors of a kind, by name. */
function counted(kind: AnyKind, counts: Record<string, number>): AnyKind {
  const commands = Object.entries(kind.commands).map(([name, command]) => [
    name,
    {
      ...command,
      receive: (...given: Parameters<typeof command.receive>) => {
        counts[name] = (counts[name] ?? 0) + 1;
        return command.receive(...given);
      },
    },
  ]);
  return { ...kind, commands: Object.fromEntries(commands) as AnyKind['commands'] };
}

class Portfolio {
  readonly counts: Record<string, number> = {};
  readonly shard: TestShard;

  constructor(storage = new FakeStorage()) {
    const kinds = [counted(pricesKind, this.counts), counted(portfolioKind, this.counts)];
    this.shard = new TestShard({ idleMs: 3_600_000 }, { storage, kinds });
  }

  get totals(): string[] {
    return this.shard.edge.texts(destination).map((body) => (JSON.parse(body) as Shown).totalValue);
  }

  /** Of the newest message: symbol, price and value of each position. */
  get rows(): (string | null)[][] {
    const shown = JSON.parse(this.shard.edge.texts(destination).at(-1) ?? '{"positions":[]}') as Shown;
    return shown.positions.map(({ symbol, price, value }) => [symbol, price, value]);
  }

  async put(holdings: Readonly<Record<string, string | number>>): Promise<string | null> {
    const list = Object.entries(holdings).map(([symbol, quantity]) => ({ symbol, quantity }));
    return this.shard.answerOf('put', { actor, body: JSON.stringify({ holdings: list }) });
  }

  async tick(prices: Readonly<Record<string, string>>): Promise<void> {
    const ticks = Object.entries(prices).map(([symbol, price]) => ({ symbol, price }));
    const body = JSON.stringify(ticks);
    expect(await this.shard.answerOf('ticks', { actor: 'prices/', roles: ['service'], body })).toContain(
      'ok',
    );
  }

  async get(): Promise<Shown> {
    const answer = await this.shard.answerOf('get', { actor });
    return JSON.parse(answer?.slice('ok: '.length) ?? '') as Shown;
  }

  /** @returns the bodies that come with the start. */
  async subscribe(): Promise<Shown[]> {
    const subscription = this.shard.subscribe({ actor, stream: 'positions', destination });
    await rounds();
    return this.shard.edge.starts(subscription).flatMap((start) => {
      if (typeof start === 'string') throw new Error(start);
      return start[6].map(([, , body]) => JSON.parse(Buffer.from(body).toString()) as Shown);
    });
  }

  async unsubscribe(): Promise<void> {
    this.shard.shard.receive(0, [ToShard.unsubscribe, actor, destination]);
    await rounds();
  }

  /** Step by step, so that what is sent between actors is not held up. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= intervalMs) {
      this.shard.clock.advance(Math.min(left, intervalMs));
      await rounds();
    }
  }
}

describe('what a portfolio is worth', () => {
  test('[PORTFOLIO1] values and their sum are exact; what has no price counts nothing', async () => {
    const portfolio = new Portfolio();
    await portfolio.tick({ A: '0.1', B: '99999999999999999999.999999999999' });
    await portfolio.put({ A: '3', B: '0.000000000003', C: 7, D: '0' });
    const shown = await portfolio.get();
    expect(shown).toEqual({
      holdings: [
        { symbol: 'A', quantity: '3' },
        { symbol: 'B', quantity: '0.000000000003' },
        { symbol: 'C', quantity: '7' },
        { symbol: 'D', quantity: '0' },
      ],
      positions: [
        { symbol: 'A', quantity: '3', price: '0.1', value: '0.3' },
        {
          symbol: 'B',
          quantity: '0.000000000003',
          price: '99999999999999999999.999999999999',
          value: '299999999.999999999999999999999997',
        },
        { symbol: 'C', quantity: '7', price: null, value: null },
        { symbol: 'D', quantity: '0', price: null, value: null },
      ],
      totalValue: '300000000.299999999999999999999997',
      timestamp: '2031-05-06T07:08:09.000Z',
    });
  });

  test('[PORTFOLIO2] a holding that is refused leaves the portfolio as it was', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: 1 });
    const before = await portfolio.get();
    const many = Array.from({ length: 1_001 }, (_none, index) => ({ symbol: `S${index}`, quantity: 1 }));
    const twice = [
      { symbol: 'B', quantity: 1 },
      { symbol: 'B', quantity: 2 },
    ];
    const bad: unknown[] = [{}, { holdings: null }, { holdings: many }, { holdings: twice }];
    for (const quantity of [
      -1,
      '-1',
      'x',
      '',
      null,
      '1e2',
      1e21,
      2 ** 53,
      '1'.repeat(21),
      '0.0000000000001',
    ]) {
      bad.push({ holdings: [{ symbol: 'B', quantity }] });
    }
    for (const symbol of ['', 'a/b', 'x'.repeat(33), '*', 7])
      bad.push({ holdings: [{ symbol, quantity: 1 }] });
    const bodies = [...bad.map((one) => JSON.stringify(one)), '{"holdings":[{"symbol":"B","quantity":1e2}]}'];
    for (const body of bodies) {
      expect(await portfolio.shard.answerOf('put', { actor, body }), body.slice(0, 100)).toBe('BAD_REQUEST');
    }
    expect(await portfolio.get()).toEqual(before);
    expect(await portfolio.put(Object.fromEntries(many.slice(1).map(({ symbol }) => [symbol, 1])))).toContain(
      'ok',
    );
  });

  test('[PORTFOLIO3] after a restart it is shown at the prices that were stored', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: '2', B: '1' });
    await portfolio.tick({ A: '1.50' });
    const again = new Portfolio(portfolio.shard.storage);
    expect(await again.get()).toMatchObject({
      positions: [
        { symbol: 'A', quantity: '2', price: '1.50', value: '3' },
        { symbol: 'B', quantity: '1', price: null, value: null },
      ],
      totalValue: '3',
    });
    const queries = again.shard.storage.queries.length;
    await again.tick({ B: '4' });
    expect((await again.get()).totalValue).toBe('7');
    expect(again.shard.storage.queries).toHaveLength(queries);
    // The price book tells no longer; what it has stored is read.
    await again.pass(60_000);
    await again.tick({ B: '5' });
    expect((await again.get()).totalValue).toBe('8');
  });
});

describe('what a subscriber is told', () => {
  test('[PORTFOLIO4] the worth at once, and again after a holding changes', async () => {
    const portfolio = new Portfolio();
    expect(await portfolio.subscribe()).toMatchObject([{ positions: [], totalValue: '0' }]);
    await portfolio.tick({ A: '2' });
    await portfolio.put({ A: '10' });
    await portfolio.put({ A: '11', new: '1' });
    expect(portfolio.totals).toEqual(['20', '22']);
    expect(await portfolio.subscribe()).toMatchObject([{ totalValue: '22' }]);
    const again = new Portfolio(portfolio.shard.storage);
    expect(await again.subscribe()).toEqual([]);
    expect(again.totals).toEqual(['22']);
  });

  test('[PORTFOLIO5] moves are told at most once per interval, and only those that are held', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: '1', B: '1' });
    await portfolio.subscribe();
    const { length } = portfolio.totals;
    for (let index = 1; index <= 20; index += 1) {
      await portfolio.tick({ A: String(index), other: String(index) });
      await portfolio.pass(50);
    }
    await portfolio.pass(intervalMs);
    expect(portfolio.totals.slice(length)).toEqual(['1', '10', '20']);
    expect(portfolio.rows).toEqual([
      ['A', '20', '20'],
      ['B', null, null],
    ]);
    const { moved } = portfolio.counts;
    await portfolio.tick({ other: '99' });
    await portfolio.tick({ A: '20' });
    await portfolio.pass(2 * intervalMs);
    // The same price again is a move that changes nothing.
    expect(portfolio.counts['moved']).toBe((moved ?? 0) + 1);
    expect(portfolio.totals.slice(length)).toHaveLength(3);
  });

  test('[PORTFOLIO5] a change of holdings and a move together keep to the interval', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: '1' });
    await portfolio.subscribe();
    await portfolio.tick({ A: '1' });
    const { length } = portfolio.totals;
    await portfolio.pass(intervalMs - 100);
    await portfolio.put({ A: '2' });
    await portfolio.tick({ A: '5' });
    await portfolio.pass(100);
    expect(portfolio.totals.slice(length)).toEqual(['2']);
    await portfolio.pass(intervalMs - 100);
    expect(portfolio.totals.slice(length)).toEqual(['2', '10']);
    // What a change of holdings has told along is not told once more.
    await portfolio.pass(2 * intervalMs);
    await portfolio.put({ A: '3' });
    await portfolio.tick({ A: '6' });
    await portfolio.put({ A: '4' });
    await portfolio.pass(4 * intervalMs);
    expect(portfolio.totals.slice(length + 2)).toEqual(['15', '24']);
  });

  test('[PORTFOLIO6] who was left out is told what it is worth now, once', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: '1' });
    await portfolio.tick({ A: '1' });
    await portfolio.subscribe();
    await portfolio.pass(intervalMs);
    await portfolio.tick({ A: '2' });
    await portfolio.pass(intervalMs);
    const seen = portfolio.shard.edge.seqs(destination).at(-1) ?? 0;
    await portfolio.unsubscribe();
    await portfolio.tick({ A: '3' });
    await portfolio.pass(intervalMs);
    await portfolio.tick({ A: '4' });
    const start = async (after: number): Promise<string[]> => {
      const from = ['since', after] as const;
      const number = portfolio.shard.subscribe({ actor, stream: 'positions', destination, from });
      await rounds();
      const [page] = portfolio.shard.edge.starts(number);
      if (typeof page !== 'object') throw new Error(page);
      upto = page[5];
      return page[6].map(([, , body]) => (JSON.parse(Buffer.from(body).toString()) as Shown).totalValue);
    };
    let upto = 0;
    expect(await start(seen)).toEqual(['4']);
    await portfolio.unsubscribe();
    expect(await start(upto)).toEqual([]);
  });
});

describe('watching the price book', () => {
  test('[PORTFOLIO7] is renewed while somebody looks, and ends after that', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: '1' });
    await portfolio.subscribe();
    await portfolio.pass(120_000);
    await portfolio.tick({ A: '7' });
    expect(portfolio.totals.at(-1)).toBe('7');
    await portfolio.unsubscribe();
    await portfolio.pass(60_000);
    const { watch, moved } = portfolio.counts;
    await portfolio.tick({ A: '8' });
    await portfolio.pass(60_000);
    expect(portfolio.counts).toMatchObject({ watch, moved });
    expect(await portfolio.subscribe()).toEqual([]);
    expect(portfolio.totals.at(-1)).toBe('8');
  });

  test('[PORTFOLIO8] heals when the price book or the portfolio was loaded again', async () => {
    for (const broken of ['prices/', actor]) {
      const portfolio = new Portfolio();
      await portfolio.put({ A: '1' });
      await portfolio.subscribe();
      portfolio.shard.storage.holdsCommits = true;
      const body =
        broken === actor ? { holdings: [{ symbol: 'A', quantity: '5' }] } : [{ symbol: 'A', price: '3' }];
      const asked = { actor: broken, roles: ['service'], body: JSON.stringify(body) };
      const request = portfolio.shard.ask(broken === actor ? 'put' : 'ticks', asked);
      await rounds();
      portfolio.shard.storage.heldCommits[0]?.reject();
      portfolio.shard.storage.holdsCommits = false;
      await rounds();
      expect(portfolio.shard.edge.answer(request)).toBe('UNAVAILABLE');
      await portfolio.pass(60_000);
      await portfolio.tick({ A: '9' });
      await portfolio.pass(intervalMs);
      expect(portfolio.totals.at(-1)).toBe('9');
    }
  });

  test('[PORTFOLIO8] [PRICE13] heals when the whole shard was started again', async () => {
    const portfolio = new Portfolio();
    await portfolio.put({ A: '1' });
    await portfolio.tick({ A: '3' });
    const again = new Portfolio(portfolio.shard.storage);
    const rejoin = (to: string, stream: string, at: string): void =>
      again.shard.shard.receive(0, [ToShard.rejoin, to, stream, at, null, 1, null, 0]);
    rejoin(actor, 'positions', destination);
    rejoin('prices/', 'all', '/topic/prices');
    await rounds();
    expect(again.totals).toEqual(['3']);
    expect(again.shard.edge.texts('/topic/prices')).toEqual([
      expect.stringContaining('"symbol":"A","price":"3"') as string,
    ]);
    await again.pass(120_000);
    await again.tick({ A: '4' });
    expect(again.totals).toEqual(['3', '4']);
    expect(again.shard.edge.messages.filter(([op]) => op === ToEdge.refuse)).toEqual([]);
  });
});
