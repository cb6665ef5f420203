// A shard thread: wires actors, storage and links.
import { keyLifetimeMs } from './actors/seen.ts';
import { Shard } from './actors/shard.ts';
import { monotonicMs, systemClock } from './lib/clock.ts';
import { newEpoch, newId } from './lib/random.ts';
import { expireEveryMs, shardLimits, topicLifetimeMs } from './limits.ts';
import { loadKinds } from './load-kinds.ts';
import { openLog } from './log.ts';
import { nodeBoard, watchThread } from './node-metrics.ts';
import { ShardLinks } from './shard-links.ts';
import { openStorage } from './storage/open.ts';
import { RemoteShared } from './storage/remote-shared.ts';
import { RemoteStorage } from './storage/remote.ts';
import { isUnavailable, type StorageError } from './storage/storage.ts';
import { WatchedStorage } from './storage/watched.ts';
import type { Order, Report, ShardTask } from './thread-tasks.ts';

const idleCheckMs = 5;

/** Runs until it is told to drain. */
export async function runShard({
  settings,
  metrics,
  control,
  index,
  storage: storageEnd,
  shared: sharedEnd,
}: ShardTask): Promise<void> {
  const log = openLog(settings.logLevel, `shard-${index}`);
  const counts = nodeBoard(settings.config, metrics).countsOf(`shard-${index}`);
  const kinds = await loadKinds(settings.kindsUrl);
  const { databaseUrl } = settings.config;
  const opened = storageEnd
    ? new RemoteStorage(storageEnd)
    : await openStorage(databaseUrl, { claim: settings.claim });
  const onFenced = ({ message }: StorageError): void => {
    // What fails from now on fails for this one reason, which the main thread tells.
    log.level = 'silent';
    shard.fence();
    control.postMessage({ type: 'fenced', message } satisfies Report);
  };
  const storage = new WatchedStorage(opened, {
    counts: counts.storage,
    clock: systemClock,
    monotonicMs,
    log,
    onFenced: settings.claim ? onFenced : undefined,
  });
  const shared = sharedEnd && new RemoteShared(sharedEnd);
  const shard = new Shard({
    kinds,
    storage,
    shared,
    clock: systemClock,
    ids: { newId, newEpoch },
    settings: { priceIntervalMs: settings.config.priceIntervalMs },
    limits: shardLimits,
    log,
    counts: counts.shard,
    place: { index, count: settings.config.shards, edges: settings.config.edges },
  });
  watchThread(counts.thread, systemClock, () => counts.shard.actors.set(shard.actorCount));
  const links = new ShardLinks(shard);

  if (index === 0) {
    systemClock.every(expireEveryMs, () => {
      const now = systemClock.now();
      const expire = {
        op: 'expire',
        keysBefore: now - keyLifetimeMs,
        topicsBefore: now - topicLifetimeMs,
      } as const;
      void storage.commit([[expire]]).then(([outcome]) => {
        if (outcome && !isUnavailable(outcome))
          log.warn({ err: outcome }, 'what is too old could not be removed');
      });
    });
  }

  const ended = new Promise<void>((resolve, reject) => {
    const drain = async (): Promise<void> => {
      shard.drain();
      while (!shard.idle || !links.empty) {
        await new Promise<void>((done) => systemClock.after(idleCheckMs, done));
      }
      links.close();
      await shared?.close();
      await storage.close();
      control.close();
    };
    control.on('message', (order: Order) => {
      if (order.type === 'drain') {
        drain().then(resolve, reject);
        return;
      }
      if (order.type === 'peer') links.connectPeer(order.index, order.end);
      else links.connectEdge(order.end);
    });
  });
  control.postMessage({ type: 'ready' } satisfies Report);
  return ended;
}
