// The steps of a database's schema, as all stores see them: in what order they come, which of them a database has, and
// when it is left alone.
import { StorageError } from './storage.ts';

/** One step. A store adds what it runs; that is never changed once released. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly name: string;
}

export interface MigrationReport {
  /** Version of the schema that was found; 0 for a new database. */
  readonly from: number;
  readonly to: number;
  /** Names of what was applied, such as `0001_reference`. */
  readonly applied: readonly string[];
}

/** What a migration would run. */
export interface PlannedMigration {
  /** As in `MigrationReport`. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** What a call would do. */
export interface MigrationPlan {
  readonly from: number;
  readonly to: number;
  readonly pending: readonly PlannedMigration[];
}

export const migrationName = ({ version, name }: Migration): string =>
  `${String(version).padStart(4, '0')}_${name}`;

/**
 * How many of the known migrations a database has.
 *
 * @param database in words for the operator.
 * @param found what its list of migrations says, by version.
 * @throws StorageError with reason UNAVAILABLE when it has some that this version doesn't know.
 */
export function versionOf(
  database: string,
  found: readonly Migration[],
  known: readonly Migration[],
): number {
  const newest = found.at(-1)?.version ?? 0;
  if (newest > known.length) {
    throw new StorageError(
      'UNAVAILABLE',
      `The database ${database} has schema ${newest}, made by a newer version of Stagewire; this one knows ` +
        `${known.length}. Start the newer version, or restore a backup made before it.`,
    );
  }
  found.forEach(({ version, name }, index) => {
    const migration = known[index];
    if (migration?.version === version && migration.name === name) return;
    throw new StorageError(
      'UNAVAILABLE',
      `The database ${database} has a migration ${version} "${name}" that this version of Stagewire doesn't know. ` +
        'Use the version that made it, or another database.',
    );
  });
  return found.length;
}

/** @throws StorageError with reason UNAVAILABLE when migrations are missing. */
export function assertNewest(database: string, version: number, known: readonly Migration[]): void {
  if (version === known.length) return;
  throw new StorageError(
    'UNAVAILABLE',
    `The database ${database} has schema ${version} and this version of Stagewire needs ${known.length}: ` +
      'run `stagewire migrate`.',
  );
}
