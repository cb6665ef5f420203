// The storage thread: one store for several shards, so that their writes share a commit.
import { openStorage } from './storage/open.ts';
import { serveStorage } from './storage/remote.ts';
import type { Order, Report, StorageTask } from './thread-tasks.ts';

/** Runs until it is told to drain. */
export async function runStorage({ settings, control }: StorageTask): Promise<void> {
  const storage = openStorage(settings.config.databaseUrl);
  const ended = new Promise<void>((resolve, reject) => {
    control.on('message', (order: Order) => {
      if (order.type === 'connect') {
        serveStorage(storage, order.end, () => undefined);
        return;
      }
      control.close();
      storage.close().then(resolve, reject);
    });
  });
  control.postMessage({ type: 'ready' } satisfies Report);
  return ended;
}
