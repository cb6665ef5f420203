// The storage thread: one store for several shards, so that their writes share a commit.
import { systemClock } from './lib/clock.ts';
import { openLog } from './log.ts';
import { nodeBoard, watchThread } from './node-metrics.ts';
import { openStorage } from './storage/open.ts';
import type { SharedNode } from './storage/shared.ts';
import { serveShared } from './storage/remote-shared.ts';
import { serveStorage } from './storage/remote.ts';
import type { Order, Report, StorageTask } from './thread-tasks.ts';

/** Runs until it is told to drain. */
export async function runStorage({ settings, metrics, control }: StorageTask): Promise<void> {
  const log = openLog(settings.logLevel, 'storage');
  const counts = nodeBoard(settings.config, metrics).countsOf('storage');
  const storage = await openStorage(settings.config.databaseUrl, { claim: settings.claim });
  const { node, config } = settings;
  let shared: SharedNode | null = null;
  if (config.redisUrl !== null) {
    const { openRedis } = await import('./storage/redis/redis.ts');
    shared = openRedis({ url: config.redisUrl, node, clock: systemClock, log, counts: counts.redis });
  }
  watchThread(counts.thread, systemClock, () => undefined);
  const ended = new Promise<void>((resolve, reject) => {
    control.on('message', (order: Order) => {
      if (order.type === 'connect') {
        serveStorage(storage, order.end, () => undefined);
        return;
      }
      if (order.type === 'share') {
        if (shared) serveShared(shared.part(), order.end);
        return;
      }
      control.close();
      Promise.all([storage.close(), shared?.close()]).then(() => resolve(), reject);
    });
  });
  control.postMessage({ type: 'ready' } satisfies Report);
  return ended;
}
