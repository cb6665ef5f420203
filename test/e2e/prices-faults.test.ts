// The shard of the price book dies: viewers stay, are told how things are, and see what moves afterwards.
import { expect, test } from 'vitest';
import { placement } from '../../src/actors/placement.ts';
import { layouts, topicOn } from '../support/layouts.ts';
import { postTicks, toldPrice } from '../support/prices.ts';
import { startServer } from '../support/server.ts';
import { connectStomp, parse, type TestClient } from '../support/stomp.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const all = '/topic/prices';
const queue = '/user/queue/portfolio';

async function worth(client: TestClient, totalValue: string): Promise<void> {
  await client.waitFor(
    (frame) => frame.headers['destination'] === queue && parse(frame)['totalValue'] === totalValue,
    `a portfolio worth ${totalValue}`,
  );
}

test.each(layouts)(
  '[PRICE13] $name: who is told of prices is told again when their shard is back',
  async (layout) => {
    const server = await startServer({ settings: { ...layout.settings, priceIntervalMs: '50ms' }, kindsUrl });
    const alice = await connectStomp(server, { user: 'alice' });
    const body = { holdings: [{ symbol: 'A', quantity: '10' }] };
    await server.rest('PUT', '/api/portfolio', { user: 'alice', body });
    for (const destination of [all, `${all}.A`, queue]) await alice.subscribe(destination);
    await postTicks(server, { A: '1', B: '2' });
    await toldPrice(alice, all, ['B', '2']);
    await worth(alice, '10');
    const seen = alice.frames.length;

    const shards = Number(layout.settings.shards);
    const killed = alice.send(topicOn(placement('prices/', shards), shards), 'fault:exit');
    await expect(killed).rejects.toMatchObject({ refusal: { code: 'UNAVAILABLE' } });
    const isNew = (destination: string) => (frame: TestClient['frames'][number]) =>
      alice.frames.indexOf(frame) >= seen && frame.headers['destination'] === destination;
    await alice.waitFor(isNew(all), 'all prices again');
    await alice.waitFor(isNew(`${all}.A`), 'the price of A again');

    await postTicks(server, { A: '3' });
    for (const destination of [all, `${all}.A`]) await toldPrice(alice, destination, ['A', '3']);
    // The portfolio was on the same shard; one that lives on asks the new price book within ten seconds.
    await worth(alice, '30');
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  90_000,
);
