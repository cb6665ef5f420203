// Removes what an `expire` is about to remove, as far as there can be very many of it, in small steps beforehand. All of
// a busy hour's keys in the one transaction would take longer than a commit may, and keep the others waiting meanwhile.
import type { Claim } from '../claim.ts';
import type { Pool } from './pool.ts';
import { toServerTime } from './statements.ts';
import { nearestTime } from '../storable.ts';
import type { Write } from '../storage.ts';

export type Expire = Extract<Write, { op: 'expire' }>;

// Some tens of milliseconds.
const rowsPerStep = 5_000;

export interface PurgeOptions {
  readonly pool: Pool;
  /** Nothing is removed unless it holds. */
  readonly claim: Claim | null;
  /** For one step. */
  readonly limitMs: number;
}

/** Leaves at most one step of each table. @throws ConnectionLost, the server's error, or a StorageError. */
export async function purge({ pool, claim, limitMs }: PurgeOptions, { keysBefore }: Expire): Promise<void> {
  // Asked without a lock: what is so old may go, whoever removes it; but nobody else's data are touched for long.
  const owned = claim === null ? '' : 'AND EXISTS (SELECT 1 FROM owners WHERE territory = ? AND epoch = ?)';
  const owner = claim === null ? [] : [claim.territory, claim.epoch];
  const values = [toServerTime(nearestTime(keysBefore)), ...owner];
  for (const table of ['idempotency_keys', 'command_answers']) {
    const sql = `DELETE FROM ${table} WHERE created_at < ? ${owned} LIMIT ${rowsPerStep}`;
    for (let removed = rowsPerStep; removed === rowsPerStep;) {
      removed = await pool.use((connection) => connection.change(sql, values, limitMs));
    }
  }
}
