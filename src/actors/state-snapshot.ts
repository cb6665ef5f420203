// What the author of a kind writes so that its actors have snapshots. They are a short cut and nothing else: a load asks
// the database for what bears a snapshot out, and when that is not there, goes the long way.
import type { ZodType } from 'zod';
import type { Snapshot } from '../storage/snapshot.ts';
import type { Query, QueryName, Rows } from '../storage/storage.ts';
import type { LoadSource } from './source.ts';

export type { Snapshot } from '../storage/snapshot.ts';

/** Thrown while an actor is loaded, when a snapshot is worth nothing: the load goes on without it. */
export class Worthless extends Error {
  /** Of a snapshot among the rows of `load`: where it lies. `load` is asked again for what lies before. */
  readonly before: number;

  /** @param why for the log, as in "its checksum is wrong". */
  constructor(why: string, before = 0) {
    super(why);
    this.name = 'Worthless';
    this.before = before;
  }
}

/** The state as it is after a turn. */
export type Taken<Data = unknown> = Pick<Snapshot<Data>, 'epoch' | 'place' | 'data'>;

export interface StateSnapshot<State> {
  /** One more whenever `data` changes its shape or its meaning: older ones are ignored then. */
  readonly form: number;
  /** Whether the database gets one now and then, too: not where its rows serve as well. */
  readonly isStored: boolean;
  readonly schema: ZodType;
  /** Null when there is nothing worth a snapshot. Plain data that no later turn changes; a few MiB at most. */
  take(state: State): Taken | null;
  /** Rows that bear the snapshot out, and those that came after it. */
  load(id: string, snapshot: Snapshot<never>): Readonly<Record<string, Query>>;
  /**
   * The same state as without the snapshot.
   *
   * @throws Worthless when the rows do not bear it out: another life, a place that is not there yet, another history.
   */
  start(id: string, snapshot: Snapshot<never>, rows: never, source: LoadSource): State;
}

/** Rows by the parts of a load. */
export type LoadedRows<Load extends Readonly<Record<string, Query>>> = {
  [Part in keyof Load]: Load[Part] extends { name: infer Name extends QueryName } ? Rows<Name> : never;
};

interface StateSnapshotOptions<State, Data, Load extends Readonly<Record<string, Query>>> {
  form: number;
  isStored: boolean;
  schema: ZodType<Data>;
  take(state: State): Taken<NoInfer<Data>> | null;
  load(id: string, snapshot: Snapshot<NoInfer<Data>>): Load;
  start(id: string, snapshot: Snapshot<NoInfer<Data>>, rows: LoadedRows<Load>, source: LoadSource): State;
}

/** Types a snapshot: its data by the schema, the rows by their queries. */
export function stateSnapshot<State, Data, const Load extends Readonly<Record<string, Query>>>(
  options: StateSnapshotOptions<State, Data, Load>,
): StateSnapshot<State> {
  return options;
}
