// All ways out of a shard: to edges, to other actors, to other nodes, and of snapshots to where they are kept. What goes
// out is released by the gate, or lost with its commit.
import { ToEdge, ToShard, type RelayMessage } from '../link/messages.ts';
import type { Shared } from '../storage/shared.ts';
import type { StorageError } from '../storage/storage.ts';
import type { Cell } from './cell.ts';
import { withheld } from './feeding.ts';
import type { Outlet } from './outlet.ts';
import type { Peers } from './peers.ts';
import type { ShardCounts } from './shard-metrics.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { Output } from './turn.ts';

export interface ExitsOptions {
  readonly outlet: Outlet;
  readonly peers: Peers;
  readonly shared: Shared | null;
  readonly snapshots: SnapshotStore;
  readonly counts: ShardCounts;
  readonly cellOf: (actor: string) => Cell | undefined;
  /** A message of that stream was not published, though it may be committed. */
  readonly withheld: (cell: Cell, stream: string) => void;
}

export class Exits {
  readonly #options: ExitsOptions;

  constructor(options: ExitsOptions) {
    this.#options = options;
  }

  /** What another actor pushes to a user's queue. */
  relay([, actor, destination, message]: RelayMessage): void {
    const { outlet, cellOf } = this.#options;
    const publish = [ToEdge.publish, destination, null, message, false] as const;
    const bytes = message[2].length;
    const to = { destination, plain: false, actor };
    outlet.release({ to, message: publish, bytes }, cellOf(actor)?.subscribers);
  }

  release(output: Output): void {
    const { outlet, peers, shared, snapshots, counts, cellOf } = this.#options;
    if (output.to === 'peer') return peers.send(output.message, output.bytes);
    if (output.to === 'nodes') return shared?.tell(output.message);
    if (output.to === 'snapshots') return snapshots.put(output.kept);
    if (output.message[0] === ToEdge.publish) counts.published.add();
    const { to } = output;
    outlet.release(output, 'actor' in to ? cellOf(to.actor)?.subscribers : undefined);
  }

  /** Its writes were not applied, as far as anybody knows: a commit that broke off may have been made. */
  lose(output: Output, error: StorageError): void {
    const { outlet, cellOf } = this.#options;
    if (output.to === 'snapshots') return;
    // The word of what may have been appended is never wrong.
    if (output.to === 'peer') {
      if (output.message[0] === ToShard.feed) this.release(output);
      return;
    }
    if (output.to === 'nodes') {
      const [kind] = output.message;
      // Sessions are there whatever the database says.
      if (kind === 'session' || kind === 'tracking') this.release(output);
      return;
    }
    outlet.lose(output, error);
    if (output.message[0] !== ToEdge.publish || !('actor' in output.to)) return;
    const cell = cellOf(output.to.actor);
    const stream = cell && withheld(cell, output.message);
    if (stream) this.#options.withheld(cell, stream);
  }
}
