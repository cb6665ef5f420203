// The price book on a shard whose clock a test holds: one flush per interval, days, pages, what is stored.
import { describe, expect, test } from 'vitest';
import { portfolioKind } from '../../src/actors/kinds/portfolio.ts';
import { pricesKind } from '../../src/actors/kinds/prices.ts';
import { ToEdge, type From, type SubscribedMessage } from '../../src/link/messages.ts';
import type { Write } from '../../src/storage/storage.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { pairsOf, pricesOf } from '../support/prices.ts';
import { rounds, TestShard } from './test-shard.ts';

const all = '/topic/prices';
const intervalMs = 500;
const dayMs = 86_400_000;

interface TickBody {
  readonly symbol: string;
  readonly price: string | number;
  readonly volume?: number;
}

function open(storage = new FakeStorage()): TestShard {
  return new TestShard({}, { storage, kinds: [pricesKind, portfolioKind] });
}

function tick(shard: TestShard, ...ticks: readonly TickBody[]): Promise<string | null> {
  return shard.answerOf('ticks', { actor: 'prices/', roles: ['service'], body: JSON.stringify(ticks) });
}

async function subscribe(shard: TestShard, symbol?: string, from: From = null): Promise<SubscribedMessage[]> {
  const one = symbol === undefined ? null : { symbol };
  const subscription = shard.subscribe({
    actor: 'prices/',
    stream: one ? 'symbol' : 'all',
    destination: one ? `${all}.${symbol}` : all,
    params: one,
    from,
  });
  await rounds();
  return shard.edge.starts(subscription).map((start) => {
    if (typeof start === 'string') throw new Error(start);
    return start;
  });
}

async function pass(shard: TestShard, ms: number): Promise<void> {
  shard.clock.advance(ms);
  await rounds();
}

const bodiesOf = ([, , , , , , page]: SubscribedMessage): string[] =>
  page.map(([, , body]) => Buffer.from(body).toString());

const stored = (shard: TestShard): Write[][] =>
  shard.storage.commits.map((commit) =>
    commit.flat().filter((write) => 'table' in write && write.table === 'prices'),
  );

const many = (count: number, price: string): TickBody[] =>
  Array.from({ length: count }, (_none, index) => ({ symbol: `S${index}`, price }));

