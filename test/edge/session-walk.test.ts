// SENDs whose answer comes in pages, as fast as the client reads.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kinds } from '../support/edge-kinds.ts';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let client: FakeClient;

beforeEach(async () => {
  node = new InProcessNode({ kinds, edge: { unreadBytesMax: 20_000, commandsInFlightMax: 2 } });
  client = await node.signIn('alice');
  client.subscribe('0', '/user/queue/walk');
  await node.settle();
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

function walk(pages: number, bytes = 1, headers = {}): string {
  return client.tell('/app/board.walk', JSON.stringify({ pages, bytes }), headers);
}

const pagesSeen = (): number[] =>
  client.bodies('0').map((body) => Number.parseInt(JSON.parse(body) as string, 10));
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('[SESSION18] all pages come in order, and the RECEIPT after the last one', async () => {
  const receipt = walk(30, 1, { 'idempotency-key': 'once' });
  await node.settle();
  expect(pagesSeen()).toEqual(range(30));
  expect(client.commands.at(-1)).toBe('RECEIPT');
  expect(client.receipts).toEqual(['sub-0', receipt]);
});

test('[SESSION18] the next page is asked for when the client has read, and a slow one is not closed for it', async () => {
  client.connection.reads = false;
  walk(10, 4_000);
  await node.settle();
  const { length } = pagesSeen();
  expect(length).toBeGreaterThan(1);
  expect(length).toBeLessThan(5);
  while (pagesSeen().length < 10) {
    const before = pagesSeen().length;
    client.connection.bufferedBytes = 0;
    node.edges[0]?.drained(client.session);
    await node.settle();
    expect(pagesSeen().length).toBeGreaterThan(before);
  }
  expect(client.receipts).toEqual(['sub-0', 'tell-1']);
  expect(client.connection.closed).toBeNull();
});

test('[SESSION18] a walk counts as one command in flight, and the goodbye comes after it', async () => {
  client.connection.bufferedBytes = 10_001;
  walk(3);
  walk(3);
  await node.settle();
  walk(3);
  client.send('DISCONNECT', { receipt: 'bye' });
  await node.settle();
  expect(client.refusals.map(({ code, receipt }) => [code, receipt])).toEqual([['UNAVAILABLE', 'tell-3']]);
  expect(client.receipts).toEqual(['sub-0']);
  client.connection.bufferedBytes = 0;
  node.edges[0]?.drained(client.session);
  await node.settle();
  expect(client.receipts.slice(1).toSorted()).toEqual(['bye', 'tell-1', 'tell-2']);
  expect(client.receipts.at(-1)).toBe('bye');
});

test('[SESSION18] it ends with its session, with a page that is refused, and with its shard', async () => {
  walk(120);
  await node.settle();
  expect(pagesSeen()).toEqual(range(98));
  expect(client.refusals.map(({ code }) => code)).toEqual(['NOT_FOUND']);
  client.connection.bufferedBytes = 10_001;
  walk(3);
  await node.settle();
  node.killShard(0);
  await node.settle();
  client.connection.bufferedBytes = 0;
  node.edges[0]?.drained(client.session);
  await node.settle();
  expect(client.refusals.map(({ code }) => code)).toEqual(['NOT_FOUND', 'UNAVAILABLE']);
  node.startShard(0);
  client.connection.bufferedBytes = 10_001;
  walk(3);
  await node.settle();
  const { length } = client.frames;
  client.connection.drop();
  node.edges[0]?.drained(client.session);
  await node.settle();
  expect(client.frames).toHaveLength(length);
});
