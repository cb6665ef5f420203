// Where time and names come from, and what a load may say.

/** Settings of the node that kinds go by. */
export interface KindSettings {
  /** How often a conflated stream sends what has changed, in milliseconds. */
  readonly priceIntervalMs: number;
}

/** Where time and names come from, so that the same commands make the same state. */
export interface Source {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A time-ordered unique id. */
  newId(): string;
  newEpoch(): string;
  readonly settings: KindSettings;
}

/** What a load has beside rows. */
export interface LoadSource extends Source {
  /** Where snapshots among the rows lay that were found worthless: `load` was asked for what lies before. */
  readonly worthless: readonly number[];
  /** Warns in the log that something of what was found counts for nothing, such as a `snapshot`, and why. */
  ignored(what: string, why: string): void;
}