describe('one flush per interval', () => {
  test('[PRICE1] whatever the input rate, the same messages go out', async () => {
    const outputs = [];
    for (const rate of [1, 10, 100]) {
      const shard = open();
      await tick(shard, { symbol: 'A', price: '1' }, { symbol: 'B', price: '1' });
      await subscribe(shard);
      await subscribe(shard, 'A');
      for (let interval = 1; interval <= 5; interval += 1) {
        for (let index = 1; index <= rate; index += 1) {
          const price = index === rate ? `${interval}.5` : `${index}`;
          await tick(shard, { symbol: 'A', price }, { symbol: 'B', price });
        }
        await pass(shard, intervalMs);
      }
      const { edge, storage } = shard;
      outputs.push([edge.texts(all), edge.texts(`${all}.A`), storage.commits.length]);
      expect(edge.texts(all)).toHaveLength(5);
      expect(pairsOf(edge.texts(all).slice(-1))).toEqual([
        ['A', '5.5'],
        ['B', '5.5'],
      ]);
    }
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  });

  test('[PRICE1] the first tick after a pause goes out at once, the next when the interval is over', async () => {
    const shard = open();
    await subscribe(shard);
    await tick(shard, { symbol: 'A', price: '1' });
    expect(pairsOf(shard.edge.texts(all))).toEqual([['A', '1']]);
    await pass(shard, 100);
    await tick(shard, { symbol: 'A', price: '2' });
    await pass(shard, intervalMs - 101);
    expect(shard.edge.texts(all)).toHaveLength(1);
    await pass(shard, 1);
    expect(pairsOf(shard.edge.texts(all).slice(1))).toEqual([['A', '2']]);
    await pass(shard, 10 * intervalMs);
    expect(shard.edge.texts(all)).toHaveLength(2);
    await tick(shard, { symbol: 'A', price: '3' });
    expect(shard.edge.texts(all)).toHaveLength(3);
  });

  test('[PRICE2] a message holds at most 500 symbols, each once', async () => {
    const shard = open();
    await subscribe(shard);
    await tick(shard, ...many(1_201, '1'));
    const messages = shard.edge.texts(all).map((body) => pricesOf([body]));
    expect(messages.map(({ length }) => length)).toEqual([500, 500, 201]);
    expect(new Set(messages.flat().map(({ symbol }) => symbol)).size).toBe(1_201);
    const seqs = shard.edge.seqs(all);
    expect(seqs).toEqual([seqs[0], (seqs[0] ?? 0) + 500, (seqs[0] ?? 0) + 701]);
  });

  test('[PRICE3] a tick of the same price tells its time; a volume stays until another is told', async () => {
    const shard = open();
    await subscribe(shard, 'A');
    await tick(shard, { symbol: 'A', price: '1.50', volume: 7 });
    await pass(shard, intervalMs);
    await tick(shard, { symbol: 'A', price: '1.50' });
    await pass(shard, intervalMs);
    await tick(shard, { symbol: 'A', price: 1.25, volume: 0 });
    const still = { symbol: 'A', price: '1.50', change: '0', changePercent: '0', volume: 7 };
    expect(pricesOf(shard.edge.texts(`${all}.A`))).toEqual([
      { ...still, timestamp: '2031-05-06T07:08:09.000Z' },
      { ...still, timestamp: '2031-05-06T07:08:09.500Z' },
      {
        symbol: 'A',
        price: '1.25',
        change: '-0.25',
        changePercent: '-16.6667',
        volume: 0,
        timestamp: '2031-05-06T07:08:10.000Z',
      },
    ]);
  });

  test('[PRICE4] change is against the first price of the UTC day', async () => {
    const shard = open();
    await subscribe(shard, 'A');
    const changes = (): string[][] =>
      pricesOf(shard.edge.texts(`${all}.A`)).map(({ change, changePercent }) => [change, changePercent]);
    const send = async (price: string): Promise<void> => {
      await tick(shard, { symbol: 'A', price });
      await pass(shard, intervalMs);
    };
    await send('3');
    await send('4');
    // The last interval of the day, and the first of the next.
    await pass(shard, dayMs - (shard.clock.now() % dayMs) - 1);
    await send('5');
    await send('6');
    await send('5.999');
    expect(changes()).toEqual([
      ['0', '0'],
      ['1', '33.3333'],
      ['2', '66.6667'],
      ['0', '0'],
      ['-0.001', '-0.0167'],
    ]);
    await pass(shard, dayMs);
    await send('0');
    await send('1');
    expect(changes().slice(-2)).toEqual([
      ['0', '0'],
      ['1', '0'],
    ]);
  });
});

