// The client on a bad network, and with a server that is killed: whatever happens, each message comes once and in order,
// and all texts end alike. STAGEWIRE_TEST_SEED=<seed> draws the same faults again.
import SockJS from 'sockjs-client';
import { afterEach, expect, test, vi } from 'vitest';
import { Chance } from '../../bench/lib/chance.ts';
import type { Socket } from '../../src/client/index.ts';
import { startBadNetwork } from '../support/bad-network.ts';
import { Crowd, type Someone } from '../support/crowd.ts';
import { metric } from '../support/fault-rounds.ts';
import { closeOurClients } from '../support/our-client.ts';
import { strike } from '../support/random-faults.ts';
import { startServer, type TestServer } from '../support/server.ts';

const seed = Number(process.env['STAGEWIRE_TEST_SEED'] ?? Date.now() % 1_000_000);
const faults = 200;
const kills = 4;
const withinMs = 120_000;
const heartBeatMs = 1_000;
const options = { backoffMs: 20, backoffMaxMs: 200, connectWithinMs: 2_000, heartBeatMs };

afterEach(closeOurClients);

/** Four by WebSocket, two by SockJS. */
function people(url: string): readonly Someone[] {
  const over = (transports: string) => (): Socket =>
    new SockJS(url.replace('ws://', 'http://'), undefined, { transports });
  return [
    { name: 'ann' },
    { name: 'bob' },
    { name: 'cid', socket: over('websocket') },
    { name: 'dee' },
    { name: 'eve', socket: over('xhr-streaming') },
    { name: 'shop' },
  ];
}

async function expectNobodyLeft(server: TestServer): Promise<void> {
  await closeOurClients();
  await vi.waitFor(async () => expect(await metric(server, 'stagewire_connections')).toBe(0), 10_000);
}

test(
  '[CLIENT70] on a bad network each message comes once and in order, and all texts end alike',
  async () => {
    process.stdout.write(`a bad network with STAGEWIRE_TEST_SEED=${seed}\n`);
    const chance = new Chance(seed);
    const server = await startServer({ settings: { heartBeatMs: String(heartBeatMs) } });
    const network = await startBadNetwork(Number(new URL(server.url).port));
    const url = `ws://127.0.0.1:${network.port}/ws`;
    const crowd = new Crowd(() => server, chance);
    await crowd.gather(people(url), { ...options, url });
    crowd.begin();
    const struck = await strike(network, chance, faults);
    process.stdout.write(
      `${Math.round(performance.now())} ms: ${JSON.stringify([...struck])} ${crowd.heard} ${network.made}\n`,
    );
    await crowd.check();
    await expectNobodyLeft(server);
    await network.until(() => network.lines.length === 0, 'no line stands');
  },
  withinMs,
);

test(
  '[CLIENT71] the same while the server is killed and comes back',
  async () => {
    process.stdout.write(`a server that is killed with STAGEWIRE_TEST_SEED=${seed}\n`);
    const chance = new Chance(seed);
    let server = await startServer({ settings: { heartBeatMs: String(heartBeatMs) } });
    const { port } = new URL(server.url);
    const crowd = new Crowd(() => server, chance);
    await crowd.gather(people(server.wsUrl), options);
    crowd.begin();
    for (let kill = 0; kill < kills; kill += 1) {
      await crowd.moreHeard(200 + chance.below(800));
      await server.kill();
      server = await server.restart({ port });
    }
    await crowd.moreHeard(200);
    await crowd.check();
    await expectNobodyLeft(server);
  },
  withinMs,
);
