// Entry of every thread of the pool: its one task says what it is. A thread loads the modules of its role alone, which is
// most of what a start costs.
import type { ThreadTask } from './thread-tasks.ts';

export default async function run(task: ThreadTask): Promise<void> {
  switch (task.role) {
    case 'edge':
      return (await import('./edge-thread.ts')).runEdge(task);
    case 'shard':
      return (await import('./shard-thread.ts')).runShard(task);
    case 'storage':
      return (await import('./storage-thread.ts')).runStorage(task);
  }
}
