// The way to Redis. It is made in the background, and again whenever it is lost. Nothing waits for it: a command fails
// at once while there is none, and soon when Redis does not answer.
import { Cluster, Redis } from 'ioredis';
import { backoffMs, type Backoff } from '../../lib/backoff.ts';
import { chance } from '../../lib/random.ts';
import { scripts } from './commands.ts';
import type { RedisLocation } from './location.ts';

export interface ConnectionOptions {
  readonly connectWithinMs: number;
  /** What a command that was sent may take. */
  readonly commandWithinMs: number;
  readonly retry: Backoff;
  /** Commands are taken from now on. */
  readonly onReady: () => void;
  /** The connection is lost, or could not be made. May be told many times. */
  readonly onLost: (reason: string) => void;
}

export class Connection {
  readonly client: Redis;
  readonly #isReady: () => boolean;

  constructor(location: RedisLocation, options: ConnectionOptions) {
    const { connectWithinMs, commandWithinMs, retry, onReady, onLost } = options;
    const again = (failures: number): number => backoffMs(failures, retry, chance());
    const common = {
      ...(location.username !== undefined && { username: location.username }),
      ...(location.password !== undefined && { password: location.password }),
      ...(location.isTls && { tls: {} }),
      connectTimeout: connectWithinMs,
      commandTimeout: commandWithinMs,
      // A command that is on its way when the connection ends has failed: whoever sent it knows what to do.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      // Whether Redis can do its work is told by the first command.
      enableReadyCheck: false,
      protocol: 2,
    } as const;
    const { host, port, database } = location;
    const client = location.isCluster
      ? new Cluster([{ host, port }], {
          redisOptions: common,
          enableOfflineQueue: false,
          clusterRetryStrategy: again,
          scripts,
        })
      : new Redis({
          ...common,
          host,
          port,
          db: database,
          enableOfflineQueue: false,
          retryStrategy: again,
          scripts,
        });
    // Both take the same commands; their types only differ in how they were made.
    this.client = client as Redis;
    this.#isReady = () => client.status === 'ready';
    let reason = 'the connection was lost';
    client.on('error', (error: Error) => onLost((reason = reasonOf(error))));
    client.on('close', () => onLost(reason));
    client.on('ready', () => {
      reason = 'the connection was lost';
      onReady();
    });
  }

  get isReady(): boolean {
    return this.#isReady();
  }

  /** Makes the connection anew, as the one there is may be of no use any more. */
  renew(): void {
    if (this.isReady) this.client.disconnect(true);
  }

  close(): void {
    this.client.disconnect();
  }
}

/** In a few words for the operator. What a failed command was is not among them: it may hold the password. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A cluster tells why its nodes could not be asked beside the error, a host with several addresses only by a code.
  const { lastNodeError, code } = error as { lastNodeError?: unknown; code?: string };
  if (lastNodeError instanceof Error) return reasonOf(lastNodeError);
  return error.message || (code ?? error.name);
}