describe('subscribing', () => {
  test('[PRICE5] gives the last known values at once, also those that wait for a flush', async () => {
    const shard = open();
    await tick(shard, { symbol: 'A', price: '1' });
    await tick(shard, { symbol: 'A', price: '2' }, { symbol: 'B', price: '3' });
    const [start] = await subscribe(shard);
    expect(start?.[2]).toBe(true);
    expect(pairsOf(bodiesOf(start as SubscribedMessage))).toEqual([
      ['A', '2'],
      ['B', '3'],
    ]);
    const [one] = await subscribe(shard, 'B');
    expect(pairsOf(bodiesOf(one as SubscribedMessage))).toEqual([['B', '3']]);
    const [none] = await subscribe(shard, 'C');
    expect(none?.slice(2, 4)).toEqual([true, null]);
    expect(bodiesOf(none as SubscribedMessage)).toEqual([]);
    await pass(shard, intervalMs);
    await tick(shard, { symbol: 'C', price: '4' });
    await pass(shard, intervalMs);
    expect(pairsOf(shard.edge.texts(`${all}.C`))).toEqual([['C', '4']]);
  });

  test('[PRICE6] who was left out gets each symbol that has changed since once, the oldest change first', async () => {
    const shard = open();
    await tick(shard, ...many(1_201, '1'));
    const seen = await readAll(shard, 0);
    expect(seen.pairs).toHaveLength(1_201);
    expect(seen.pages).toBe(3);
    for (const price of ['2', '3']) {
      await pass(shard, intervalMs);
      await tick(shard, { symbol: 'S7', price }, { symbol: 'S1200', price }, { symbol: 'new', price });
    }
    await pass(shard, intervalMs);
    await tick(shard, { symbol: 'S7', price: '4' });
    const later = await readAll(shard, seen.upto);
    expect(later.pairs).toEqual([
      ['S7', '4'],
      ['S1200', '3'],
      ['new', '3'],
    ]);
    expect(await readAll(shard, later.upto)).toMatchObject({ pairs: [], upto: later.upto });
    const since = async (symbol: string): Promise<unknown> => {
      const [start] = await subscribe(shard, symbol, ['since', seen.upto]);
      return pairsOf(bodiesOf(start as SubscribedMessage));
    };
    expect(await since('S7')).toEqual([['S7', '4']]);
    expect(await since('S8')).toEqual([]);
  });

  test('[PRICE6] nothing is lost between the messages of one flush', async () => {
    const shard = open();
    await tick(shard, ...many(1_001, '1'));
    await readAll(shard, 0);
    // All are stored.
    await pass(shard, 2 * intervalMs);
    await tick(shard, ...many(1_001, '2'));
    const [first = 0] = shard.edge.seqs(all);
    const rest = await readAll(shard, first);
    expect(rest.pairs).toEqual(
      many(1_001, '2')
        .slice(500)
        .map(({ symbol, price }) => [symbol, price]),
    );
  });

  test('[PRICE7] after a restart every value counts as new', async () => {
    const shard = open();
    await tick(shard, ...many(3, '1'));
    const { upto } = await readAll(shard, 0);
    const again = open(shard.storage);
    again.clock.advance(1);
    expect((await readAll(again, upto)).pairs).toEqual(
      many(3, '1').map(({ symbol, price }) => [symbol, price]),
    );
    const [one] = await subscribe(again, 'S1', ['since', upto]);
    expect(pairsOf(bodiesOf(one as SubscribedMessage))).toEqual([['S1', '1']]);
  });

  async function readAll(shard: TestShard, after: number) {
    const pairs: [string, string][] = [];
    let upto = after;
    for (let pages = 1; ; pages += 1) {
      const [start] = await subscribe(shard, undefined, ['since', upto]);
      pairs.push(...pairsOf(bodiesOf(start as SubscribedMessage)));
      upto = start?.[5] ?? 0;
      if (start?.[2]) return { pairs, upto, pages };
    }
  }
});

