// One step of a database's schema.

export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly name: string;
  /** Statements that run in one transaction, with foreign keys off. Never changed once released. */
  readonly sql: string;
}
