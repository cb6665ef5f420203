// Claims of a SQLite file: who owns it, and whether a commit may still be made.
import type { Statement } from 'better-sqlite3';
import { assertHolds, nextEpoch, wholeTerritory, type Claim, type OwnerRow } from '../claim.ts';
import { unavailable } from '../failure.ts';
import { connect, type Connection } from './connection.ts';
import { toIsoTime } from '../sql/iso-time.ts';

const busyTimeoutMs = 10_000;

/**
 * Makes `owner` the one that may write.
 *
 * @throws StorageError with reason UNAVAILABLE.
 */
export function claimSqlite(file: string, owner: string, now: number): Claim {
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
    throw unavailable(error);
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