describe('ticks that are refused', () => {
  test.each([
    ['a price below zero', { symbol: 'B', price: '-1' }],
    ['a price that is no decimal', { symbol: 'B', price: 'x' }],
    ['no price', { symbol: 'B' }],
    ['a number that a double rounds', '{"symbol":"B","price":0.1000000000000000055}'],
    ['a number with an exponent', '{"symbol":"B","price":1e2}'],
    ['an empty symbol', { symbol: '', price: '1' }],
    ['a long symbol', { symbol: 'x'.repeat(33), price: '1' }],
    ['a slash in a symbol', { symbol: 'EUR/USD', price: '1' }],
    ['a space in a symbol', { symbol: 'A B', price: '1' }],
    ['a star in a symbol', { symbol: 'A*', price: '1' }],
    ['half a character', { symbol: '\ud83d', price: '1' }],
    ['something invisible', { symbol: 'A\u200b', price: '1' }],
    ['a volume below zero', { symbol: 'B', price: '1', volume: -1 }],
    ['half a volume', { symbol: 'B', price: '1', volume: 0.5 }],
    ['a volume that is no number', { symbol: 'B', price: '1', volume: '7' }],
    ['nothing', null],
    ['a list', []],
  ])('[PRICE8] %s refuses the whole list and says which it was', async (_what, bad) => {
    const shard = open();
    const body = `[{"symbol":"A","price":"1"},${typeof bad === 'string' ? bad : JSON.stringify(bad)}]`;
    const request = shard.ask('ticks', { actor: 'prices/', roles: ['service'], body });
    await rounds();
    const refusal = shard.edge.messages.find((message) => message[1] === request);
    expect(refusal?.[0]).toBe(ToEdge.refuse);
    expect(refusal?.slice(2)).toEqual(['BAD_REQUEST', expect.stringMatching(/\w\.$/), { index: 1 }]);
    expect(await shard.answerOf('list', { actor: 'prices/' })).toBe('ok: []');
  });

  test('[PRICE9] a symbol over the 10,000th is a CONFLICT, and known ones go on', async () => {
    const shard = open();
    expect(await tick(shard, ...many(9_999, '1'))).toBe('ok: {"applied":9999}');
    expect(await tick(shard, { symbol: 'x', price: '1' }, { symbol: 'y', price: '1' })).toBe('CONFLICT');
    expect(await tick(shard, { symbol: 'x', price: '1' }, { symbol: 'x', price: '2' })).toContain('ok');
    expect(await tick(shard, { symbol: 'y', price: '1' })).toBe('CONFLICT');
    expect(await tick(shard, ...many(9_999, '2'))).toContain('ok');
  });

  test('[PRICE10] only services send ticks', async () => {
    const shard = open();
    const body = '[{"symbol":"A","price":"1"}]';
    expect(await shard.answerOf('ticks', { actor: 'prices/', body })).toBe('FORBIDDEN');
    expect(await shard.answerOf('list', { actor: 'prices/' })).toBe('ok: []');
  });
});

describe('what is stored', () => {
  test('[PRICE11] a flush stores at most 1,000 symbols, and flushes go on until all are stored', async () => {
    const shard = open();
    await tick(shard, ...many(2_500, '1'));
    await tick(shard, { symbol: 'S0', price: '2' });
    for (let index = 0; index < 5; index += 1) await pass(shard, intervalMs);
    expect(stored(shard).map(({ length }) => length)).toEqual([1_000, 1_000, 501]);
    const rows = await shard.storage.query({ name: 'prices', args: {} });
    expect(rows).toHaveLength(2_500);
    expect(rows.find(({ symbol }) => symbol === 'S0')).toEqual({
      symbol: 'S0',
      price: '2',
      open: '1',
      day: '2031-05-06',
      volume: 0,
      updated_at: Date.parse('2031-05-06T07:08:09.000Z'),
    });
  });

  test('[PRICE12] a drain stores all there is', async () => {
    const shard = open();
    await tick(shard, ...many(2_500, '1'));
    await tick(shard, { symbol: 'S0', price: '2' });
    shard.shard.drain();
    await rounds();
    const again = open(shard.storage);
    const body = (await again.answerOf('list', { actor: 'prices/' }))?.slice('ok: '.length) ?? '';
    expect(pricesOf([body])).toHaveLength(2_500);
    const one = await again.answerOf('list', { actor: 'prices/', params: { symbols: 'S0,none,S1,S0' } });
    expect(pricesOf([one?.slice('ok: '.length) ?? '']).map(({ price, change }) => [price, change])).toEqual([
      ['2', '1'],
      ['1', '0'],
    ]);
  });
});
