// The arrangements of threads that the main flows are tried in: alone, a shard opens SQLite itself; several share
// a storage thread, and what one edge sends reaches subscribers of another.
import { actorKey } from '../../src/actors/route.ts';
import { placement } from '../../src/actors/placement.ts';
import type { Given } from '../../src/config.ts';
import type { TestServer } from './server.ts';
import { isMysql } from './store.ts';
import { connectStomp, type ConnectOptions, type TestClient } from './stomp.ts';

export interface Layout {
  readonly name: string;
  readonly settings: Given;
}

export const oneEach: Layout = { name: 'one edge, one shard', settings: { edges: '1', shards: '1' } };
export const twoEach: Layout = { name: 'two edges, two shards', settings: { edges: '2', shards: '2' } };
export const allLayouts = [oneEach, twoEach] as const;

/** One after the other, for servers that are started again and again. */
export const layoutOf = (round: number): Layout => (round % 2 === 0 ? oneEach : twoEach);

/** Those that every rule is tried in. On MySQL a storage thread serves one shard as it serves two. */
export const layouts: readonly Layout[] = isMysql ? [twoEach] : allLayouts;

/** The edge thread that holds this client. */
export async function edgeOf(server: TestServer, client: TestClient): Promise<string> {
  const connected = await client.waitFor(({ command }) => command === 'CONNECTED');
  const { session } = connected.headers;
  const line = await server.logged((one) => one['event'] === 'connect' && one['session'] === session);
  return String(line['thread']);
}

/** Clients alike, at least one on each of the server's edges: the system spreads connections as it likes. */
export async function connectOnEveryEdge(
  server: TestServer,
  layout: Layout,
  options: ConnectOptions,
): Promise<TestClient[]> {
  const edges = new Set<string>();
  const clients: TestClient[] = [];
  while (edges.size < Number(layout.settings.edges)) {
    const client = await connectStomp(server, options);
    clients.push(client);
    edges.add(await edgeOf(server, client));
  }
  return clients;
}

/** An id of that kind whose actor lives on that shard of so many. */
export function idOn(kind: string, shard: number, shards: number): string {
  for (let number = 0; ; number += 1) {
    if (placement(actorKey(kind, `on-${number}`), shards) === shard) return `on-${number}`;
  }
}

/** A plain topic that lives on that shard of so many. */
export function topicOn(shard: number, shards: number): string {
  return `/topic/${idOn('topic', shard, shards)}`;
}
