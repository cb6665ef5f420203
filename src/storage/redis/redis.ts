// Redis as what nodes share.
import type { Logger } from 'pino';
import type { Clock } from '../../lib/clock.ts';
import type { SharedNode } from '../shared.ts';
import { StorageError } from '../storage.ts';

export interface RedisOptions {
  /** `redis://host:6379` or `rediss://…`. */
  readonly url: string;
  /** Names this run of the node: its lease, and what it has said. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Connects in the background and again whenever the connection is lost. */
export function openRedis(_options: RedisOptions): SharedNode {
  throw new StorageError('UNAVAILABLE', 'Redis is not supported yet.');
}
