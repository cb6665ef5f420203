// Runs the named queries, each prepared once, and gives their rows as the contract has them.
import type { Connection } from './connection.ts';
import { fromIsoTime, toIsoTime } from '../sql/iso-time.ts';
import { boundArguments, type Selection } from '../sql/selection.ts';
import { rowDecoder } from '../sql/value.ts';
import { sqliteSelections } from './selections.ts';
import type { Query, QueryName, Rows } from '../storage.ts';

const decoders = {
  time: (text: unknown) => fromIsoTime(text as string),
  boolean: (value: unknown) => value !== 0,
};

type Run = (args: object) => Record<string, unknown>[];

function prepare(connection: Connection, { sql, columns, times = [] }: Selection): Run {
  const statement = connection.prepare<[object], Record<string, unknown>>(sql);
  const decode = rowDecoder(columns, decoders);
  return (args) => {
    const rows = statement.all(boundArguments(args, times, toIsoTime));
    decode(rows);
    return rows;
  };
}

export class SqliteQueries {
  readonly #runs: ReadonlyMap<string, Run>;

  /** @throws the driver's error when a table or a column is missing. */
  constructor(connection: Connection) {
    const runs = new Map<string, Run>();
    for (const [name, selection] of Object.entries(sqliteSelections)) {
      runs.set(name, prepare(connection, selection));
    }
    this.#runs = runs;
  }

  /** @throws the driver's error. */
  run<Name extends QueryName>(query: Query<Name>): Rows<Name> {
    const run = this.#runs.get(query.name);
    if (!run) throw new TypeError(`There is no query ${query.name}.`);
    return run(query.args) as unknown as Rows<Name>;
  }
}
