// What the main thread tells its threads and hears from them.
import type { MessagePort } from 'node:worker_threads';
import type { Config, LogLevel } from './config.ts';
import type { LinkEnd } from './link/link.ts';
import type { Claim } from './storage/claim.ts';

/** Settings of one node that threads need, with everything found out that was to be found out. */
export interface NodeSettings {
  /** Names this run of the node among others. */
  readonly node: string;
  readonly config: Config;
  readonly secret: string | null;
  /** The right to write to the database; null where nobody else can. */
  readonly claim: Claim | null;
  readonly logLevel: LogLevel;
  /** Module that exports `kinds`. */
  readonly kindsUrl: string;
}

/**
 * Whether the store has a thread of its own. One SQLite writer serves all shards; a single shard opens the file itself:
 * that spares two hops a message. Clients of other servers cost time that a shard has no room for. In memory the store
 * must outlive a shard.
 */
export function hasStorageThread({ shards, databaseUrl, redisUrl }: Config): boolean {
  return shards > 1 || redisUrl !== null || !/^sqlite:/i.test(databaseUrl);
}

interface TaskBase {
  readonly settings: NodeSettings;
  /** Where all threads count. */
  readonly metrics: SharedArrayBuffer;
  readonly control: MessagePort;
  readonly index: number;
}

export interface EdgeTask extends TaskBase {
  readonly role: 'edge';
  readonly port: number;
  readonly rateTable: SharedArrayBuffer;
}

export interface ShardTask extends TaskBase {
  readonly role: 'shard';
  /** The way to the storage thread; without one the shard opens the database itself. */
  readonly storage: LinkEnd | null;
  /** The way to what nodes share; null where nothing is. */
  readonly shared: LinkEnd | null;
}

export interface StorageTask extends TaskBase {
  readonly role: 'storage';
}

export type ThreadTask = EdgeTask | ShardTask | StorageTask;

/** To a thread, over its control port. */
export type Order =
  /** The other side of a link: a shard for an edge, an edge for a shard, a shard for the storage thread. */
  | { readonly type: 'connect'; readonly index: number; readonly end: LinkEnd }
  /** To the storage thread: the other side is a shard that shares. */
  | { readonly type: 'share'; readonly index: number; readonly end: LinkEnd }
  /** To a shard or an edge: the other side is the one of that index. */
  | { readonly type: 'peer'; readonly index: number; readonly end: LinkEnd }
  /** Finish what was received and let the task end. */
  | { readonly type: 'drain' };

/** From a thread, over its control port. */
export type Report =
  | { readonly type: 'ready' }
  /** Another server has claimed the database: the node can store nothing more. In words for the operator. */
  | { readonly type: 'fenced'; readonly message: string };
