// Claims of a SQLite file: who owns it, and whether a commit may still be made.
import type { Statement } from 'better-sqlite3';
import { assertHolds, nextEpoch, wholeTerritory, type Claim, type OwnerRow } from '../claim.ts';
import { connect, lockedOrUnavailable, type Connection } from './connection.ts';
import { toIsoTime } from '../sql/iso-time.ts';

export interface SqliteClaiming {
  readonly file: string;
  /** In words for the operator. */
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How long a commit that is on its way is waited for. 10,000 by default. */
  readonly busyTimeoutMs?: number;
}

const defaultBusyTimeoutMs = 10_000;

/**
 * Makes `owner` the one that may write. A process that was stopped in the middle of a commit holds the lock that a claim
 * needs for as long as it lives, and nothing can take it away: then the claim fails, and says so.
 *
 * @throws StorageError with reason UNAVAILABLE.
 */
export function claimSqlite({ file, owner, now, ...options }: SqliteClaiming): Claim {
  const { busyTimeoutMs = defaultBusyTimeoutMs } = options;
  const connection = connect(file, { busyTimeoutMs });
  try {
    connection.pragma('synchronous = FULL');
    const take = connection.transaction((): Claim => {
      const epoch = nextEpoch(ownerOf(connection).get(wholeTerritory));
      connection
        .prepare(
          `INSERT INTO owners (territory, epoch, owner, claimed_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (territory) DO UPDATE
            SET epoch = excluded.epoch, owner = excluded.owner, claimed_at = excluded.claimed_at`,
        )
        .run(wholeTerritory, epoch, owner, toIsoTime(now));
      return { territory: wholeTerritory, epoch };
    });
    return take.immediate();
  } catch (error) {
    throw lockedOrUnavailable(error, file, busyTimeoutMs);
  } finally {
    connection.close();
  }
}

function ownerOf(connection: Connection): Statement<[string], OwnerRow> {
  return connection.prepare('SELECT territory, epoch, owner FROM owners WHERE territory = ?');
}

/** Asked in the transaction of each commit. */
export class SqliteFence {
  readonly #claim: Claim;
  readonly #owner: Statement<[string], OwnerRow>;

  constructor(connection: Connection, claim: Claim) {
    this.#claim = claim;
    this.#owner = ownerOf(connection);
  }

  /** @throws StorageError with reason FENCED. */
  assertHolds(): void {
    assertHolds(this.#claim, this.#owner.get(this.#claim.territory));
  }
}
