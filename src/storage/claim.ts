// Who may write: the ground for fencing a server off that another one has taken over from. A claim is made once, when
// a node starts, and each commit asks in its own transaction whether the claim still holds; so of two servers on one
// database by mistake the older one can store nothing from the moment the younger one has claimed it.
import { StorageError } from './storage.ts';

/** All actors there are: a node owns them together. */
export const wholeTerritory = '*';

/** What the database holds of a territory: one row per territory, in table `owners`. */
export interface OwnerRow {
  readonly territory: string;
  /** +1 with every claim. */
  readonly epoch: number;
  /** Who made it, in words for the operator: host, process and time. */
  readonly owner: string;
}

/** One node's right to write for a territory. Plain data: it crosses threads. */
export interface Claim {
  readonly territory: string;
  readonly epoch: number;
}

/** Whether the claim is the latest: a missing row was removed by hand, and nobody's claim holds then. */
export function holds(claim: Claim, row: Pick<OwnerRow, 'epoch'> | undefined): boolean {
  return row?.epoch === claim.epoch;
}

/** The epoch of the next claim. */
export function nextEpoch(row: Pick<OwnerRow, 'epoch'> | undefined): number {
  return (row?.epoch ?? 0) + 1;
}

/**
 * The whole question of a commit, asked within its transaction, of a row that can't change before that ends.
 *
 * @throws StorageError with reason FENCED, and a sentence for the operator.
 */
export function assertHolds(claim: Claim, row: OwnerRow | undefined): void {
  if (holds(claim, row)) return;
  throw new StorageError(
    'FENCED',
    row
      ? `Another server has taken over this database: ${row.owner}.`
      : 'Nobody owns this database any more: the row in its table owners was removed.',
  );
}
