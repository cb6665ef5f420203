// Entry of every thread of the pool: its one task says what it is.
import { runEdge } from './edge-thread.ts';
import { runShard } from './shard-thread.ts';
import { runStorage } from './storage-thread.ts';
import type { ThreadTask } from './thread-tasks.ts';

export default function run(task: ThreadTask): Promise<void> {
  switch (task.role) {
    case 'edge':
      return runEdge(task);
    case 'shard':
      return runShard(task);
    case 'storage':
      return runStorage(task);
  }
}
