// The load's count: what a broken server loses, repeats or swaps must show.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { nowUs } from '../../bench/lib/clock.ts';
import type { LoadFigures } from '../../bench/lib/plan.ts';
import { Traffic } from '../../bench/load/traffic.ts';

/** What a server does with the messages for one subscriber: the indexes of those to send, in order. */
type Fault = (index: number) => readonly number[];

const servers: WebSocketServer[] = [];
afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

/** A server for the raw protocol whose first subscriber gets what `fault` says. */
async function serve(fault: Fault): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  servers.push(server);
  const members: WebSocket[] = [];
  const messages: string[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const message = data.toString();
      if (message.startsWith('@')) {
        socket.send('@');
      } else if (message.startsWith('+')) {
        members.push(socket);
        socket.send('+');
      } else {
        const index = messages.push(message) - 1;
        socket.send(`r${message.slice(9, 21)}`);
        const [first, ...others] = members;
        fault(index).forEach((which) => first?.send(messages[which] ?? ''));
        others.forEach((member) => member.send(message));
      }
    });
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** One message at a time to three subscribers for a moment, against a server with `fault`. */
async function play(fault: Fault): Promise<LoadFigures> {
  const traffic = new Traffic({
    kind: 'traffic',
    protocol: 'raw',
    port: await serve(fault),
    secret: 'secret',
    rooms: ['room0000'],
    contentBytes: 64,
    receipts: true,
    connections: [
      { user: 'publisher', subscribesTo: [], sendsTo: 0 },
      ...[1, 2, 3].map((index) => ({ user: `user-${index}`, subscribesTo: [0] })),
    ],
  });
  await traffic.prepare();
  const startUs = nowUs();
  const pace = { kind: 'closed', window: 1, until: 'receipt' } as const;
  const totals = await traffic.run({ pace, startUs, fromUs: startUs, untilUs: startUs + 400_000 });
  expect(totals[0]?.count).toBeGreaterThan(10);
  return traffic.settle(totals, 1_000);
}

describe('load', () => {
  it('[BENCH9] finds nothing wrong with a server that delivers everything once', async () => {
    const figures = await play((index) => [index]);
    expect(figures).toMatchObject({ lost: 0, extra: 0, receiptsMissing: 0, closed: 0, refusals: [] });
    expect(figures.deliveries).toBeGreaterThan(30);
  });

  it('[BENCH10] finds a lost delivery', async () => {
    expect(await play((index) => (index === 5 ? [] : [index]))).toMatchObject({ lost: 1, extra: 0 });
  });

  it('[BENCH11] finds a repeated delivery', async () => {
    expect(await play((index) => (index === 5 ? [5, 5] : [index]))).toMatchObject({ lost: 0, extra: 1 });
  });

  it('[BENCH12] finds a loss that a repetition hides from the count', async () => {
    expect(await play((index) => (index === 5 ? [4] : [index]))).toMatchObject({ lost: 1, extra: 1 });
  });
});
